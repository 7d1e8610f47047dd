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


class JSONLinesLogger(Callback):
    """The history as one JSON object a line, appended as it comes.

    Args:
        path: of the file.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)

    def on_evaluate_end(self, trainer: Trainer) -> None:
        """Append the last row."""
        with open(self.path, "a", encoding="utf-8") as file:
            file.write(json.dumps(trainer.history.rows[-1]) + "\n")


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
