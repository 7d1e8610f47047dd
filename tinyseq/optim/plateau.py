"""ReduceLROnPlateau: a lower rate when nothing gets better any more."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from tinyseq.optim.fitting import finite, not_negative, whole
from tinyseq.optim.optimizer import Optimizer
from tinyseq.optim.scheduler import check_keys


class ReduceLROnPlateau:
    """Multiply the rates by a factor once a measure has not become better for a while.

    Better is, with mode "min" ("max" the other way round), below the best · (1 - threshold), or
    below the best - threshold with threshold_mode "abs". What is not finite is never better.

    Args:
        optimizer: whose rates.
        mode: "min" or "max": whether less or more is better.
        factor: from 0 up to but not 1.
        patience: how many measures in a row may be no better; the next one after them reduces.
        threshold: by how much a measure has to be better.
        threshold_mode: "rel" or "abs": whether that is a share of the best or a distance.
        cooldown: how many measures after a reduction do not count.
        min_lr: rates do not fall below it.
        eps: a rate that would fall by less stays.

    Raises ValueError when one is outside its range.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        mode: str = "min",
        factor: float = 0.1,
        patience: int = 10,
        threshold: float = 1e-4,
        threshold_mode: str = "rel",
        cooldown: int = 0,
        min_lr: float = 0.0,
        eps: float = 1e-8,
    ) -> None:
        name = "ReduceLROnPlateau"
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{name}: expected an Optimizer, got {type(optimizer).__name__}")
        if mode not in ("min", "max"):
            raise ValueError(f"{name}: mode must be min or max, got {mode!r}")
        if threshold_mode not in ("rel", "abs"):
            raise ValueError(f"{name}: threshold_mode must be rel or abs, got {threshold_mode!r}")
        if not_negative(name, "factor", factor) >= 1:
            raise ValueError(f"{name}: factor must be below 1, got {factor}")
        self.optimizer, self.mode, self.threshold_mode = optimizer, mode, threshold_mode
        self.factor = factor
        self.threshold = not_negative(name, "threshold", threshold)
        self.min_lr, self.eps = not_negative(name, "min_lr", min_lr), not_negative(name, "eps", eps)
        self.patience = whole(name, "patience", patience)
        self.cooldown = whole(name, "cooldown", cooldown)
        self.best: float | None = None
        self.num_bad_epochs = self.cooldown_counter = self.last_epoch = 0

    def step(self, metrics: float) -> None:
        """Take a measure into account.

        Args:
            metrics: one number, as a Tensor too.
        """
        current = float(metrics)
        self.last_epoch += 1
        if self._better(current):
            self.best, self.num_bad_epochs = current, 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self._reduce()
            self.cooldown_counter, self.num_bad_epochs = self.cooldown, 0

    def _better(self, current: float) -> bool:
        if self.best is None or not math.isfinite(current):
            return math.isfinite(current)
        margin = self.threshold * (self.best if self.threshold_mode == "rel" else 1.0)
        return current < self.best - margin if self.mode == "min" else current > self.best + margin

    def _reduce(self) -> None:
        for group in self.optimizer.param_groups:
            lower = max(group["lr"] * self.factor, self.min_lr)
            if group["lr"] - lower > self.eps:
                group["lr"] = lower

    def get_last_lr(self) -> list[float]:
        """The learning rate of each group as it is now."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """The best measure and the counts, as JSON has them; settings are the constructor's."""
        return {
            "best": self.best,
            "num_bad_epochs": self.num_bad_epochs,
            "cooldown_counter": self.cooldown_counter,
            "last_epoch": self.last_epoch,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where another one was; rates are the optimizer's state.

        Raises ValueError, and changes nothing, when it does not fit.
        """
        where = "ReduceLROnPlateau.load_state_dict"
        counts = ("num_bad_epochs", "cooldown_counter", "last_epoch")
        check_keys(where, state, ("best", *counts))
        best = state["best"]
        found = [whole(where, name, state[name]) for name in counts]
        self.best = None if best is None else finite(where, "best", best)
        self.num_bad_epochs, self.cooldown_counter, self.last_epoch = found
