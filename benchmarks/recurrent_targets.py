"""The targets of the recurrent layers."""

from __future__ import annotations

from benchmarks.cases import RECURRENT_SHAPES, Case
from benchmarks.report import PERCENT, Target, share


def targets() -> dict[str, Target]:
    """All of them, with nothing measured yet."""
    return {
        "best": Target("speed against the best peer", at_least=1.0),
        "mean best": Target("  its geometric mean", at_least=1.5),
        "torch": Target("speed against PyTorch"),
        "mean torch": Target("  its geometric mean", at_least=2.0),
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
        "decaying": Target(
            "falling into denormals, of the time without", at_most=1.05, form=PERCENT
        ),
        "checkpoint_every": Target("checkpoints every √T, of the time without", form=PERCENT),
        "threads": Target("two threads against one, H >= 256, B >= 16", at_least=1.7),
        "numpy small": Target("C against NumPy, H <= 128", at_least=5.0),
        "numpy large": Target("C against NumPy, H > 128", at_least=2.0),
    }


def peak_target(case: Case) -> str | None:
    """Which share of the peak is wanted of a case, if any is."""
    _, B, _, H = case.shape
    if H >= 256 and B >= 32:
        return f"peak {case.asked}"
    return "peak small" if case.asked == "train" and case.shape in RECURRENT_SHAPES else None
