"""What the sections of `python -m benchmarks.recurrent` share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import tinyseq as ts
from benchmarks.cases import CELLS, Case
from benchmarks.harness import System, Worker, compare, take_turns
from benchmarks.recurrent_targets import targets

TINY = [(6, 4, 24, 32)]


class Bench:
    """What the sections share: what was asked for, the workers, and the targets.

    Args:
        stack: ends the workers.
        only: texts that must all be in the name of a row, which begins with its section's.
    """

    def __init__(
        self, stack: ExitStack, quick: bool, threads: int, rounds: int, only: list[str],
        peers: list[str],
    ) -> None:  # fmt: skip
        self.stack, self.quick, self.threads, self.rounds = stack, quick, threads, rounds
        self.only, self.peers = only, peers
        self.peak = max(ts.backend.fma_peak() for _ in range(3)) * 1e9 * threads
        self.targets = targets(judged=not quick)
        self.wrong, self.rows, self.title = False, 0, ""
        self._workers: dict[tuple[str, int, str], Worker] = {}

    def worker(self, system: str, threads: int | None = None, use: str = "") -> Worker:
        """The process of a system, started when first asked for; another one for each use."""
        key = system, threads or self.threads, use
        if key not in self._workers:
            self._workers[key] = self.stack.enter_context(Worker(*key[:2]))
        return self._workers[key]

    def versions(self) -> list[str]:
        """Of tinyseq and the peers."""
        return [self.worker(system).version for system in ("c", *self.peers)]

    def wants(self, row: str) -> bool:
        """Whether it was asked for."""
        return all(text in row for text in self.only)

    def cases(
        self, section: str, shapes: list[tuple[int, ...]], work: tuple[str, ...], variant: str = ""
    ) -> Iterator[Case]:
        """Those asked for: every cell at every shape."""
        for cell in CELLS:
            for shape in TINY if self.quick else shapes:
                for asked in work:
                    case = Case(f"{cell} {asked}", shape, variant)
                    if self.wants(f"{section}: {case.name}"):
                        yield case

    def say(self, name: str, told: str) -> None:
        """A row, under its section's title if it is the first."""
        if self.title:
            print(f"\n{self.title}")
        print(f"{name:<54}{told}", flush=True)
        self.rows, self.title = self.rows + 1, ""

    def agree(self, case: Case, systems: dict[str, System]) -> bool:
        """Have the systems take up the case; whether all come to what NumPy comes to."""
        return self.right(case, compare(case, {"numpy": self.worker("numpy"), **systems}))

    def right(self, case: Case, wrong: str | None) -> bool:
        """Say what is wrong, if anything."""
        if wrong:
            self.wrong = True
            self.say(case.name, f"WRONG: {wrong}; not timed")
        return wrong is None

    def beside_plain(self, case: Case) -> float | None:
        """How long a case takes, as a share of the plain one's time."""
        plain = Case(case.kind, case.shape)
        systems: dict[str, System] = {
            "plain": self.worker("c", use="plain"), "other": self.worker("c", use="other")
        }  # fmt: skip
        if not self.agree(plain, {"plain": systems["plain"]}):
            return None
        if not self.agree(case, {"other": systems["other"]}):
            return None
        outcome = take_turns(systems, self.rounds)
        return outcome.best("other") / outcome.best("plain")
