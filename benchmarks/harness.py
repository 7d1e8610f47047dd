"""Timing several systems at one case, fairly: compared first, then timed in turn."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from benchmarks.records import Spread, quartiles

NOTES: list[str] = []  # what a system has to say about the way it took up a case
WARM_UP = 0.005  # seconds, before what is timed
ROUND = 0.02  # seconds that a system works in each round, or one call if that takes longer


class Failed(RuntimeError):
    """A system could not do a case."""


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
        return here.once if here.once > 0.1 else min(here.repeat(1) for _ in range(3))

    return min(ways, key=taken)


@dataclass
class Outcome:
    """Seconds per call of each system, round by round."""

    seconds: dict[str, list[float]] = field(default_factory=dict)

    def best(self, system: str) -> float:
        """The quickest round: what is left when nothing else disturbs."""
        return min(self.seconds[system])

    def median(self, system: str) -> float:
        """The middle round."""
        return median(self.seconds[system])

    def ratio(self, peer: str, ours: str = "c") -> Spread:
        """What a peer took over what we took, round by round: a slow spell falls on both."""
        pairs = zip(self.seconds[peer], self.seconds[ours], strict=True)
        return quartiles([theirs / mine for theirs, mine in pairs])


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
    view: Callable[[Results], Results] = list, failed: dict[str, str] | None = None,
) -> str | None:  # fmt: skip
    """Have every system take up the case: what is wrong with one's results by the first one's.

    Args:
        view: makes of results what is to be compared.
        failed: takes down why a system other than the first could not do it; else that is raised.
    """
    (first, reference), *others = systems.items()
    expected = view(reference.results(case))
    for name, system in others:
        try:
            results = system.results(case)
        except Failed as error:
            if failed is None:
                raise
            failed[name] = str(error)
            continue
        gap = difference(view(results), expected)
        if not gap <= tolerance:
            return f"{name} differs from {first} by {gap:.1e} of the largest entry"
    return None


def take_turns(
    systems: dict[str, System], rounds: int, budget: float = np.inf, least: int = 3
) -> Outcome:
    """Time what each system has taken up.

    In each round every system works once, or as often as fills ROUND, so that a slow spell of the
    machine falls on all of them.

    Args:
        rounds: how many at most.
        budget: the seconds after which no further round begins, if there were `least`.
    """
    outcome = Outcome({name: [] for name in systems})
    begin = time.perf_counter()
    for done in range(rounds):
        if done >= least and time.perf_counter() - begin > budget:
            break
        for name, system in systems.items():
            outcome.seconds[name].append(system.seconds(ROUND))
    return outcome
