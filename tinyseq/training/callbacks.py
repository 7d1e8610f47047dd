"""What happens beside a training run: stopping early, checkpoints, a bar."""

from __future__ import annotations

import contextlib
import math
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from tinyseq.saving import CheckpointError, check_writable
from tinyseq.training.errors import Diverged

if TYPE_CHECKING:
    from tinyseq.training.trainer import Trainer


class Callback:
    """Called by a Trainer as it goes on; override what is wanted.

    It may look at everything and set ``trainer.stopping``. What it must remember over a resume goes
    through `state_dict`.
    """

    def on_train_begin(self, trainer: Trainer) -> None:
        """Before the first step of a fit."""

    def on_train_end(self, trainer: Trainer) -> None:
        """After a fit, also one that ends with an error."""

    def on_epoch_begin(self, trainer: Trainer) -> None:
        """Before an epoch's first step."""

    def on_epoch_end(self, trainer: Trainer) -> None:
        """After an epoch; ``trainer.epoch`` counts it already."""

    def on_step_end(self, trainer: Trainer) -> None:
        """After a step; ``trainer.last`` holds its loss and its gradient's norm."""

    def on_evaluate_end(self, trainer: Trainer) -> None:
        """After an evaluation; ``trainer.history.rows[-1]`` holds what it found."""

    def state_dict(self) -> dict[str, Any]:
        """What to remember, as JSON can hold it."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Remember it."""


class Best:
    """Tells whether a measure is the best so far.

    Args:
        monitor: its name in the history's rows.
        mode: whether "min" or "max" is best.
        min_delta: by how much it must be better to count.

    Raises ValueError for another mode.
    """

    def __init__(self, monitor: str, mode: str, min_delta: float = 0.0) -> None:
        if mode not in ("min", "max"):
            raise ValueError(f"mode must be min or max, got {mode!r}")
        self.monitor, self.sign, self.min_delta = monitor, 1 if mode == "min" else -1, min_delta
        self.value: float | None = None

    def improved(self, trainer: Trainer) -> bool:
        """Take the last row into account.

        Raises KeyError, naming what there is, when it has no such measure.
        """
        row = trainer.history.rows[-1]
        if self.monitor not in row:
            raise KeyError(f"monitor {self.monitor!r} is not measured; there are {', '.join(row)}")
        value = row[self.monitor]
        if math.isnan(value):  # a metric for which nothing counted
            return False
        if self.value is not None and not self.sign * (self.value - value) > self.min_delta:
            return False
        self.value = value
        return True

    def restore(self, value: Any) -> None:
        """Go on with the best so far, or None.

        Raises ValueError when it is neither.
        """
        if value is not None and type(value) not in (int, float):
            raise ValueError(f"the best {self.monitor} must be a number, got {value!r}")
        self.value = value


class EarlyStopping(Callback):
    """Ends training when a measure has not become better for some evaluations.

    Args:
        monitor: its name in the history's rows.
        patience: evaluations to wait.
        mode: "min" or "max" is best.
        min_delta: by how much it must be better to count.
    """

    def __init__(
        self,
        monitor: str = "val_loss",
        patience: int = 3,
        mode: str = "min",
        min_delta: float = 0.0,
    ) -> None:
        if patience < 1:
            raise ValueError(f"EarlyStopping: patience must be at least 1, got {patience}")
        self.best = Best(monitor, mode, min_delta)
        self.patience, self.waited = patience, 0

    def on_evaluate_end(self, trainer: Trainer) -> None:
        """Count the evaluations since the best one."""
        self.waited = 0 if self.best.improved(trainer) else self.waited + 1
        if self.waited >= self.patience:
            trainer.stopping = True

    def state_dict(self) -> dict[str, Any]:
        """The best value and how long ago it was."""
        return {"best": self.best.value, "waited": self.waited}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on waiting."""
        self.best.restore(state["best"])
        self.waited = int(state["waited"])


class ModelCheckpoint(Callback):
    """Writes checkpoints at evaluations and where training is ended early: the last few, the best.

    It comes after all other callbacks, so that what they remember is in it. The files are
    step-00000042.safetensors and best.safetensors; `newest` finds the last.

    Args:
        folder: where to; made if it is not there.
        monitor: what the best is best at; None: no best is kept.
        mode: "min" or "max" is best.
        keep: how many of the last to keep, at least 1.
        every: steps between checkpoints besides those at evaluations; None: no others.
    """

    def __init__(
        self,
        folder: str | os.PathLike[str],
        monitor: str | None = "val_loss",
        mode: str = "min",
        keep: int = 2,
        every: int | None = None,
    ) -> None:
        if keep < 1 or (every is not None and every < 1):
            raise ValueError(
                f"ModelCheckpoint: keep and every must be at least 1, got {keep} and {every}"
            )
        self.folder = Path(folder)
        self.best = None if monitor is None else Best(monitor, mode)
        self.keep, self.every = keep, every

    def on_train_begin(self, trainer: Trainer) -> None:
        """Find out now, not after an hour, whether a checkpoint can be written.

        Raises CheckpointError when it cannot.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise CheckpointError(f"{self.folder}: cannot be made: {error.strerror}") from None
        check_writable(self.folder / "best.safetensors")

    def on_step_end(self, trainer: Trainer) -> None:
        """Write one if it is time, or if training stops here."""
        if trainer.stopping or (self.every and trainer.step % self.every == 0):
            self._save(trainer)

    def on_evaluate_end(self, trainer: Trainer) -> None:
        """Write one, and the best."""
        # First the best: a checkpoint that tells of a better one must not be there without it.
        if self.best is not None and self.best.improved(trainer):
            self._write("best", trainer)
        self._save(trainer)

    def _write(self, name: str, trainer: Trainer) -> None:
        if not all(np.isfinite(p.data).all() for p in trainer.optimizer.parameters):
            raise Diverged(f"training stopped at step {trainer.step}: a weight is not finite")
        trainer.save(self.folder / f"{name}.safetensors")

    def _save(self, trainer: Trainer) -> None:
        self._write(f"step-{trainer.step:08d}", trainer)
        for old in _numbered(self.folder)[: -self.keep]:
            with contextlib.suppress(FileNotFoundError):
                old.unlink()

    def state_dict(self) -> dict[str, Any]:
        """The best value."""
        return {"best": None if self.best is None else self.best.value}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on with the best value."""
        if self.best is not None:
            self.best.restore(state["best"])


def _numbered(folder: Path) -> list[Path]:
    return sorted(folder.glob("step-*.safetensors"))


def newest(folder: str | os.PathLike[str]) -> Path:
    """The last checkpoint that a ModelCheckpoint wrote into a folder.

    Raises CheckpointError when there is none.
    """
    found = _numbered(Path(folder))
    if not found:
        raise CheckpointError(f"{os.fspath(folder)}: holds no checkpoint")
    return found[-1]


class ProgressBar(Callback):
    """A tqdm bar on a terminal, with loss, rate and time left; elsewhere a line per evaluation.

    Args:
        unit: what a step is called.
    """

    def __init__(self, unit: str = "step") -> None:
        self.unit = unit
        self._bar: Any = None
        self._smooth = 0.0
        self._began = (0.0, 0)

    def on_train_begin(self, trainer: Trainer) -> None:
        """Show it."""
        from tqdm import tqdm

        done = trainer.step - trainer.began[0]
        self._bar = tqdm(
            total=trainer.steps, initial=done, unit=self.unit, dynamic_ncols=True, disable=None,
            file=sys.stderr,
        )  # fmt: skip
        self._began = (time.perf_counter(), trainer.step)
        self._smooth = math.nan

    def on_step_end(self, trainer: Trainer) -> None:
        """Count a step."""
        loss = trainer.last["loss"]
        self._smooth = (
            loss if math.isnan(self._smooth) else self._smooth + 0.05 * (loss - self._smooth)
        )
        if not self._bar.disable:
            self._bar.set_postfix_str(self._told(trainer), refresh=False)
            self._bar.update()

    def on_evaluate_end(self, trainer: Trainer) -> None:
        """Show what was measured."""
        if self._bar is not None and self._bar.disable:
            began, step = self._began
            rate = (trainer.step - step) / (time.perf_counter() - began)
            goal = "" if trainer.steps is None else f"/{trainer.began[0] + trainer.steps}"
            line = f"{self.unit} {trainer.step}{goal}: {self._told(trainer)}, {rate:.1f} per second"
            print(line, file=sys.stderr, flush=True)

    def on_train_end(self, trainer: Trainer) -> None:
        """Leave it as it is."""
        if self._bar is not None:
            self._bar.close()

    def _told(self, trainer: Trainer) -> str:
        row = trainer.history.rows[-1] if trainer.history.rows else {}
        shown = {k: v for k, v in row.items() if k not in ("step", "epoch", "lr", "loss")}
        return ", ".join(f"{k} {v:.4g}" for k, v in ({"loss": self._smooth} | shown).items())
