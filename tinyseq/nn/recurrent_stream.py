"""Streaming: the steps of a recurrent layer that nobody will look back on."""

from __future__ import annotations

from collections.abc import Callable
from operator import is_
from typing import Any, NamedTuple

from tinyseq import backend
from tinyseq.autograd import Array
from tinyseq.backend.recurrent import Weights


class Ready(NamedTuple):
    """A kernels' stepper, the arrays that it reads, and what made it."""

    step: Any
    arrays: list[Array]
    maker: Any


class Stream:
    """Keeps a layer's stepper while its parameters have the same arrays and the same backend
    serves: to look all of them over takes longer than the step of a small layer. A copy, and what
    comes out of a pickle, begins without one."""

    def __init__(self) -> None:
        self._ready: Ready | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return Stream, ()

    def stepper(self, cell: str, arrays: list[Array], weights: Callable[[], list[Weights]]) -> Any:
        """That of a cell with these arrays; `weights` gives them, checked, in their places."""
        ready, maker = self._ready, backend.recurrent_stepper
        if ready is None or ready.maker is not maker or not all(map(is_, ready.arrays, arrays)):
            ready = self._ready = Ready(maker(cell, weights()), arrays, maker)
        return ready.step
