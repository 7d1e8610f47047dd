"""What the tables say: names, means, and targets with what was measured for them."""

from __future__ import annotations

import math
import platform
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

SYSTEMS = {
    "c": "tinyseq, C",
    "numpy": "tinyseq, NumPy",
    "torch": "PyTorch",
    "jax": "JAX",
    "tensorflow": "TensorFlow",
}
PEERS = ("torch", "jax", "tensorflow")
PERCENT = "{:.0%}"


def processor() -> str:
    """Its name, where Linux tells."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.machine()


def geometric_mean(values: list[float]) -> float:
    """Of ratios."""
    return math.exp(sum(map(math.log, values)) / len(values))


@dataclass
class Target:
    """What is wanted, and what was measured for it, by the name of the case.

    Args:
        text: what is measured.
        at_least, at_most: the limit, one of them; neither where there is only something to know.
        form: how a figure is written.
    """

    text: str
    at_least: float | None = None
    at_most: float | None = None
    form: str = "{:.2f}x"
    measured: dict[str, float] = field(default_factory=dict)

    @property
    def wanted(self) -> str:
        """As the table shows it."""
        if self.at_least is not None:
            return ">= " + self.form.format(self.at_least)
        return "" if self.at_most is None else "<= " + self.form.format(self.at_most)

    def unjudged(self) -> Target:
        """The same without its limit."""
        return Target(self.text, form=self.form)

    def holds(self, figure: float) -> bool:
        """Whether a figure is as wanted."""
        if self.at_least is not None:
            return figure >= self.at_least
        return self.at_most is None or figure <= self.at_most

    def record(self, case: str, figure: float) -> str:
        """Take a figure down; how it is told in the case's own row."""
        self.measured[case] = figure
        return self.form.format(figure) + ("" if self.holds(figure) else " missed")

    def rows(self) -> Iterator[str]:
        """The target's line, and one for each case in which it does not hold."""
        if not self.measured:
            yield f"{self.text:<50}{self.wanted:>11}   not measured"
            return
        worst = (max if self.at_least is None else min)(
            self.measured, key=self.measured.__getitem__
        )
        missed = {case: figure for case, figure in self.measured.items() if not self.holds(figure)}
        share = f"{len(self.measured) - len(missed)} of {len(self.measured)}" if self.wanted else ""
        figure = self.form.format(self.measured[worst])
        yield f"{self.text:<50}{self.wanted:>11}{figure:>11}{share:>11}   {worst}"
        for case in sorted(missed.keys() - {worst}):
            yield f"{'':<50}{'missed':>11}{self.form.format(missed[case]):>11}{'':>11}   {case}"


def share(text: str, at_least: float) -> Target:
    """A target in percent."""
    return Target(text, at_least=at_least, form=PERCENT)
