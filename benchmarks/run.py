"""What the sections share: what was asked for, the systems' processes, how a row comes about."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from benchmarks.harness import Failed, Outcome, Results, System, compare, take_turns
from benchmarks.names import NAMES
from benchmarks.records import Row
from benchmarks.remote import Worker

Figures = Callable[[Row], dict[str, float]]


@dataclass
class Run:
    """One pass over the sections, on one number of threads.

    Args:
        stack: ends the workers.
        machine: see `machine.describe`.
        only: texts that must all be in "section: name" of a row.
        quick: the smallest case of each kind, a few rounds.
        deep: also the cases that only the targets ask for.
        first: whether no other pass came before: what does not depend on the threads is done now.
        peers: those that take part, each where it can; see `invite`.
    """

    stack: ExitStack
    machine: dict[str, Any]
    threads: int = 1
    only: list[str] = field(default_factory=list)
    quick: bool = False
    deep: bool = False
    first: bool = True
    rounds: int = 15
    peers: list[str] = field(default_factory=list)
    workers: dict[tuple[str, int, str], Worker] = field(default_factory=dict)

    @property
    def asked(self) -> tuple[str, ...]:
        """What is asked of a layer; in a hurry only training, in which forward takes part."""
        return ("train",) if self.quick else ("forward", "train")

    @property
    def peak(self) -> float:
        """FLOP/s of the threads together."""
        return float(self.machine["peak"][str(self.threads)]) * 1e9

    def wants(self, section: str, name: str) -> bool:
        """Whether a row was asked for."""
        return all(text in f"{section}: {name}" for text in self.only)

    def worker(self, system: str, threads: int | None = None, use: str = "") -> Worker:
        """The process of a system, started when first asked for, and anew if it ended; another one
        for each use."""
        key = system, threads or self.threads, use
        if key not in self.workers or self.workers[key].ended:
            self.workers[key] = self.stack.enter_context(Worker(*key[:2]))
        return self.workers[key]

    def invite(self, peers: Iterable[str]) -> tuple[list[str], list[str]]:
        """Let those take part that work here; their versions, and why others do not."""
        versions, notes = [], []
        for peer in peers:
            if not installed([peer]):
                notes.append(f"{NAMES[peer]} is not installed")
                continue
            try:
                versions.append(self.worker(peer).version)
            except RuntimeError as error:
                notes.append(f"{NAMES[peer]} does not work here: {error}")
            else:
                self.peers.append(peer)
        return versions, notes

    def rows(
        self, section: str, cases: Iterable[Any], figures: Figures = lambda row: {}, **how: Any
    ) -> Iterator[Row]:
        """A row for each case that was asked for.

        Args:
            figures: of a row that was timed, what counts for which target.
            how: as `side_by_side` takes it.
        """
        for case in cases:
            if self.wants(section, case.name):
                row = self.side_by_side(section, case, **how)
                if not row.wrong and not self.quick:
                    row.targets = figures(row)
                yield row

    def side_by_side(
        self, section: str, case: Any, *, numpy: bool = True, tolerance: float = 1e-4,
        view: Callable[[Results], Results] = list,
    ) -> Row:  # fmt: skip
        """tinyseq, its NumPy fallback and the peers at one case.

        Args:
            numpy: False where that would take minutes: then the peers are compared with C.
            tolerance, view: as `compare` takes them.
        """
        names = [name for name in case.peers if name in self.peers]
        if numpy:
            names.insert(0, "numpy")
        systems: dict[str, System] = {name: self.worker(name) for name in ("c", *names)}
        first = "numpy" if numpy else "c"
        ordered = {first: systems[first], **systems}
        row, failed = self.blank(section, case), dict[str, str]()
        try:
            row.wrong = compare(case, ordered, tolerance, view, failed)
        except Failed as error:
            row.wrong = str(error)
        if "c" in failed:
            row.wrong = failed["c"]
        row.notes += failed.values()
        if not row.wrong:
            here = {name: system for name, system in systems.items() if name not in failed}
            try:
                self.time(row, case.units, here)
            except Failed as error:
                row.wrong = str(error)
        return row

    def beside(
        self, section: str, case: Any, name: str, other: Any, threads: tuple[int, int] | None = None
    ) -> Row:
        """tinyseq at one case, and, under another name, at another case or on other threads."""
        ours, others = threads or (self.threads, self.threads)
        systems: dict[str, System] = {
            "c": self.worker("c", ours), name: self.worker("c", others, use=name)
        }  # fmt: skip
        row = self.blank(section, case)
        row.threads = ours
        if threads:  # not a bit may depend on them
            row.wrong = compare(case, systems, tolerance=0.0)
        else:
            numpy = self.worker("numpy")
            row.wrong = compare(case, {"numpy": numpy, "c": systems["c"]}) or compare(
                other, {"numpy": numpy, name: systems[name]}
            )
        if not row.wrong:
            self.time(row, case.units, systems)
        return row

    def blank(self, section: str, case: Any) -> Row:
        """A row with nothing measured yet."""
        row = Row(section, case.name, self.threads, size=case.size)
        row.flops, row.bytes = case.flops / case.units, case.bytes / case.units
        return row

    def time(self, row: Row, units: int, systems: dict[str, System]) -> None:
        """Fill in what the systems take, all of which have taken up the case."""
        for name, system in systems.items():
            row.begin[name] = getattr(system, "begin", 0.0)
            row.memory[name] = getattr(system, "memory", 0)
            row.notes += getattr(system, "notes", [])
        budget, least = (0.05, 2) if self.quick else (0.15 * len(systems), 4)
        rounds = min(self.rounds, 3) if self.quick else self.rounds
        fill(row, take_turns(systems, rounds, budget, least), units)


def fill(row: Row, outcome: Outcome, units: int = 1) -> None:
    """What was timed, into a row."""
    for name in outcome.seconds:
        row.best[name] = outcome.best(name) / units
        row.median[name] = outcome.median(name) / units
        if name != "c":
            row.ratios[name] = outcome.ratio(name)


def installed(peers: Iterable[str]) -> list[str]:
    """Those that can be imported."""
    return [peer for peer in peers if importlib.util.find_spec(peer)]
