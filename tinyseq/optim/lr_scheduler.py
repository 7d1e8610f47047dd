"""Learning rates that change as training goes on, by PyTorch's names and numbers.

Each is one function of the number of steps, so that a run may begin anywhere in it. Warm-up before
a cosine is two of them, one after the other::

    warm = LinearLR(optimizer, start_factor=0.01, total_iters=100)
    cosine = CosineAnnealingLR(optimizer, T_max=900)
    scheduler = SequentialLR(optimizer, [warm, cosine], milestones=[100])
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tinyseq.optim.fitting import finite, not_negative, whole
from tinyseq.optim.one_cycle import OneCycleLR
from tinyseq.optim.optimizer import Optimizer
from tinyseq.optim.plateau import ReduceLROnPlateau
from tinyseq.optim.scheduler import LRScheduler, check_keys

__all__ = [
    "ConstantLR",
    "CosineAnnealingLR",
    "LRScheduler",
    "LambdaLR",
    "LinearLR",
    "OneCycleLR",
    "ReduceLROnPlateau",
    "SequentialLR",
    "StepLR",
]

Factor = Callable[[int], float]


class LambdaLR(LRScheduler):
    """The first rate times a function of the step: lr_t = lr_0 f(t).

    Args:
        optimizer: whose rates.
        lr_lambda: f, or one for each group. A state does not hold it.

    Raises ValueError when there is not one for each group.
    """

    def __init__(self, optimizer: Optimizer, lr_lambda: Factor | Sequence[Factor]) -> None:
        groups = len(optimizer.param_groups)
        self.factors = [lr_lambda] * groups if callable(lr_lambda) else list(lr_lambda)
        if len(self.factors) != groups:
            raise ValueError(f"LambdaLR: expected {groups} functions, got {len(self.factors)}")
        super().__init__(optimizer)

    def rates(self, step: int) -> list[float]:
        """See `LRScheduler.rates`."""
        return [lr * f(step) for lr, f in zip(self.base_lrs, self.factors, strict=True)]


class ConstantLR(LRScheduler):
    """The first rate times a factor for some steps, then the first rate.

    Args:
        optimizer: whose rates.
        factor: from 0 to 1.
        total_iters: how many steps; with a factor of 1 the rate is constant throughout.

    Raises ValueError when one is outside its range.
    """

    def __init__(self, optimizer: Optimizer, factor: float = 1.0 / 3, total_iters: int = 5) -> None:
        self.factor = _share("ConstantLR", "factor", factor)
        self.total_iters = whole("ConstantLR", "total_iters", total_iters)
        super().__init__(optimizer)

    def rates(self, step: int) -> list[float]:
        """See `LRScheduler.rates`."""
        return [lr * (self.factor if step < self.total_iters else 1.0) for lr in self.base_lrs]


class LinearLR(LRScheduler):
    """The first rate times a factor that goes in a straight line, then stays.

    Args:
        optimizer: whose rates.
        start_factor: the factor at step 0, above 0 and at most 1.
        end_factor: the factor from step total_iters on, from 0 to 1.
        total_iters: how many steps the line takes.

    Raises ValueError when one is outside its range.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        start_factor: float = 1.0 / 3,
        end_factor: float = 1.0,
        total_iters: int = 5,
    ) -> None:
        self.start_factor = _share("LinearLR", "start_factor", start_factor)
        if self.start_factor == 0:
            raise ValueError("LinearLR: start_factor must be above 0, got 0")
        self.end_factor = _share("LinearLR", "end_factor", end_factor)
        self.total_iters = whole("LinearLR", "total_iters", total_iters, least=1)
        super().__init__(optimizer)

    def rates(self, step: int) -> list[float]:
        """See `LRScheduler.rates`."""
        done = min(step / self.total_iters, 1.0)
        factor = self.start_factor + (self.end_factor - self.start_factor) * done
        return [lr * factor for lr in self.base_lrs]


class StepLR(LRScheduler):
    """The rate falls, all at once, every so many steps: lr_t = lr_0 γ^⌊t / step_size⌋.

    Args:
        optimizer: whose rates.
        step_size: steps from one fall to the next, at least 1.
        gamma: γ, not negative.

    Raises ValueError when one is outside its range.
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1) -> None:
        self.step_size = whole("StepLR", "step_size", step_size, least=1)
        self.gamma = not_negative("StepLR", "gamma", gamma)
        super().__init__(optimizer)

    def rates(self, step: int) -> list[float]:
        """See `LRScheduler.rates`."""
        return [lr * self.gamma ** (step // self.step_size) for lr in self.base_lrs]


class CosineAnnealingLR(LRScheduler):
    """Down along half a cosine, and after T_max steps up again::

        lr_t = η + (lr_0 - η) (1 + cos(π t / T_max)) / 2

    Args:
        optimizer: whose rates.
        T_max: steps down, at least 1.
        eta_min: η, the lowest rate.

    Raises ValueError when one is outside its range.

    Source: Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", 2017,
    without the restarts.
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0) -> None:
        self.T_max = whole("CosineAnnealingLR", "T_max", T_max, least=1)
        self.eta_min = not_negative("CosineAnnealingLR", "eta_min", eta_min)
        super().__init__(optimizer)

    def rates(self, step: int) -> list[float]:
        """See `LRScheduler.rates`."""
        height = (1 + math.cos(math.pi * step / self.T_max)) / 2
        return [self.eta_min + (lr - self.eta_min) * height for lr in self.base_lrs]


class SequentialLR(LRScheduler):
    """One scheduler after the other, each from its own beginning.

    Args:
        optimizer: whose rates.
        schedulers: of this optimizer, at least one.
        milestones: the steps, rising, at which the second and those after it begin.

    Raises ValueError when the milestones do not rise or are not one fewer than the schedulers, or
    one of these is of another optimizer or needs a measure.
    """

    def __init__(
        self, optimizer: Optimizer, schedulers: Sequence[LRScheduler], milestones: Sequence[int]
    ) -> None:
        for scheduler in schedulers:
            if not isinstance(scheduler, LRScheduler):
                raise ValueError(f"SequentialLR: cannot take a {type(scheduler).__name__}")
            if scheduler.optimizer is not optimizer:
                raise ValueError("SequentialLR: expected schedulers of its own optimizer")
        if not schedulers or len(milestones) != len(schedulers) - 1:
            raise ValueError(
                f"SequentialLR: expected one milestone fewer than schedulers, "
                f"got {len(milestones)} and {len(schedulers)}"
            )
        self.schedulers = list(schedulers)
        self.starts = [0, *(whole("SequentialLR", "milestones", m, least=1) for m in milestones)]
        if any(a >= b for a, b in zip(self.starts, self.starts[1:], strict=False)):
            raise ValueError(f"SequentialLR: milestones must rise, got {list(milestones)}")
        super().__init__(optimizer)

    def apply(self, step: int) -> None:
        """See `LRScheduler.apply`."""
        which = bisect_right(self.starts, step) - 1
        self.schedulers[which].apply(step - self.starts[which])

    def state_dict(self) -> dict[str, Any]:
        """See `LRScheduler.state_dict`; with those of the schedulers."""
        return super().state_dict() | {"schedulers": [s.state_dict() for s in self.schedulers]}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """See `LRScheduler.load_state_dict`."""
        where = "SequentialLR.load_state_dict"
        check_keys(where, state, ("last_epoch", "base_lrs", "schedulers"))
        parts, before = state["schedulers"], [s.state_dict() for s in self.schedulers]
        if not isinstance(parts, list) or len(parts) != len(before):
            raise ValueError(f"{where}: expected {len(before)} schedulers, got {parts!r}")
        try:
            for scheduler, part in zip(self.schedulers, parts, strict=True):
                scheduler.load_state_dict(part)
            super().load_state_dict({k: v for k, v in state.items() if k != "schedulers"})
        except ValueError:
            for scheduler, part in zip(self.schedulers, before, strict=True):
                scheduler.load_state_dict(part)
            raise


def _share(where: str, name: str, value: float) -> float:
    if not 0 <= finite(where, name, value) <= 1:
        raise ValueError(f"{where}: {name} must be from 0 to 1, got {value}")
    return float(value)
