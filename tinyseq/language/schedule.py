"""The learning rate along a run."""

from __future__ import annotations

import math

from tinyseq.settings import Settings


def share(settings: Settings, step: int, steps: int) -> float:
    """Of the highest rate, at a step from 1: a linear rise, then half a cosine to a fiftieth."""
    rise = min(1.0, step / max(1.0, settings.warmup * steps))
    fall = 0.02 + 0.98 * 0.5 * (1.0 + math.cos(math.pi * (step - 1) / steps))
    return rise * fall


def learning_rate(settings: Settings, step: int, steps: int) -> float:
    """The rate at a step from 1 to ``steps``."""
    return settings.lr * share(settings, step, steps)
