"""What tinyseq is meant to reach, and what was measured for it.

A section puts a figure into a row's `targets`, by a name below; what holds is told from the rows
alone, of this run or of a file.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from benchmarks.records import Row

PERCENT, TIMES = "{:.0%}", "{:.2f}x"
SHORT = 512  # attention no longer than this has a target of its own


@dataclass
class Target:
    """What is wanted, and the figures by the name of their row.

    Args:
        text: what is measured.
        at_least, at_most: the limit, one of them; neither where there is only something to know.
        form: how a figure is written.
        mean_of: the target whose figures' geometric mean this one is about.
    """

    text: str
    at_least: float | None = None
    at_most: float | None = None
    form: str = TIMES
    mean_of: str = ""
    measured: dict[str, float] = field(default_factory=dict)

    @property
    def wanted(self) -> str:
        """As the table shows it."""
        if self.at_least is not None:
            return ">= " + self.form.format(self.at_least)
        return "" if self.at_most is None else "<= " + self.form.format(self.at_most)

    def holds(self, figure: float) -> bool:
        """Whether a figure is as wanted."""
        if self.at_least is not None:
            return figure >= self.at_least
        return self.at_most is None or figure <= self.at_most

    @property
    def worst(self) -> str:
        """The name of the row that is furthest from what is wanted."""
        pick = max if self.at_least is None else min
        return pick(self.measured, key=self.measured.__getitem__)

    @property
    def missed(self) -> dict[str, float]:
        """Every figure that is not as wanted, the worst first."""
        found = {name: f for name, f in self.measured.items() if not self.holds(f)}
        return dict(sorted(found.items(), key=lambda item: item[1], reverse=self.at_least is None))


def share(text: str, at_least: float) -> Target:
    """A target in percent."""
    return Target(text, at_least=at_least, form=PERCENT)


def recurrent() -> dict[str, Target]:
    """Of RNN, LSTM and GRU."""
    return {
        "recurrent best": Target("speed against the best peer", at_least=1.0),
        "recurrent mean": Target("  its geometric mean", at_least=1.5, mean_of="recurrent best"),
        "recurrent torch": Target("speed against PyTorch"),
        "recurrent mean torch": Target(
            "  its geometric mean", at_least=2.0, mean_of="recurrent torch"
        ),
        "peak forward": share("of the peak, forward, H >= 256, B >= 32", 0.88),
        "peak train": share("of the peak, training, H >= 256, B >= 32", 0.85),
        "peak small": share("of the peak, training, small and long", 0.7),
        "step": Target("one step, B=1, D=H=256, the call with it", at_most=50, form="{:.1f} µs"),
        "growth": Target("growth over ten thousand steps", at_most=0.1, form="{:.2f} MB"),
        "layer_norm": share("layer_norm, of the plain speed", 0.7),
        "peephole": share("peephole, of the plain speed", 0.7),
        "recurrent_dropout": share("recurrent_dropout, of the plain speed", 0.7),
        "zoneout": share("zoneout, of the plain speed", 0.7),
        "half": Target("half the mean length, of the padded time", at_most=0.6, form=PERCENT),
        "decaying": Target("falling into denormals, of the time", at_most=1.05, form=PERCENT),
        "checkpoint_every": Target("checkpoints every √T, of the time without", form=PERCENT),
        "recurrent threads": Target("two threads against one, H >= 256, B >= 16", at_least=1.7),
        "numpy small": Target("C against NumPy, H <= 128", at_least=5.0),
        "numpy large": Target("C against NumPy, H > 128", at_least=2.0),
    }


def attention() -> dict[str, Target]:
    """Of attention and of the models made of it."""
    found: dict[str, Target] = {}
    for asked, word in (("forward", "forward"), ("train", "training")):
        for reach, at_least in ((f"T <= {SHORT}", 2.0), (f"T > {SHORT}", 1.3)):
            found[f"attention {asked} {reach}"] = Target(
                f"attention against PyTorch, {word}, {reach}", at_least=at_least
            )
            found[f"attention {asked} {reach} other"] = Target(
                f"  masks, heads, windows, lengths, {reach}", at_least=at_least
            )
        found[f"attention peak {asked}"] = share(f"attention, {word}, T >= 1024, of the peak", 0.7)
    return found | {
        "attention jax": Target("attention against JAX", at_least=1.0),
        "skip": Target("time over its share of the pairs of full", at_most=1.5),
        "layers": Target("norms, GELU, losses, dropout, the best peer", at_least=1.0),
        "gpt step": Target("a GPT's step against PyTorch", at_least=1.4),
        "gpt peak": share("the larger GPT's step, of the peak", 0.8),
        "gpt token": Target("a token of the larger GPT against PyTorch", at_least=3.0),
        "gpt memory": Target("memory of a GPT's step, of PyTorch's", at_most=1.0, form=PERCENT),
        "attention growth": Target("memory, T=16384 over T=4096 (linear: 4)", at_most=4.4),
        "attention threads": Target("two threads against one"),
    }


def engine() -> dict[str, Target]:
    """Of the cost of an op on hardly any numbers, and of the loop around the steps."""
    return {
        "op torch": Target("an op's cost, of PyTorch's", at_most=1.3),
        "op autograd": Target("an op's cost, of HIPS autograd's", at_most=1 / 3),
        "loop": share("the loop of training, of the bare steps' speed", 0.95),
    }


def judged(rows: Iterable[Row]) -> dict[str, dict[str, Target]]:
    """Every target with the rows' figures, by the family."""
    families = {
        "the recurrent layers": recurrent(), "attention and GPTs": attention(),
        "the engine": engine(),
    }  # fmt: skip
    for row in rows:
        name = row.name if row.threads == 1 else f"{row.name}, {row.threads} threads"
        for targets in families.values():
            for key in row.targets.keys() & targets.keys():
                targets[key].measured[name] = row.targets[key]
    for targets in families.values():
        for target in targets.values():
            if target.mean_of and (figures := list(targets[target.mean_of].measured.values())):
                target.measured[f"{len(figures)} rows"] = geometric_mean(figures)
    return families


def geometric_mean(values: list[float]) -> float:
    """Of ratios."""
    return math.exp(sum(map(math.log, values)) / len(values))
