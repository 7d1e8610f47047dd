"""Beam search: the continuations that are likeliest as a whole."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from tinyseq.generation.drawing import adjusted
from tinyseq.generation.options import Options


class Beam(NamedTuple):
    """A continuation and the logarithm of its probability."""

    symbols: tuple[int, ...]
    total: float


class Beams:
    """A prompt that goes on along ``num_beams`` continuations at once; the best is what it wrote::

        score = log p(symbols) / length^length_penalty

    where a mark that ended it counts into both. It ends when none that goes on could become better
    than the best that has ended.
    """

    def __init__(self, options: Options, first: Iterable[int], stop: frozenset[int]):
        self.written: list[int] = []
        self._options = options
        self._stop = stop
        self._before = set(first)
        self._beams = [Beam((), 0.0)]
        self._best = -np.inf
        self._found: tuple[int, ...] = ()

    def advance(self, logits: NDArray[Any]) -> tuple[list[int], list[int]]:
        """Logits (n,V) of what comes after each beam -> which of the n go on, and what each is to
        read; nothing when the search has ended."""
        totals = np.stack([self._totals(*each) for each in zip(self._beams, logits, strict=True)])
        width, V = self._options.num_beams, totals.shape[1]
        parents: list[int] = []
        going: list[Beam] = []
        for place in _largest(totals.ravel(), width * (1 + len(self._stop))):
            parent, symbol = divmod(int(place), V)
            total = float(totals[parent, symbol])
            if total == -np.inf or len(going) == width:
                break
            symbols = self._beams[parent].symbols
            if symbol not in self._stop:
                parents.append(parent)
                going.append(Beam((*symbols, symbol), total))
            else:
                self._end(symbols, total, len(symbols) + 1)
        self._beams = going
        length = len(going[0].symbols) if going else 0
        if length == self._options.max_new_tokens:
            for beam in going:
                self._end(*beam, length)
            going = []
        if not going or self._score(going[0].total, self._kindest(length)) <= self._best:
            self.written = list(self._found)
            return [], []
        return parents, [beam.symbols[-1] for beam in going]

    def _totals(self, beam: Beam, logits: NDArray[Any]) -> NDArray[np.float64]:
        scores = adjusted(logits, self._before.union(beam.symbols), self._options)
        scores -= scores.max()
        totals: NDArray[np.float64] = scores - np.log(np.exp(scores).sum()) + beam.total
        return totals

    def _score(self, total: float, length: int) -> float:
        return float(total / length**self._options.length_penalty)

    def _kindest(self, length: int) -> int:
        """The length at which what goes on would score best, losing nothing more on the way."""
        return self._options.max_new_tokens if self._options.length_penalty > 0 else length + 1

    def _end(self, symbols: tuple[int, ...], total: float, length: int) -> None:
        if (score := self._score(total, length)) > self._best:
            self._best, self._found = score, symbols


def _largest(values: NDArray[np.float64], count: int) -> NDArray[np.int64]:
    """The places of the largest values, largest first; of equal ones the first first."""
    if count >= len(values):
        return np.argsort(-values, kind="stable")
    least = np.partition(values, -count)[-count]
    places = np.flatnonzero(values >= least)
    return places[np.argsort(-values[places], kind="stable")][:count]
