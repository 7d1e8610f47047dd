"""Timing several systems at one case, fairly: compared first, then timed in turn."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

NOTES: list[str] = []  # what a system has to say about the way it took up a case
WARM_UP = 0.005  # seconds, before what is timed

Results = list[NDArray[np.float32]]


class System(Protocol):
    """What is compared."""

    def results(self, case: Any) -> Results:
        """Take up a case: what comes out of it."""

    def seconds(self, duration: float) -> float:
        """Repeat it for about so long: seconds per call."""


class Here:
    """A function that does the work, in this very process."""

    def __init__(self, work: Callable[[], Results]) -> None:
        self.work = work

    def results(self, case: Any) -> Results:
        """What comes out of it; it is worked once more, to know how often to repeat it."""
        results = self.work()
        self.once = self.repeat(1)
        return results

    def seconds(self, duration: float) -> float:
        """Repeat it for about so long: seconds per call."""
        once = max(self.once, 1e-9)
        # A short call must find its threads awake and its data in the caches; to one that takes
        # longer than this they hardly matter.
        self.repeat(round(WARM_UP / once))
        return self.repeat(max(1, round(duration / once)))

    def repeat(self, calls: int) -> float:
        """Seconds per call."""
        begin = time.perf_counter()
        for _ in range(calls):
            self.work()
        return (time.perf_counter() - begin) / max(calls, 1)


def quickest(ways: list[Callable[[], Results]]) -> Callable[[], Results]:
    """Of several ways to do the same work the one that takes least, by a few calls each.

    One call is enough where it takes long: then nothing that disturbs matters.
    """

    def taken(way: Callable[[], Results]) -> float:
        here = Here(way)
        here.results(None)
        return here.once if here.once > 0.5 else min(here.repeat(1) for _ in range(3))

    return min(ways, key=taken)


class Worker:
    """A system in a process of its own; see worker.py. Use it in a `with`.

    Raises:
        RuntimeError: when the process ends before its time; its own words went to stderr.
    """

    def __init__(self, system: str, threads: int) -> None:
        names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
        self.system, self.threads = system, threads
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.worker", system, str(threads)],
            env={**os.environ, **dict.fromkeys(names, str(threads))},
            cwd=Path(__file__).parents[1],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.version: str = self._answer()["version"]
        self.notes: list[str] = []

    def results(self, case: Any) -> Results:
        """Take up a case: what comes out of it."""
        with TemporaryDirectory() as folder:
            path = str(Path(folder) / "results.npz")
            self._order({"family": case.family, "case": asdict(case), "results": path})
            self.notes = self._answer()["notes"]
            with np.load(path) as arrays:
                return [arrays[name] for name in arrays.files]

    def seconds(self, duration: float) -> float:
        """Repeat it for about so long: seconds per call."""
        if self.threads > 1:
            # The last system's may still turn, hoping for work (OpenBLAS's: for 2^26 cycles).
            time.sleep(0.1)
        self._order({"seconds": duration})
        return float(self._answer()["seconds"])

    def memory(self, case: Any, tiny: Any) -> int:
        """The most memory that taking up a case and doing its work needs, in bytes.

        A tiny case comes first, so that what the system loads and keeps for good does not count.
        This is for a process that has done nothing yet.
        """
        self._order({"family": case.family, "memory": [asdict(tiny), asdict(case)]})
        return int(self._answer()["bytes"])

    def _order(self, what: dict[str, object]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self.close()
            raise RuntimeError(f"{self.system}: its process ended with {self._process.returncode}")
        return dict(json.loads(line))

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End its process: it stops when its orders do."""
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait()
        self._process.stdout.close()


@dataclass
class Outcome:
    """Seconds per call of each system, round by round; or what was wrong."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    wrong: str | None = None

    def best(self, system: str) -> float:
        """The quickest round: what is left when nothing else disturbs."""
        return min(self.seconds[system])

    def median(self, system: str) -> float:
        """The middle round."""
        return median(self.seconds[system])


def difference(results: Results, expected: Results) -> float:
    """The largest difference, as a share of the largest entry of the same array."""
    if [a.shape for a in results] != [b.shape for b in expected]:
        return np.inf
    worst = 0.0
    for a, b in zip(results, expected, strict=True):
        largest = float(np.abs(b).max(initial=0.0)) or 1.0
        gap = float(np.abs(a.astype(np.float64) - b).max(initial=0.0)) / largest
        worst = max(worst, gap) if gap == gap else np.inf
    return worst


def compare(
    case: Any, systems: dict[str, System], tolerance: float = 1e-4,
    view: Callable[[Results], Results] = list,
) -> str | None:  # fmt: skip
    """Have every system take up the case: what is wrong with one's results by the first one's.

    `view` makes of results what is to be compared.
    """
    (first, reference), *others = systems.items()
    expected = view(reference.results(case))
    for name, system in others:
        gap = difference(view(system.results(case)), expected)
        if not gap <= tolerance:
            return f"{name} differs from {first} by {gap:.1e} of the largest entry"
    return None


def take_turns(systems: dict[str, System], rounds: int, seconds_per_round: float = 0.02) -> Outcome:
    """Time what each system has taken up.

    In each round every system works once, or as often as fills `seconds_per_round`, so that a slow
    spell of the machine falls on all of them.
    """
    outcome = Outcome({name: [] for name in systems})
    for _ in range(rounds):
        for name, system in systems.items():
            outcome.seconds[name].append(system.seconds(seconds_per_round))
    return outcome


def run(case: Any, systems: dict[str, System], rounds: int, tolerance: float = 1e-4) -> Outcome:
    """Compare every system's results with the first one's; if they agree, time them in turn.

    A case is whatever the systems take for one.
    """
    wrong = compare(case, systems, tolerance)
    return Outcome(wrong=wrong) if wrong else take_turns(systems, rounds)
