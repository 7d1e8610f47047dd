"""Timing several systems at one case, fairly: compared first, then timed in turn."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median
from time import perf_counter

import numpy as np
from numpy.typing import NDArray

Results = list[NDArray[np.float32]]


@dataclass(frozen=True)
class Case:
    """One piece of work, and for each system a function that does it and returns its results."""

    name: str
    flops: float
    systems: dict[str, Callable[[], Results]]


@dataclass
class Outcome:
    """Seconds per call of each system, round by round; or what was wrong."""

    case: Case
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


def run(
    case: Case,
    rounds: int,
    seconds_per_round: float = 0.02,
    tolerance: float = 1e-4,
    clock: Callable[[], float] = perf_counter,
) -> Outcome:
    """Compare every system's results with the first one's; if they agree, time them in turn.

    In each round every system is called once, or as often as fills `seconds_per_round`, so that a
    slow spell of the machine falls on all of them.
    """
    outcome = Outcome(case)
    names = list(case.systems)
    expected = case.systems[names[0]]()
    for name in names[1:]:
        gap = difference(case.systems[name](), expected)
        if not gap <= tolerance:
            outcome.wrong = f"{name} differs from {names[0]} by {gap:.1e} of the largest entry"
            return outcome
    calls = {}
    for name in names:
        begin = clock()
        case.systems[name]()
        calls[name] = max(1, int(seconds_per_round / max(clock() - begin, 1e-9)))
    outcome.seconds = {name: [] for name in names}
    for _ in range(rounds):
        for name in names:
            work = case.systems[name]
            begin = clock()
            for _ in range(calls[name]):
                work()
            outcome.seconds[name].append((clock() - begin) / calls[name])
    return outcome
