"""What the systems' training steps have in common."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.harness import Results

LEARNING_RATE, DECAY, CLIP = 1e-3, 0.1, 1.0
STEPS = 4  # whose losses are compared


def recorded(step: Callable[[], float]) -> Callable[[], Results]:
    """Take the first steps now; a function that takes one more and returns the first ones' losses.

    A call is then one step, and what it returns is what every system must agree on.
    """
    losses = np.array([step() for _ in range(STEPS)], np.float32)

    def once() -> Results:
        step()
        return [losses]

    return once


def updated(step: Callable[[], object], parameter: Callable[[], Any]) -> Callable[[], Results]:
    """Take the first steps of an optimizer now; a function that takes one more and returns what a
    parameter was after the first ones."""
    for _ in range(STEPS):
        step()
    results = [parameter()]

    def once() -> Results:
        step()
        return results

    return once
