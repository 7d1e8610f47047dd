"""What a run has measured."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from tinyseq.data import Batch
from tinyseq.training.calling import last, size_of

_FIRST = ("step", "epoch", "lr", "loss", "val_loss")


class History(Mapping[str, "list[Any]"]):
    """Columns by name, one entry for each evaluation: step, epoch, lr, loss, val_loss, metrics.

    What was not measured at an evaluation is None there.
    """

    def __init__(self, rows: Sequence[Mapping[str, Any]] = ()) -> None:
        self.rows: list[dict[str, Any]] = [dict(row) for row in rows]

    def append(self, row: Mapping[str, Any]) -> None:
        """Add what was measured at an evaluation."""
        self.rows.append(dict(row))

    def __getitem__(self, name: str) -> list[Any]:
        if name not in self._names():
            raise KeyError(name)
        return [row.get(name) for row in self.rows]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def __len__(self) -> int:
        return len(self._names())

    def _names(self) -> list[str]:
        """In an order of their own: a checkpoint does not keep that of the rows."""
        names = {name for row in self.rows for name in row}
        return [n for n in _FIRST if n in names] + sorted(names.difference(_FIRST))

    def __repr__(self) -> str:
        return f"History({dict(self)})"

    def plot(self, path: str | os.PathLike[str]) -> None:
        """Draw every measure against the steps, training beside validation, as a picture.

        Args:
            path: of the picture; its ending chooses the format.

        Raises ModuleNotFoundError, naming the extra, when matplotlib is not installed.
        """
        from tinyseq.training.plot import plot

        plot(self, path)


class Means:
    """The mean loss of some batches, and the metrics over them.

    Args:
        metrics: with update(output, y, lengths), compute(), reset() and a name.
    """

    def __init__(self, metrics: Sequence[Any]) -> None:
        self.metrics = metrics
        self.reset()

    def reset(self) -> None:
        """Forget all batches."""
        self.total, self.count = 0.0, 0
        for metric in self.metrics:
            metric.reset()

    def add(self, loss: float, output: Any, batch: Batch) -> None:
        """Take a batch into account."""
        size = size_of(batch)
        self.total += loss * size
        self.count += size
        for metric in self.metrics:
            metric.update(output, batch.y, last(batch.lengths))

    def compute(self) -> dict[str, float]:
        """The mean loss, if there was a batch, and each metric by its name."""
        if not self.count:
            return {}
        return {"loss": self.total / self.count} | {m.name: m.compute() for m in self.metrics}

    def state_dict(self) -> dict[str, Any]:
        """All of it, for a run that goes on in the middle of an epoch."""
        metrics = [metric.state_dict() for metric in self.metrics]
        return {"total": self.total, "count": self.count, "metrics": metrics}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on with what `state_dict` gave."""
        self.total, self.count = float(state["total"]), int(state["count"])
        for metric, found in zip(self.metrics, state["metrics"], strict=True):
            metric.load_state_dict(found)
