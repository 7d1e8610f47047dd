"""Adam and AdamW."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np

from tinyseq import backend
from tinyseq.autograd import Array
from tinyseq.optim.fitting import below_one, not_negative
from tinyseq.optim.optimizer import Group, Optimizer


class Adam(Optimizer):
    """Adam; with gradient g, weight decay λ, at step t::

        g ← g + λ p
        m ← β1 m + (1 - β1) g
        v ← β2 v + (1 - β2) g²
        p ← p - lr / (1 - β1ᵗ) · m / (sqrt(v / (1 - β2ᵗ)) + ε)

    Args:
        parameters: the Tensors to change, or groups of them; see `Optimizer`.
        lr: learning rate.
        betas: β1 and β2, each from 0 up to but not 1.
        eps: ε.
        weight_decay: λ.

    Raises ValueError when a setting is outside its range.

    Source: Kingma and Ba, "Adam: a method for stochastic optimization", 2015, algorithm 1.
    """

    memory = needed = ("exp_avg", "exp_avg_sq")
    decoupled: ClassVar[bool] = False

    def __init__(
        self,
        parameters: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        defaults = {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay}
        super().__init__(parameters, defaults)

    def checked(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """See `Optimizer.checked`."""
        found: dict[str, Any] = {
            key: not_negative(self.name, key, settings[key])
            for key in ("lr", "eps", "weight_decay")
        }
        betas = settings["betas"]
        if not isinstance(betas, tuple | list) or len(betas) != 2:
            raise ValueError(f"{self.name}: betas must be two numbers, got {betas!r}")
        found["betas"] = tuple(below_one(self.name, "betas", beta) for beta in betas)
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
        if step == 1:
            for value, memory in zip(values, memories, strict=True):
                memory["exp_avg"], memory["exp_avg_sq"] = np.zeros_like(value), np.zeros_like(value)
        beta1, beta2 = group["betas"]
        backend.adam_(
            list(values),
            list(gradients),
            [memory["exp_avg"] for memory in memories],
            [memory["exp_avg_sq"] for memory in memories],
            lr=group["lr"],
            beta1=beta1,
            beta2=beta2,
            eps=group["eps"],
            weight_decay=group["weight_decay"],
            decoupled=self.decoupled,
            step=step,
        )


class AdamW(Adam):
    """Adam whose weight decay goes straight to the parameter, not through the averages::

        p ← p - lr λ p

    before Adam's own update with λ = 0.

    Args:
        parameters: the Tensors to change, or groups of them; see `Optimizer`.
        lr: learning rate.
        betas: β1 and β2.
        eps: ε.
        weight_decay: λ.

    Raises ValueError when a setting is outside its range.

    Source: Loshchilov and Hutter, "Decoupled weight decay regularization", 2019, algorithm 2.
    """

    decoupled = True

    def __init__(
        self,
        parameters: Iterable[Any],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
    ) -> None:
        super().__init__(parameters, lr, betas, eps, weight_decay)
