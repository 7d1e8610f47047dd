"""Small runs of the command line, in this process or in one of their own."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np

import tinyseq as ts
from tinyseq.cli import main
from tinyseq.saving import load_checkpoint

TEXT = "the cat sat on the mat and the dog sat on the log. " * 40
SMALL = (
    "--embed 8 --hidden 16 --batch 4 --window 16 --steps 12 --evaluations 3 --backend numpy"
).split()
TRANSFORMER = (
    "--model transformer --hidden 16 --heads 2 --layers 1 --batch 4 --window 16 --steps 12 "
    "--evaluations 3 --lr 0.01 --backend numpy"
).split()
ROOT = os.path.dirname(os.path.dirname(ts.__file__))


def train(*more, data="text", out="run"):
    """Train in a folder of the current one."""
    return main(["train", "--data", data, "--out", out, *SMALL, *more])


def fails(capsys, status, *argv):
    """Run it, expecting a status and exactly one line on stderr; return the line."""
    capsys.readouterr()
    assert main(list(argv)) == status
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1 and captured.err.endswith("\n"), captured.err
    assert "error: " in captured.err
    return captured.err


def start(*argv, stdout=subprocess.PIPE, stdin=None, **environment):
    """The program in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "tinyseq", *argv],
        stdin=stdin,
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": ROOT, **environment},
    )


def checkpoints(folder="run"):
    """The names of a run's checkpoints."""
    return sorted(path.name for path in (Path(folder) / "checkpoints").iterdir())


def last_step(folder="run"):
    """The step of a run's last checkpoint."""
    return max(int(name[5:13]) for name in checkpoints(folder) if name.startswith("step-"))


def end_of(folder):
    """The last checkpoint's arrays, and what it says of its training."""
    name = f"step-{last_step(folder):08d}.safetensors"
    arrays, description = load_checkpoint(Path(folder, "checkpoints", name))
    return arrays, description["training"]


def same_arrays(one, two):
    """Two runs have come to the same bits."""
    (arrays, _), (others, _) = end_of(one), end_of(two)
    assert arrays.keys() == others.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, others[name])
