"""The learning rate along a run."""

from __future__ import annotations

import math
from typing import Any

from tinyseq.optim import Optimizer
from tinyseq.settings import Settings


def learning_rate(settings: Settings, step: int, steps: int) -> float:
    """lr at a step from 1 to ``steps``: a linear rise, then half a cosine down to a fiftieth."""
    rise = min(1.0, step / max(1.0, settings.warmup * steps))
    fall = 0.02 + 0.98 * 0.5 * (1.0 + math.cos(math.pi * (step - 1) / steps))
    return settings.lr * rise * fall


class Schedule:
    """Sets an optimizer's learning rate for the step to come, as `learning_rate` says."""

    def __init__(self, optimizer: Optimizer, settings: Settings, steps: int) -> None:
        self.optimizer, self.settings, self.steps = optimizer, settings, steps
        self._go_to(0)

    def _go_to(self, taken: int) -> None:
        self.taken = taken
        self.optimizer.lr = learning_rate(self.settings, taken + 1, self.steps)

    def step(self) -> None:
        """A step was taken."""
        self._go_to(self.taken + 1)

    def state_dict(self) -> dict[str, Any]:
        """How many were."""
        return {"taken": self.taken}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there."""
        self._go_to(int(state["taken"]))
