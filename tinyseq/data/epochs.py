"""Batches by the epoch, from any of them on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from tinyseq.data.batch import Batch
from tinyseq.data.text import DataError
from tinyseq.data.token_file import TokenFile
from tinyseq.data.tokenizer import Ids

Tokens = Ids | TokenFile


class Epochs:
    """Windows of a long sequence in batches, one epoch each time it is iterated over.

    An epoch is a function of its number and of what the subclass was made with, so the position is
    two numbers, and a run that goes on in the middle of an epoch reads what it would have read.
    Iterating begins a new epoch, but for the first time after `load_state_dict`.

    Args:
        ids: the sequence, (N,) whole numbers or a TokenFile, which is never loaded whole.
        window: symbols per row and batch, T.

    Raises DataError when ids is no sequence of whole numbers, or shorter than one window and the
    symbol after it, ValueError when window is below 1.
    """

    def __init__(self, ids: Tokens, window: int) -> None:
        name = type(self).__name__
        if isinstance(ids, np.ndarray) and (ids.ndim != 1 or ids.dtype.kind not in "iu"):
            raise DataError(f"{name}: ids must be whole numbers (N,), got {ids.dtype} {ids.shape}")
        if window < 1:
            raise ValueError(f"{name}: window must be at least 1, got {window}")
        if len(ids) <= window:
            raise DataError(
                f"the training part of the text has {len(ids)} symbol(s): "
                f"too short for one window of {window} and the symbol after it"
            )
        self.ids = ids
        self.window = window
        self._epoch = 0
        self._batch = 0  # handed out in this epoch
        self._go_on = True  # the next iteration is the rest of this epoch, not the next one

    def __len__(self) -> int:
        raise NotImplementedError

    def _starts(self, epoch: int, first: int) -> Iterator[Ids]:
        """Where the rows (B,) of the batches of an epoch begin, from one batch on."""
        raise NotImplementedError

    def _made_with(self) -> dict[str, int]:
        """What an epoch depends on beside its number."""
        raise NotImplementedError

    def __iter__(self) -> Iterator[Batch]:
        """Batches of x (B,T) and y (B,T), the symbols one further on, int64; without lengths."""
        if not self._go_on:
            self._epoch, self._batch = self._epoch + 1, 0
        self._go_on = False
        return self._rest(self._epoch, self._batch)

    def _rest(self, epoch: int, first: int) -> Iterator[Batch]:
        steps = np.arange(self.window + 1)
        for number, starts in enumerate(self._starts(epoch, first), first + 1):
            read = self.ids[starts[:, None] + steps].astype(np.int64, copy=False)
            self._epoch, self._batch = epoch, number
            yield Batch(read[:, :-1], read[:, 1:])
        self._epoch, self._batch, self._go_on = epoch + 1, 0, True

    def state_dict(self) -> dict[str, Any]:
        """Where it stands, as JSON can hold it; a batch counts as read once it is handed out."""
        return {"epoch": self._epoch, "batch": self._batch, "of": self._made_with()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where `state_dict` was taken.

        Raises DataError, and changes nothing, when that was another sequence, was made otherwise,
        or is no position.
        """
        name = type(self).__name__
        if state.get("of") != self._made_with():
            raise DataError(
                f"{name}: the position is one in {state.get('of')}, this is {self._made_with()}"
            )
        epoch, batch = state.get("epoch"), state.get("batch")
        if not (
            isinstance(epoch, int)
            and isinstance(batch, int)
            and 0 <= epoch
            and 0 <= batch <= len(self)
        ):
            raise DataError(f"{name}: no position in {len(self)} batches: {epoch!r}, {batch!r}")
        self._epoch, self._batch, self._go_on = epoch, batch, True
