"""Optimizers: what changes the parameters once their gradients are there.

They hold one list of parameters and one set of settings; assign to ``lr`` for a schedule. The
numbers are PyTorch's, step for step.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tinyseq import backend
from tinyseq.autograd import Tensor

Array = NDArray[Any]


class Optimizer:
    """The parameters, the learning rate, and per parameter what a subclass remembers.

    Args:
        parameters: the Tensors to change, at least one.
        lr: the learning rate, not negative.

    Raises ValueError when there are no parameters, one of them was computed or lr is negative,
    TypeError when they are one Tensor instead of several, or one of them is no Tensor.
    """

    memory: tuple[str, ...] = ()  # names of the arrays kept per parameter

    def __init__(self, parameters: Iterable[Tensor], lr: float) -> None:
        name = type(self).__name__
        if isinstance(parameters, Tensor):  # it would fall into its rows, which no gradient reaches
            raise TypeError(f"{name}: expected several Tensors, got one; put it into a list")
        self.parameters = list(parameters)
        if not self.parameters:
            raise ValueError(f"{name}: expected parameters, got none")
        for parameter in self.parameters:
            if not isinstance(parameter, Tensor):
                raise TypeError(f"{name}: expected Tensors, got {type(parameter).__name__}")
            if not parameter.is_leaf:
                raise ValueError(f"{name}: expected leaves, got a Tensor that an operation made")
        self.lr = lr
        self._check(lr=lr)
        # Per parameter: how many steps it has taken and its arrays; empty before its first step.
        self._steps = [0] * len(self.parameters)
        self._state: list[dict[str, Array]] = [{} for _ in self.parameters]

    def _check(self, **settings: float) -> None:
        for key, value in settings.items():
            if not value >= 0:
                raise ValueError(f"{type(self).__name__}: {key} must not be negative, got {value}")

    def step(self) -> None:
        """Change, once, every parameter that has a gradient.

        Raises ValueError, before anything is changed, when a parameter's gradient or what is
        remembered of it has another shape than the parameter.
        """
        live = [i for i, p in enumerate(self.parameters) if p.grad is not None]
        for i in live:
            self._check_shapes(i)
        for i in live:
            self._steps[i] += 1
            for key in self.memory:
                if key not in self._state[i]:
                    self._state[i][key] = np.zeros_like(self.parameters[i].data)
        # Parameters that began together go together: one call to the kernel in all ordinary cases.
        for step in sorted({self._steps[i] for i in live}):
            self._update([i for i in live if self._steps[i] == step], step)

    def _check_shapes(self, i: int) -> None:
        """A kernel takes the parameter's size for that of all: it would write past the others."""
        shape, grad = self.parameters[i].shape, self.parameters[i].grad
        for name, array in (("grad", grad), *self._state[i].items()):
            if array is not None and array.shape != shape:
                raise ValueError(
                    f"{type(self).__name__}: parameter {i} is {shape}, its {name} {array.shape}"
                )

    def _update(self, which: list[int], step: int) -> None:
        """Change the parameters numbered ``which``, this being their step number ``step``."""
        raise NotImplementedError

    def _arrays(self, which: list[int]) -> tuple[list[Array], list[Array]]:
        """Values and gradients."""
        parameters = [self.parameters[i] for i in which]
        return [p.data for p in parameters], [p.grad.data for p in parameters if p.grad is not None]

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for parameter in self.parameters:
            parameter.grad = None

    def state_dict(self) -> dict[str, Any]:
        """lr, the steps taken and the arrays remembered (copies), in the parameters' order."""
        state = [{key: array.copy() for key, array in arrays.items()} for arrays in self._state]
        return {"lr": self.lr, "steps": list(self._steps), "state": state}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where another optimizer's `state_dict` was taken; all of it or, on an error, none.

        Raises ValueError when it was taken with other parameters or by another kind of optimizer.
        """
        name = type(self).__name__
        if not len(state["state"]) == len(state["steps"]) == len(self.parameters):
            raise ValueError(
                f"{name}.load_state_dict: expected {len(self.parameters)} parameters, "
                f"got {len(state['state'])}"
            )
        for i, (parameter, arrays) in enumerate(zip(self.parameters, state["state"], strict=True)):
            for key, array in arrays.items():
                if key not in self.memory or array.shape != parameter.shape:
                    raise ValueError(
                        f"{name}.load_state_dict: parameter {i} of shape {parameter.shape} "
                        f"cannot take {key} of shape {array.shape}"
                    )
        self.lr = state["lr"]
        self._steps = list(state["steps"])
        self._state = [
            {key: array.astype(p.dtype) for key, array in arrays.items()}
            for p, arrays in zip(self.parameters, state["state"], strict=True)
        ]


class SGD(Optimizer):
    """Stochastic gradient descent; with gradient g, weight decay λ, momentum μ, dampening τ::

        g ← g + λ p
        v ← μ v + (1 - τ) g        (at the first step v = g)
        p ← p - lr v               (Nesterov: p - lr (g + μ v);  μ = 0: p - lr g)

    Args:
        parameters: the Tensors to change.
        lr: learning rate.
        momentum: μ.
        dampening: τ.
        weight_decay: λ.
        nesterov: look one momentum step ahead; needs momentum and no dampening.

    Raises ValueError when a setting is negative or nesterov lacks what it needs.

    Source: Sutskever et al., "On the importance of initialization and momentum", 2013.
    """

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float = 1e-3,
        momentum: float = 0.0,
        dampening: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ) -> None:
        super().__init__(parameters, lr)
        self._check(momentum=momentum, weight_decay=weight_decay)
        if nesterov and (momentum <= 0 or dampening != 0):
            raise ValueError("SGD: nesterov needs a momentum above 0 and no dampening")
        self.momentum = momentum
        self.dampening = dampening
        self.weight_decay = weight_decay
        self.nesterov = nesterov
        if momentum:
            self.memory = ("momentum_buffer",)

    def _update(self, which: list[int], step: int) -> None:
        for i, p, g in zip(which, *self._arrays(which), strict=True):
            if self.weight_decay:
                g = g + self.weight_decay * p
            if self.momentum:
                v = self._state[i]["momentum_buffer"]
                v *= self.momentum
                v += g if step == 1 else (1 - self.dampening) * g
                g = g + self.momentum * v if self.nesterov else v
            p -= self.lr * g


class Adam(Optimizer):
    """Adam; with gradient g, weight decay λ, at step t::

        g ← g + λ p
        m ← β1 m + (1 - β1) g
        v ← β2 v + (1 - β2) g²
        p ← p - lr / (1 - β1ᵗ) · m / (sqrt(v / (1 - β2ᵗ)) + ε)

    Args:
        parameters: the Tensors to change.
        lr: learning rate.
        betas: β1 and β2, each from 0 up to but not 1.
        eps: ε.
        weight_decay: λ.

    Raises ValueError when a setting is outside its range.

    Source: Kingma and Ba, "Adam: a method for stochastic optimization", 2015, algorithm 1.
    """

    memory = ("exp_avg", "exp_avg_sq")
    decoupled: ClassVar[bool] = False

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr)
        self._check(eps=eps, weight_decay=weight_decay)
        if not all(0.0 <= beta < 1.0 for beta in betas):
            raise ValueError(f"{type(self).__name__}: betas must be from 0 below 1, got {betas}")
        self.betas = betas
        self.eps = eps
        self.weight_decay = weight_decay

    def _update(self, which: list[int], step: int) -> None:
        values, gradients = self._arrays(which)
        backend.adam_(
            values,
            gradients,
            [self._state[i]["exp_avg"] for i in which],
            [self._state[i]["exp_avg_sq"] for i in which],
            lr=self.lr,
            beta1=self.betas[0],
            beta2=self.betas[1],
            eps=self.eps,
            weight_decay=self.weight_decay,
            decoupled=self.decoupled,
            step=step,
        )


class AdamW(Adam):
    """Adam whose weight decay goes straight to the parameter, not through the averages::

        p ← p - lr λ p

    before Adam's own update with λ = 0.

    Args:
        parameters: the Tensors to change.
        lr: learning rate.
        betas: β1 and β2.
        eps: ε.
        weight_decay: λ.

    Source: Loshchilov and Hutter, "Decoupled weight decay regularization", 2019, algorithm 2.
    """

    decoupled = True

    def __init__(
        self,
        parameters: Iterable[Tensor],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
    ) -> None:
        super().__init__(parameters, lr, betas, eps, weight_decay)
