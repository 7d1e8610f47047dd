"""OneCycleLR: up, and then far down, while the momentum goes the other way."""

from __future__ import annotations

import math
from collections.abc import Sequence

from tinyseq.optim.fitting import below_one, not_negative, whole
from tinyseq.optim.optimizer import Group, Optimizer
from tinyseq.optim.scheduler import LRScheduler


class OneCycleLR(LRScheduler):
    """From a low rate up to the largest, then down to almost none, over total_steps steps.

    With p = pct_start, T = total_steps::

        step 0 -> p T - 1:      max_lr / div_factor  ->  max_lr
        step p T - 1 -> T - 1:  max_lr  ->  max_lr / div_factor / final_div_factor

    and, unless cycle_momentum is False, the momentum (Adam's β1) from max_momentum down to
    base_momentum and up again.

    Args:
        optimizer: whose rates; their values until now do not matter.
        max_lr: the largest rate, or one for each group.
        total_steps: T, at least 1.
        pct_start: p, from 0 to 1.
        anneal_strategy: "cos" or "linear": along half a cosine, or a straight line.
        cycle_momentum: whether to change the momentum.
        base_momentum: the lowest momentum.
        max_momentum: the largest.
        div_factor: max_lr over the first rate.
        final_div_factor: the first rate over the last.

    Raises ValueError when one is outside its range, or the optimizer has no momentum to change,
    and `step` when it is called more than total_steps times.

    Source: Smith and Topin, "Super-convergence", 2018, in two phases, as PyTorch has it.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        max_lr: float | Sequence[float],
        total_steps: int,
        *,
        pct_start: float = 0.3,
        anneal_strategy: str = "cos",
        cycle_momentum: bool = True,
        base_momentum: float = 0.85,
        max_momentum: float = 0.95,
        div_factor: float = 25.0,
        final_div_factor: float = 1e4,
    ) -> None:
        groups = optimizer.param_groups
        rates = list(max_lr) if isinstance(max_lr, Sequence) else [max_lr] * len(groups)
        if len(rates) != len(groups):
            raise ValueError(f"OneCycleLR: expected {len(groups)} rates, got {len(rates)}")
        largest = [not_negative("OneCycleLR", "max_lr", rate) for rate in rates]
        self.total_steps = whole("OneCycleLR", "total_steps", total_steps, least=1)
        if not 0 <= not_negative("OneCycleLR", "pct_start", pct_start) <= 1:
            raise ValueError(f"OneCycleLR: pct_start must be from 0 to 1, got {pct_start}")
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(
                f"OneCycleLR: anneal_strategy must be cos or linear, got {anneal_strategy!r}"
            )
        for name, factor in ("div_factor", div_factor), ("final_div_factor", final_div_factor):
            if not_negative("OneCycleLR", name, factor) == 0:
                raise ValueError(f"OneCycleLR: {name} must be above 0, got {factor}")
        low = below_one("OneCycleLR", "base_momentum", base_momentum)
        high = below_one("OneCycleLR", "max_momentum", max_momentum)
        if cycle_momentum and not all("betas" in g or g.get("momentum") for g in groups):
            raise ValueError(
                "OneCycleLR: the optimizer has no momentum; give it one, or cycle_momentum=False"
            )
        self.peak = pct_start * self.total_steps - 1  # the step of the largest rate
        self.cosine = anneal_strategy == "cos"
        self.momenta = (high, low, high) if cycle_momentum else None
        self.div_factor, self.final_div_factor = div_factor, final_div_factor
        for group, rate in zip(groups, largest, strict=True):
            group["initial_lr"] = rate / div_factor
        super().__init__(optimizer)

    def rates(self, step: int) -> list[float]:
        """See `LRScheduler.rates`."""
        return [
            self._at(step, first, first * self.div_factor, first / self.final_div_factor)
            for first in self.base_lrs
        ]

    def apply(self, step: int) -> None:
        """See `LRScheduler.apply`; sets the momentum too."""
        if step > self.total_steps:
            raise ValueError(f"OneCycleLR: is over after {self.total_steps} steps, got {step}")
        super().apply(step)
        if self.momenta is not None:
            for group in self.optimizer.param_groups:
                _set_momentum(group, self._at(step, *self.momenta))

    def _at(self, step: int, first: float, middle: float, last: float) -> float:
        """Where on the way from first by middle to last."""
        if step <= self.peak:
            return self._between(first, middle, step / self.peak if self.peak else 1.0)
        rest = self.total_steps - 1 - self.peak
        return self._between(middle, last, min((step - self.peak) / rest, 1.0) if rest else 1.0)

    def _between(self, a: float, b: float, share: float) -> float:
        if self.cosine:
            return b + (a - b) * (1 + math.cos(math.pi * share)) / 2
        return a + (b - a) * share


def _set_momentum(group: Group, value: float) -> None:
    if "betas" in group:
        group["betas"] = (value, group["betas"][1])
    else:
        group["momentum"] = value
