"""Run folders: where a training run keeps what it is and what it has found."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tinyseq.cli.usage import WrongUsage
from tinyseq.saving import CheckpointError
from tinyseq.settings import Settings, default_settings

RUNS = Path("runs")  # of the folder one works in
RUN_HELP = "folder of a run, or a checkpoint (default: the newest run in runs/)"


@dataclass(frozen=True)
class Run:
    """The files of a run."""

    folder: Path

    @property
    def config(self) -> Path:
        """All its options, as --config reads them."""
        return self.folder / "config.toml"

    @property
    def log(self) -> Path:
        """What each evaluation has found, a JSON object a line."""
        return self.folder / "log.jsonl"

    @property
    def history(self) -> Path:
        """The same as a table."""
        return self.folder / "history.csv"

    @property
    def plot(self) -> Path:
        """The same as a picture."""
        return self.folder / "history.png"

    @property
    def samples(self) -> Path:
        """What the model wrote at each evaluation."""
        return self.folder / "samples.txt"

    @property
    def checkpoints(self) -> Path:
        """The folder of the checkpoints."""
        return self.folder / "checkpoints"

    @property
    def text(self) -> Path:
        """The text, when it came from a pipe."""
        return self.folder / "text.txt"

    @property
    def best(self) -> Path:
        """The checkpoint with the fewest held-out bits."""
        return self.checkpoints / "best.safetensors"

    def newest(self) -> Path | None:
        """The checkpoint of the last step."""
        return max(self.checkpoints.glob("step-*.safetensors"), default=None)


@contextmanager
def new_run(out: str | None) -> Iterator[Run]:
    """A new folder for a run: the one that is named, or runs/ and the time.

    It is taken back when the block ends with an error and there is no checkpoint to go on from.

    Raises WrongUsage when something is there already, CheckpointError when it cannot be made.
    """
    try:
        folder, made = _new_folder(out)
        run = Run(folder)
        run.checkpoints.mkdir()
    except OSError as error:
        raise CheckpointError(f"{out or RUNS}: cannot be made: {error.strerror or error}") from None
    try:
        yield run
    except BaseException:
        if run.newest() is None:
            shutil.rmtree(folder, ignore_errors=True)
            if not made:
                folder.mkdir(exist_ok=True)
        raise


def _new_folder(out: str | None) -> tuple[Path, bool]:
    """An empty folder, and whether it was made here."""
    wanted = Path(out) if out is not None else RUNS / time.strftime("%Y-%m-%d_%H-%M-%S")
    wanted.parent.mkdir(parents=True, exist_ok=True)
    path, runs = wanted, 1
    while True:
        try:
            path.mkdir()
            return path, True
        except FileExistsError:
            if out is not None:
                if not path.is_dir() or any(path.iterdir()):
                    raise WrongUsage(_taken(path)) from None
                return path, False
        runs += 1  # that began in one second
        path = wanted.with_name(f"{wanted.name}_{runs}")


def _taken(path: Path) -> str:
    if not path.is_dir():
        return f"--out: {path} is a file, expected a folder for the run"
    if Run(path).newest() is not None:
        return f"--out: {path} holds a run already ('tinyseq resume {path}' goes on with it)"
    return f"--out: {path} is not empty"


def find_run(name: str | None) -> Run:
    """The run that is named, or the one of runs/ that wrote a checkpoint last.

    Raises CheckpointError when there is none.
    """
    if name is not None:
        run = Run(Path(name))
        if not run.checkpoints.is_dir():
            raise CheckpointError(f"{name}: is not the folder of a run")
        return run
    found = [(_written(newest), run) for run, newest in _runs()]
    if not found:
        raise CheckpointError(f"there is no run in {RUNS}{os.sep} ('tinyseq train' makes one)")
    return max(found, key=lambda pair: pair[0])[1]


def find_checkpoint(name: str | None) -> Path:
    """A checkpoint: the file that is named, or of a run the best, or the last if none is the best.

    Raises CheckpointError when there is none.
    """
    if name is not None and not os.path.isdir(name):
        return Path(name)
    run = find_run(name)
    found = run.best if run.best.exists() else run.newest()
    if found is None:
        raise CheckpointError(f"{run.folder}: has no checkpoint yet")
    return found


def told_of_run(path: Path, told: Mapping[str, Any]) -> tuple[Settings, str | None]:
    """The settings of the run that a checkpoint is of, and where its text is.

    Args:
        path: the checkpoint.
        told: its configuration.

    Raises CheckpointError when it is not of a run.
    """
    try:
        settings, data = dict(told["settings"]), told["data"]
        if not (data is None or isinstance(data, str)):
            raise ValueError(f"data must be the name of a file, got {data!r}")
        return Settings(**default_settings(settings["model"]) | settings), data
    except (KeyError, TypeError, ValueError) as error:
        reason = f"lacks {error}" if isinstance(error, KeyError) else str(error)
        raise CheckpointError(f"{path}: is not a checkpoint of a run: {reason}") from None


def _runs() -> list[tuple[Run, Path]]:
    """Those that have a checkpoint, each with its newest."""
    runs = [Run(folder) for folder in RUNS.glob("*/")]
    return [(run, newest) for run in runs if (newest := run.newest()) is not None]


def _written(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns
    except OSError:  # another process has just removed it
        return 0
