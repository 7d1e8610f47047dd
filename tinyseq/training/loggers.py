"""A row of the history at a time, written as a file that other programs read."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinyseq.training.callbacks import Callback

if TYPE_CHECKING:
    from tinyseq.training.trainer import Trainer


class CSVLogger(Callback):
    """The history as comma-separated values with a header.

    It is written anew at each evaluation: a resumed run's file has no row twice.

    Args:
        path: of the file.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    def on_evaluate_end(self, trainer: Trainer) -> None:
        """Write the rows."""
        with open(self.path, "w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(trainer.history))
            writer.writeheader()
            writer.writerows(trainer.history.rows)


class AppendingLogger(Callback):
    """Appends to a file; a run that is resumed first takes back what it wrote after its checkpoint.

    Args:
        path: of the file.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self._size = self.path.stat().st_size if self.path.exists() else 0  # as this run left it

    def append(self, text: str) -> None:
        """Add to the file."""
        with open(self.path, "ab") as file:
            file.write(text.encode("utf-8", "replace"))
            self._size = file.tell()

    def on_train_begin(self, trainer: Trainer) -> None:
        """Take back what will be written again."""
        if self.path.exists() and self.path.stat().st_size > self._size:
            os.truncate(self.path, self._size)

    def state_dict(self) -> dict[str, Any]:
        """The file's size."""
        return {"size": self._size}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on behind that."""
        size = state["size"]
        if not isinstance(size, int) or size < 0:
            raise ValueError(f"{type(self).__name__}: size must be a whole number, got {size!r}")
        self._size = size


class JSONLinesLogger(AppendingLogger):
    """The history as one JSON object a line, appended as it comes.

    Args:
        path: of the file.
    """

    def on_evaluate_end(self, trainer: Trainer) -> None:
        """Append the last row."""
        self.append(json.dumps(trainer.history.rows[-1]) + "\n")


class TensorBoardLogger(Callback):
    """The history as TensorBoard's scalars.

    Args:
        folder: of the run, as TensorBoard's --logdir wants it.

    Raises ModuleNotFoundError, naming the extra, when tensorboard is not installed.
    """

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        try:
            from tensorboard.summary import Writer
        except ModuleNotFoundError:
            raise ModuleNotFoundError(
                "TensorBoardLogger needs tensorboard: pip install 'tinyseq[tensorboard]'"
            ) from None
        self._writer: Any = Writer(os.fspath(folder))

    def on_evaluate_end(self, trainer: Trainer) -> None:
        """Add the last row."""
        row = trainer.history.rows[-1]
        for name, value in row.items():
            if name not in ("step", "epoch"):
                self._writer.add_scalar(name, value, row["step"])
        self._writer.flush()
