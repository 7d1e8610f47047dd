"""Adagrad."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from tinyseq.autograd import Array
from tinyseq.optim.fitting import not_negative
from tinyseq.optim.optimizer import Group, Optimizer


class Adagrad(Optimizer):
    """Adagrad; with gradient g, weight decay λ, at step t::

        g ← g + λ p
        s ← s + g²
        p ← p - lr / (1 + (t - 1) η) · g / (sqrt(s) + ε)

    Args:
        parameters: the Tensors to change, or groups of them; see `Optimizer`.
        lr: learning rate.
        lr_decay: η.
        weight_decay: λ.
        initial_accumulator_value: what s begins with.
        eps: ε.

    Raises ValueError when a setting is negative.

    Source: Duchi, Hazan and Singer, "Adaptive subgradient methods for online learning and
    stochastic optimization", 2011, the diagonal variant.
    """

    memory = needed = ("sum",)

    def __init__(
        self,
        parameters: Iterable[Any],
        lr: float = 1e-2,
        lr_decay: float = 0.0,
        weight_decay: float = 0.0,
        initial_accumulator_value: float = 0.0,
        eps: float = 1e-10,
    ) -> None:
        super().__init__(
            parameters,
            {
                "lr": lr,
                "lr_decay": lr_decay,
                "weight_decay": weight_decay,
                "initial_accumulator_value": initial_accumulator_value,
                "eps": eps,
            },
        )

    def checked(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """See `Optimizer.checked`."""
        return {key: not_negative(self.name, key, settings[key]) for key in self.defaults}

    def update(
        self,
        group: Group,
        values: Sequence[Array],
        gradients: Sequence[Array],
        memories: Sequence[dict[str, Any]],
        step: int,
    ) -> None:
        """See `Optimizer.update`."""
        rate = group["lr"] / (1 + (step - 1) * group["lr_decay"])
        for p, g, memory in zip(values, gradients, memories, strict=True):
            if group["weight_decay"]:
                g = g + group["weight_decay"] * p
            if "sum" not in memory:
                memory["sum"] = np.full_like(p, group["initial_accumulator_value"])
            memory["sum"] += g * g
            p -= rate * g / (np.sqrt(memory["sum"]) + group["eps"])
