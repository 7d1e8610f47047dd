"""Decoding: what a model offers so that `tinyseq.generation` can write with it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from tinyseq.autograd import Array, Tensor

Ids = NDArray[np.int64]


class Decoding(Protocol):
    """Rows that are being written side by side: all that the model remembers of them."""

    @property
    def first(self) -> Sequence[Ids]:
        """For each row the symbols that it begins with, (n,), n at least 1."""

    @property
    def stop(self) -> Sequence[int]:
        """Symbols with which a row ends, whatever else it may end with."""

    def step(self, ids: Ids) -> Tensor | Array:
        """Read the next t symbols of each row, (B,t), t at least 1: logits (B,V) of what comes
        after them. It is called without gradients being recorded."""

    def reorder(self, rows: Ids) -> None:
        """Go on with the rows of these numbers (B',), each as often as it is named."""


class Generative(Protocol):
    """A model that can be written with."""

    def start(self, prompts: Sequence[Ids]) -> Decoding:
        """Begin a row for each prompt, symbols (n,)."""


def chosen(state: Any, rows: Ids) -> Any:
    """Of a recurrent layer's state, h or h and c, each (L,B,H), these rows."""
    if isinstance(state, tuple):
        return tuple(chosen(part, rows) for part in state)
    return Tensor(state.data[:, rows])
