"""What the sections of a table of targets share: the workers, the rows, the targets."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

import tinyseq as ts
from benchmarks.harness import Results, System, Worker, compare
from benchmarks.report import Target


class Bench:
    """What was asked for, the workers, and the targets.

    Args:
        stack: ends the workers.
        targets: by the name under which a section takes its figures down.
        only: texts that must all be in the name of a row, which begins with its section's.
    """

    def __init__(
        self, stack: ExitStack, targets: dict[str, Target], quick: bool, threads: int, rounds: int,
        only: list[str], peers: list[str],
    ) -> None:  # fmt: skip
        self.stack, self.quick, self.threads, self.rounds = stack, quick, threads, rounds
        self.only, self.peers = only, peers
        self.peak = max(ts.backend.fma_peak() for _ in range(3)) * 1e9 * threads
        self.targets = targets if not quick else {k: t.unjudged() for k, t in targets.items()}
        self.wrong, self.rows, self.title = False, 0, ""
        self._workers: dict[tuple[str, int, str], Worker] = {}

    def worker(self, system: str, threads: int | None = None, use: str = "") -> Worker:
        """The process of a system, started when first asked for; another one for each use."""
        key = system, threads or self.threads, use
        if key not in self._workers:
            self._workers[key] = self.stack.enter_context(Worker(*key[:2]))
        return self._workers[key]

    def systems(self) -> dict[str, System]:
        """tinyseq and its peers."""
        return {name: self.worker(name) for name in ("c", *self.peers)}

    def versions(self) -> list[str]:
        """Of tinyseq and the peers."""
        return [self.worker(system).version for system in ("c", *self.peers)]

    def wants(self, row: str) -> bool:
        """Whether it was asked for."""
        return all(text in row for text in self.only)

    def say(self, name: str, told: str) -> None:
        """A row, under its section's title if it is the first."""
        if self.title:
            print(f"\n{self.title}")
        print(f"{name:<54}{told}", flush=True)
        self.rows, self.title = self.rows + 1, ""

    def agree(
        self, case: Any, systems: dict[str, System], tolerance: float = 1e-4,
        view: Callable[[Results], Results] = list,
    ) -> bool:  # fmt: skip
        """Have the systems take up the case; whether all come to what the first one comes to."""
        return self.right(case, compare(case, systems, tolerance, view))

    def right(self, case: Any, wrong: str | None) -> bool:
        """Say what is wrong, if anything."""
        if wrong:
            self.wrong = True
            self.say(case.name, f"WRONG: {wrong}; not timed")
        return wrong is None
