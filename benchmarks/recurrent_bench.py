"""What the sections of `python -m benchmarks.recurrent` share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

from benchmarks.bench import Bench
from benchmarks.cases import CELLS, Case
from benchmarks.harness import System, take_turns
from benchmarks.recurrent_targets import targets

TINY = [(6, 4, 24, 32)]


class RecurrentBench(Bench):
    """A Bench with the recurrent layers' targets, cases and reference, which is NumPy's."""

    def __init__(self, stack: ExitStack, **asked: Any) -> None:
        super().__init__(stack, targets(), **asked)

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

    def by_numpy(self, case: Case, systems: dict[str, System]) -> bool:
        """Whether all come to what NumPy comes to."""
        return self.agree(case, {"numpy": self.worker("numpy"), **systems})

    def beside_plain(self, case: Case) -> float | None:
        """How long a case takes, as a share of the plain one's time."""
        plain = Case(case.kind, case.shape)
        systems: dict[str, System] = {
            "plain": self.worker("c", use="plain"), "other": self.worker("c", use="other")
        }  # fmt: skip
        if not self.by_numpy(plain, {"plain": systems["plain"]}):
            return None
        if not self.by_numpy(case, {"other": systems["other"]}):
            return None
        outcome = take_turns(systems, self.rounds)
        return outcome.best("other") / outcome.best("plain")
