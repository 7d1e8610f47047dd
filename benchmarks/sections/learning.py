"""Learning for the same wall time: the same model from the same weights on the same batches."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from benchmarks.names import NAMES
from benchmarks.records import Row
from benchmarks.run import Run

PEERS = ("torch",)
CURVE = "A GPT of four layers learning Python's documentation"
FIRST, TOLERANCE = 5, 1e-3  # steps, after which the held-out bits must agree so closely
SLICE, SLICES = 4.0, 5  # seconds that each learns in turn, and how often


class Learning:
    """A system's process; see benchmarks/learning.py."""

    def __init__(self, system: str, threads: int) -> None:
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.learning", system, str(threads)],
            env={**os.environ, **dict.fromkeys(names, str(threads))},
            cwd=Path(__file__).parents[2], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def order(self, **what: float) -> dict[str, Any]:
        """Have it learn; how far it has come."""
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps(what) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"learning: a process ended with {self.process.wait()}")
        return dict(json.loads(line))

    def __enter__(self) -> Learning:
        return self

    def __exit__(self, *_: object) -> None:
        with self.process:  # closes its input, which ends it, and waits
            pass


def learning(run: Run) -> Iterator[Row]:
    """Held-out bits against seconds of training."""
    peers = [peer for peer in run.peers if peer in PEERS]
    name = "bits per character after {:g} s"
    if run.quick or not (peers and run.first and run.wants("learning", name)):
        return
    with ExitStack() as stack:
        systems = {
            system: stack.enter_context(Learning(system, run.threads)) for system in ("c", *peers)
        }
        first = {system: one.order(steps=FIRST)["bits"] for system, one in systems.items()}
        gap = max(abs(bits - first["c"]) for bits in first.values())
        if not gap <= TOLERANCE:
            wrong = f"after {FIRST} steps the bits differ by {gap:.1e}"
            yield Row("learning", name.format(0), run.threads, "bit", wrong=wrong)
            return
        yield point(run, name.format(0), 0.0, first)
        for number in range(1, SLICES + 1):
            told = {system: one.order(seconds=SLICE) for system, one in systems.items()}
            found = {system: one["bits"] for system, one in told.items()}
            row = point(run, name.format(number * SLICE), number * SLICE, found)
            row.notes = [f"{NAMES[system]}: {one['steps']} steps" for system, one in told.items()]
            yield row


def point(run: Run, name: str, seconds: float, bits: dict[str, float]) -> Row:
    """A point of the curve."""
    return Row(
        "learning", name, run.threads, "bit", {**bits}, {**bits}, curve=CURVE,
        size={"seconds": seconds},
    )  # fmt: skip
