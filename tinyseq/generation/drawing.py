"""One symbol after the other, drawn from what the model predicts."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyseq.generation.options import Options
from tinyseq.training import Diverged

Floats = NDArray[np.float64]


class Draws:
    """A row that goes on by draws, or by what is likeliest."""

    def __init__(self, options: Options, first: Iterable[int], stop: frozenset[int], seed: int):
        self.written: list[int] = []
        self._options = options
        self._stop = stop
        self._before = set(first)
        self._rng = np.random.default_rng(seed)

    def advance(self, logits: NDArray[Any]) -> tuple[list[int], list[int]]:
        """Logits (1,V) of what comes next -> which row goes on, and what it is to read; nothing
        when it has ended."""
        options = self._options
        scores = adjusted(logits[0], self._before, options)
        symbol = draw(scores, self._rng, options.temperature, options.top_k, options.top_p)
        if symbol in self._stop:
            return [], []
        self.written.append(symbol)
        self._before.add(symbol)
        return ([], []) if len(self.written) == options.max_new_tokens else ([0], [symbol])


def adjusted(logits: NDArray[Any], before: set[int], options: Options) -> Floats:
    """Logits (V,) as they count: repetitions penalised, -inf for what must not come.

    Raises Diverged when they are not finite.
    """
    scores = logits.astype(np.float64)
    if options.repetition_penalty != 1:
        places = np.fromiter(before, np.int64, len(before))
        values = scores[places]
        penalty = options.repetition_penalty
        scores[places] = np.where(values < 0, values * penalty, values / penalty)
    scores[list(options.suppress)] = -np.inf
    if not math.isfinite(scores[scores.argmax()]):  # a NaN, if there is one
        raise Diverged("the model's predictions are not numbers: its weights are too large")
    return scores


def draw(
    scores: Floats,
    rng: np.random.Generator,
    temperature: float,
    top_k: int | None,
    top_p: float | None,
) -> int:
    """A symbol from softmax(scores / temperature), cut to top_k and then to top_p."""
    likeliest = int(scores.argmax())
    if temperature == 0:
        return likeliest
    with np.errstate(over="ignore", under="ignore"):  # a tiny temperature: exp(-inf) is 0
        weights = np.exp((scores - scores[likeliest]) / temperature)
    if top_k is not None and top_k < len(scores):
        weights[scores < np.partition(scores, -top_k)[-top_k]] = 0
    if top_p is not None and top_p < 1:
        order = np.argsort(-weights, kind="stable")
        sums = np.cumsum(weights[order])
        kept = 1 + int(np.count_nonzero(sums[:-1] < top_p * sums[-1]))
        weights[order[kept:]] = 0
    cumulative = np.cumsum(weights)
    return int(np.searchsorted(cumulative, rng.random() * cumulative[-1], side="right"))
