"""Where in the data a run stands, and how it goes on there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tinyseq.data.batch import Batch
from tinyseq.data.text import DataError


class Resumable:
    """Batches, one epoch each time it is iterated over, from any of them on.

    An epoch is a function of its number and of what the subclass was made with, so the position is
    two numbers, and a run that goes on in the middle of an epoch reads what it would have read.
    Iterating begins a new epoch, but for the first time after `load_state_dict`.
    """

    _epoch = 0
    _batch = 0  # handed out in this epoch
    _go_on = True  # the next iteration is the rest of this epoch, not the next one

    def __len__(self) -> int:
        """Batches in an epoch."""
        raise NotImplementedError

    def _batches(self, epoch: int, first: int) -> Iterator[Batch]:
        """The batches of an epoch, from one of them on."""
        raise NotImplementedError

    def _made_with(self) -> dict[str, int]:
        """What an epoch depends on beside its number."""
        raise NotImplementedError

    def __iter__(self) -> Iterator[Batch]:
        """The batches of the next epoch, or what is left of the one that was broken off."""
        if not self._go_on:
            self._epoch, self._batch = self._epoch + 1, 0
        self._go_on = False
        return self._counted(self._epoch, self._batch)

    def _counted(self, epoch: int, first: int) -> Iterator[Batch]:
        for number, batch in enumerate(self._batches(epoch, first), first + 1):
            self._epoch, self._batch = epoch, number
            yield batch
        self._epoch, self._batch, self._go_on = epoch + 1, 0, True

    def first_epoch(self) -> Iterator[Batch]:
        """All batches in the order of the first epoch, whoever else reads: it stays where it is."""
        return self._batches(0, 0)

    def state_dict(self) -> dict[str, Any]:
        """Where it stands, as JSON can hold it; a batch counts as read once it is handed out."""
        return {"epoch": self._epoch, "batch": self._batch, "of": self._made_with()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on where `state_dict` was taken.

        Raises DataError, and changes nothing, when that was other data, was made otherwise, or is
        no position.
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
