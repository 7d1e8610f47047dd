"""What the sections of `python -m benchmarks.attention` share."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import numpy as np

from benchmarks.attention_cases import AttentionCase
from benchmarks.attention_targets import targets
from benchmarks.bench import Bench
from benchmarks.harness import Outcome, Results, System, take_turns
from benchmarks.report import SYSTEMS

PEERS = ("torch", "jax")

# Results differ by what float32 rounds off in sums of some thousand terms, each system's in another
# order: 1e-4 of the largest entry leaves room for that and is far below any mistake's difference.
TOLERANCE = 1e-4
# The generators differ, and so do the places of the zeros: of a million draws the share of zeros
# lies within 1e-3; small arrays are not judged.
DROPOUT_TOLERANCE = 1e-2


def zeros_and_scale(results: Results) -> Results:
    """Of a dropout of ones and of its gradient, what does not depend on the generator."""
    return [np.array([np.mean(a != 0)], np.float32) for a in results]


class AttentionBench(Bench):
    """A Bench with attention's targets, cases and rows."""

    def __init__(self, stack: ExitStack, **asked: Any) -> None:
        super().__init__(stack, targets(), **asked)

    def chosen(self, section: str, cases: list[AttentionCase]) -> Iterator[AttentionCase]:
        """Those asked for."""
        return (case for case in cases if self.wants(f"{section}: {case.name}"))

    def against(
        self, case: AttentionCase, systems: dict[str, System], reference: bool = True
    ) -> Outcome | None:
        """The times of systems that all come to NumPy's results, or to the first one's."""
        first: dict[str, System] = {"numpy": self.worker("numpy")} if reference else {}
        if case.kind == "dropout":
            agreed = self.agree(case, first | systems, DROPOUT_TOLERANCE, zeros_and_scale)
        else:
            agreed = self.agree(case, first | systems, TOLERANCE)
        return take_turns(systems, self.rounds) if agreed else None

    def heading(self, text: str, peers: list[str] | None = None) -> None:
        """The title of a section whose rows are `beside`; all peers, if not told which."""
        names = [SYSTEMS[peer] for peer in (self.peers if peers is None else peers)]
        self.title = f"{text:<54}{'tinyseq':>18}" + "".join(f"{name:>18}" for name in names)
        self.title += f"{'of peak':>14}" + "".join(f"{'x ' + name:>14}" for name in names)

    def beside(
        self, case: AttentionCase, outcome: Outcome, figure: Callable[[float], float],
        keys: dict[str, list[str]],
    ) -> None:  # fmt: skip
        """Print and take down a case against the peers.

        Args:
            figure: from seconds to what the row shows.
            keys: for "peak" and each peer, the targets that the share or the ratio belongs to;
                without "peak" no share is shown.
        """
        told = ""
        for name in outcome.seconds:
            best, middle = figure(outcome.best(name)), figure(outcome.median(name))
            told += f"{f'{best:.1f} ({middle:.1f})':>18}"
        ours = outcome.best("c")
        share = case.flops / ours / self.peak if "peak" in keys else None
        told += (
            f"{'' if share is None else self._take_down(case, keys['peak'], share, '{:.0%}'):>14}"
        )
        for peer in outcome.seconds:
            if peer != "c":
                ratio = outcome.best(peer) / ours
                told += f"{self._take_down(case, keys.get(peer, []), ratio, '{:.2f}x'):>14}"
        self.say(case.name, told)
        for peer in outcome.seconds:
            for note in self.worker(peer).notes:
                print(f"  {note}", flush=True)

    def _take_down(self, case: AttentionCase, keys: list[str], figure: float, form: str) -> str:
        """How a figure is told, having been recorded for its targets."""
        told = [self.targets[key].record(case.name, figure) for key in keys]
        return told[0] if told else form.format(figure)
