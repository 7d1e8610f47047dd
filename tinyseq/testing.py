"""Checking gradients, the engine's and yours."""

from collections.abc import Callable
from typing import Any

import numpy as np

from tinyseq.autograd import Array, Tensor, grad
from tinyseq.autograd.tensor import to_array

__all__ = ["check_grads"]


def check_grads(
    fn: Callable[..., Any],
    *args: Any,
    order: int = 2,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-5,
) -> None:
    """Compare gradients with central differences, in float64::

        ∂L/∂x[i] ≈ (L(x + ε e_i) - L(x - ε e_i)) / 2ε

    where L weights every element of fn's results with a fixed random number. At order 2 the same is
    done to the gradient, weighted again.

    Args:
        fn: from Tensors to a Tensor or a tuple of them.
        args: Tensors or arrays of floats, taken in float64; fn is differentiated by all of them.
        order: how often to differentiate, 1 or more.
        eps: ε.
        atol, rtol: what may be between the two: atol + rtol |difference quotient|.

    Raises:
        AssertionError: naming the order, the argument and the element where they differ most.
    """
    arrays = [np.array(to_array(a), np.float64) for a in args]
    _check(_weighted(fn, 0), arrays, 1, order, eps, atol, rtol)


def _weighted(fn: Callable[..., Any], seed: int) -> Callable[..., Tensor]:
    """The sum of fn's results, each element times a random number that stays the same."""

    def scalar(*tensors: Tensor) -> Tensor:
        results = fn(*tensors)
        results = results if isinstance(results, tuple | list) else (results,)
        random = np.random.default_rng(seed)
        total = Tensor(np.zeros(()))
        for result in results:
            if result is not None:
                total = total + (result * random.uniform(0.5, 1.5, result.shape)).sum()
        return total

    return scalar


def _gradients(scalar: Callable[..., Tensor], create_graph: bool) -> Callable[..., tuple[Any, ...]]:
    def gradients(*tensors: Tensor) -> tuple[Any, ...]:
        result = scalar(*tensors)
        if not result.requires_grad:
            return (None,) * len(tensors)
        return grad(result, tensors, create_graph=create_graph, allow_unused=True)

    return gradients


def _check(
    scalar: Callable[..., Tensor],
    arrays: list[Array],
    now: int,
    order: int,
    eps: float,
    atol: float,
    rtol: float,
) -> None:
    found = _gradients(scalar, False)(*(Tensor(a, requires_grad=True) for a in arrays))
    for which, (array, gradient) in enumerate(zip(arrays, found, strict=True)):
        got = np.zeros_like(array) if gradient is None else gradient.data
        wanted = _central_differences(scalar, arrays, which, eps)
        excess = np.abs(got - wanted) - (atol + rtol * np.abs(wanted))
        if got.shape != array.shape or not (excess <= 0).all():
            worst = np.unravel_index(np.argmax(np.nan_to_num(excess, nan=np.inf)), array.shape)
            at = tuple(int(i) for i in worst)
            raise AssertionError(
                f"check_grads: order {now}, argument {which}, element {at}: the gradient says "
                f"{got[at]!r}, central differences {wanted[at]!r}"
            )
    if now < order:
        inner = _weighted(_gradients(scalar, True), now)
        _check(inner, arrays, now + 1, order, eps, atol, rtol)


def _central_differences(
    scalar: Callable[..., Tensor], arrays: list[Array], which: int, eps: float
) -> Array:
    quotients = np.zeros_like(arrays[which])
    for at in np.ndindex(quotients.shape):
        values = []
        for step in (eps, -eps):
            moved = [a.copy() for a in arrays]
            moved[which][at] += step
            # Inner gradients are taken on the way, so the arguments must require them.
            values.append(scalar(*(Tensor(a, requires_grad=True) for a in moved)).item())
        quotients[at] = (values[0] - values[1]) / (2 * eps)
    return quotients
