"""A system in a process of its own, as the process that asks sees it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import Any

import numpy as np

from benchmarks.harness import Failed, Results


class Worker:
    """A system in a process of its own; see worker.py. Use it in a `with`.

    Of the case taken up last it knows `begin`, the seconds until it was ready; `memory`, the bytes
    that the work took at most, inputs and all; and `notes`, what the system said about it.

    Raises:
        Failed: when it could not do what it was asked, and can be asked something else; or when the
            process ended before its time, with its last words.
    """

    def __init__(self, system: str, threads: int) -> None:
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        self.system, self.threads = system, threads
        self._said = TemporaryFile("w+")  # libraries chat; it matters only if something fails
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", system, str(threads)],
            env={**os.environ, **dict.fromkeys(names, str(threads))},
            cwd=Path(__file__).parents[1],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._said,
            text=True,
        )
        self.version: str = self._answer()["version"]
        self.begin, self.memory = 0.0, 0
        self.notes: list[str] = []

    def results(self, case: Any) -> Results:
        """Take up a case: what comes out of it."""
        with TemporaryDirectory() as folder:
            path = str(Path(folder) / "results.npz")
            self._order({"family": case.family, "case": asdict(case), "results": path})
            told = self._answer()
            self.begin, self.memory, self.notes = told["begin"], told["memory"], told["notes"]
            with np.load(path) as arrays:
                return [arrays[name] for name in arrays.files]

    def seconds(self, duration: float) -> float:
        """Repeat it for about so long: seconds per call."""
        if self.threads > 1:
            # The last system's may still turn, hoping for work (OpenBLAS's: for 2^26 cycles).
            time.sleep(0.1)
        self._order({"seconds": duration})
        return float(self._answer()["seconds"])

    def _order(self, what: dict[str, object]) -> None:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # its answer tells
            self._process.stdin.write(json.dumps(what) + "\n")
            self._process.stdin.flush()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            self._said.seek(0)
            last = (self._said.read().strip().splitlines() or [f"{self._process.returncode}"])[-1]
            self.close()
            raise Failed(f"{self.system}: its process ended: {last}")
        told = dict(json.loads(line))
        if "failed" in told:
            raise Failed(f"{self.system}: {told['failed']}")
        return told

    @property
    def ended(self) -> bool:
        """Whether there is nobody to ask any more."""
        return self._process.poll() is not None

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End its process: it stops when its orders do."""
        assert self._process.stdin is not None and self._process.stdout is not None
        with suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()
        self._said.close()


def fresh_memory(system: str, case: Any, tiny: Any) -> int:
    """The bytes that a case takes in a process of its own, on one thread.

    A tiny case comes first: what the system loads and keeps for good does not count.
    """
    with Worker(system, 1) as worker:
        worker.results(tiny)
        worker.results(case)
        return worker.memory
