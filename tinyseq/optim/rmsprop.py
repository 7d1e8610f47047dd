"""RMSprop."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from tinyseq.autograd import Array
from tinyseq.optim.fitting import not_negative, yes_or_no
from tinyseq.optim.optimizer import Group, Optimizer


class RMSprop(Optimizer):
    """RMSprop; with gradient g, weight decay λ, momentum μ::

        g ← g + λ p
        s ← α s + (1 - α) g²
        a ← α a + (1 - α) g         (centered; else a = 0)
        d = g / (sqrt(s - a²) + ε)
        b ← μ b + d                 (μ = 0: b = d)
        p ← p - lr b

    s - a², which only rounding can make negative, counts as 0 then.

    Args:
        parameters: the Tensors to change, or groups of them; see `Optimizer`.
        lr: learning rate.
        alpha: α, how much of the average stays at each step.
        eps: ε.
        weight_decay: λ.
        momentum: μ.
        centered: whether to divide by the deviation instead of the root of the mean square.

    Raises ValueError when a setting is negative.

    Source: Hinton's lecture 6e on neural networks, 2012; centered: Graves, "Generating sequences
    with recurrent neural networks", 2013, with ε outside the root as in PyTorch.
    """

    memory = ("square_avg", "grad_avg", "momentum_buffer")
    needed = ("square_avg",)

    def __init__(
        self,
        parameters: Iterable[Any],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
        centered: bool = False,
    ) -> None:
        super().__init__(
            parameters,
            {
                "lr": lr,
                "alpha": alpha,
                "eps": eps,
                "weight_decay": weight_decay,
                "momentum": momentum,
                "centered": centered,
            },
        )

    def checked(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """See `Optimizer.checked`."""
        found: dict[str, Any] = {
            key: not_negative(self.name, key, settings[key])
            for key in ("lr", "alpha", "eps", "weight_decay", "momentum")
        }
        found["centered"] = yes_or_no(self.name, "centered", settings["centered"])
        return found

    def update(
        self,
        group: Group,
        values: Sequence[Array],
        gradients: Sequence[Array],
        memories: Sequence[dict[str, Any]],
        step: int,
    ) -> None:
        """See `Optimizer.update`."""
        alpha, momentum = group["alpha"], group["momentum"]
        for p, g, memory in zip(values, gradients, memories, strict=True):
            if group["weight_decay"]:
                g = g + group["weight_decay"] * p
            square = _kept(memory, "square_avg", p)
            square *= alpha
            square += (1 - alpha) * g * g
            spread = square
            if group["centered"]:
                mean = _kept(memory, "grad_avg", p)
                mean += (1 - alpha) * (g - mean)
                spread = np.maximum(square - mean * mean, 0)
            change = g / (np.sqrt(spread) + group["eps"])
            if momentum:
                buffer = _kept(memory, "momentum_buffer", p)
                buffer *= momentum
                buffer += change
                change = buffer
            p -= group["lr"] * change


def _kept(memory: dict[str, Any], key: str, like: Array) -> Array:
    """The array kept under a name; zeros before there is one."""
    if key not in memory:
        memory[key] = np.zeros_like(like)
    array: Array = memory[key]
    return array
