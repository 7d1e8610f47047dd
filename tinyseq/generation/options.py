"""What may be asked of `generate`, checked."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Options:
    """The arguments of `generate`, which says what they mean, but for the prompt.

    Raises ValueError, naming the argument, when one is outside its range.
    """

    max_new_tokens: int
    temperature: float = 1.0
    top_k: int | None = None
    top_p: float | None = None
    repetition_penalty: float = 1.0
    num_beams: int = 1
    length_penalty: float = 1.0
    stop: frozenset[int] = frozenset()
    suppress: frozenset[int] = frozenset()
    seed: int | None = None

    def __post_init__(self) -> None:
        _check_whole("max_new_tokens", self.max_new_tokens, 0)
        _check_number("temperature", self.temperature, 0.0)
        if self.top_k is not None:
            _check_whole("top_k", self.top_k, 1)
        if self.top_p is not None:
            _check_number("top_p", self.top_p, 0.0, 1.0)
        _check_number("repetition_penalty", self.repetition_penalty, 0.0)
        if self.repetition_penalty == 0:
            raise ValueError("generate: repetition_penalty must be above 0, got 0")
        _check_whole("num_beams", self.num_beams, 1)
        _check_number("length_penalty", self.length_penalty, -10.0, 10.0)
        if self.seed is not None:
            _check_whole("seed", self.seed, 0)
        drawn = self.temperature not in (0, 1) or self.top_k or self.top_p is not None
        if self.num_beams > 1 and drawn:
            raise ValueError(
                "generate: temperature, top_k and top_p are for draws, "
                f"and num_beams {self.num_beams} draws nothing"
            )

    def check_symbols(self, count: int) -> None:
        """Raise ValueError when a symbol named is not below count, or none is left to be drawn."""
        for name, symbols in (("stop", self.stop), ("suppress", self.suppress)):
            for symbol in symbols:
                if not 0 <= symbol < count:
                    raise ValueError(f"generate: {name} must be below {count}, got {symbol}")
        if len(self.suppress) == count:
            raise ValueError(f"generate: suppress leaves none of {count} symbols")


def symbols_of(name: str, given: int | Iterable[int] | None) -> frozenset[int]:
    """One symbol, several or none, as a set."""
    if given is None:
        return frozenset()
    several: list[Any] = list(given) if isinstance(given, Iterable) else [given]
    for symbol in several:
        _check_whole(name, symbol, 0)
    return frozenset(map(int, several))


def _check_whole(name: str, given: Any, least: int) -> None:
    if isinstance(given, bool) or not isinstance(given, int | np.integer) or given < least:
        raise ValueError(f"generate: {name} must be a whole number from {least} up, got {given!r}")


def _check_number(name: str, given: Any, least: float, most: float = math.inf) -> None:
    number = isinstance(given, Real) and not isinstance(given, bool)
    if not (number and math.isfinite(given) and least <= given <= most):
        limits = f"{least:g} up" if math.isinf(most) else f"{least:g} to {most:g}"
        raise ValueError(f"generate: {name} must be a number from {limits}, got {given!r}")
