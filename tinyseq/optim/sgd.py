"""Stochastic gradient descent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tinyseq.autograd import Array
from tinyseq.optim.fitting import finite, not_negative, yes_or_no
from tinyseq.optim.optimizer import Group, Optimizer


class SGD(Optimizer):
    """Stochastic gradient descent; with gradient g, weight decay λ, momentum μ, dampening τ::

        g ← g + λ p
        v ← μ v + (1 - τ) g        (at the first step v = g)
        p ← p - lr v               (Nesterov: p - lr (g + μ v);  μ = 0: p - lr g)

    Args:
        parameters: the Tensors to change, or groups of them; see `Optimizer`.
        lr: learning rate.
        momentum: μ.
        dampening: τ.
        weight_decay: λ.
        nesterov: look one momentum step ahead; needs momentum and no dampening.

    Raises ValueError when a setting is negative (dampening may be) or nesterov lacks what it needs.

    Source: Sutskever et al., "On the importance of initialization and momentum", 2013.
    """

    memory = ("momentum_buffer",)

    def __init__(
        self,
        parameters: Iterable[Any],
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ) -> None:
        super().__init__(
            parameters,
            {
                "lr": lr,
                "momentum": momentum,
                "dampening": dampening,
                "weight_decay": weight_decay,
                "nesterov": nesterov,
            },
        )

    def checked(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """See `Optimizer.checked`."""
        found: dict[str, Any] = {
            key: not_negative(self.name, key, settings[key])
            for key in ("lr", "momentum", "weight_decay")
        }
        found["dampening"] = finite(self.name, "dampening", settings["dampening"])
        found["nesterov"] = yes_or_no(self.name, "nesterov", settings["nesterov"])
        if found["nesterov"] and (found["momentum"] == 0 or found["dampening"] != 0):
            raise ValueError("SGD: nesterov needs a momentum above 0 and no dampening")
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
        momentum = group["momentum"]
        for p, g, memory in zip(values, gradients, memories, strict=True):
            if group["weight_decay"]:
                g = g + group["weight_decay"] * p
            if momentum:
                v = memory.get("momentum_buffer")
                if v is None:
                    v = memory["momentum_buffer"] = g.astype(p.dtype)
                else:
                    v *= momentum
                    v += (1 - group["dampening"]) * g
                g = g + momentum * v if group["nesterov"] else v
            p -= group["lr"] * g
