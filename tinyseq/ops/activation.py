"""Activations. Each is stable far out on both sides, and so are its derivatives."""

from typing import Any

import numpy as np

from tinyseq.autograd import Array, Tensor, op
from tinyseq.backend.quiet import quiet
from tinyseq.ops.creation import as_tensor
from tinyseq.ops.elementwise import gt, le, sigmoid, where
from tinyseq.ops.functions import clamp, expm1

__all__ = ["elu", "leaky_relu", "logsigmoid", "silu", "softplus"]

Grads = tuple[Any, ...]


@op
def _leaky_relu(x: Array, *, slope: float) -> Any:
    return np.where(x > 0, x, quiet.run(np.multiply, x, slope))


@_leaky_relu.vjp
def _(g: Tensor, y: Tensor, x: Tensor, *, slope: float) -> Grads:
    return (where(gt(x, 0), g, g * slope),)


def leaky_relu(x: Tensor, negative_slope: float = 0.01) -> Tensor:
    """x where it is positive, else negative_slope x."""
    return _leaky_relu(x, slope=negative_slope)


def elu(x: Tensor, alpha: float = 1.0) -> Tensor:
    """x where it is positive, else alpha (exp(x) - 1)."""
    x = as_tensor(x)
    # exp is kept from positive numbers: an infinity only hidden afterwards would come back as
    # NaN in the derivative.
    return where(le(x, 0), alpha * expm1(clamp(x, max=0)), x)


def silu(x: Tensor) -> Tensor:
    """x sigmoid(x), also called swish."""
    x = as_tensor(x)
    return x * sigmoid(x)


@op
def _softplus(x: Array, *, beta: float, threshold: float) -> Any:
    bx = quiet.run(np.multiply, x, beta)
    near = quiet.run(np.log1p, quiet.run(np.exp, np.minimum(bx, threshold)))
    return np.where(bx > threshold, x, near / beta)


@_softplus.vjp
def _(g: Tensor, y: Tensor, x: Tensor, *, beta: float, threshold: float) -> Grads:
    bx = x * beta
    return (where(gt(bx, threshold), g, g * sigmoid(bx)),)


def softplus(x: Tensor, beta: float = 1.0, threshold: float = 20.0) -> Tensor:
    """log(1 + exp(beta x)) / beta; x itself where beta x is above the threshold."""
    return _softplus(x, beta=beta, threshold=threshold)


@op
def logsigmoid(x: Array) -> Any:
    """log(1 / (1 + exp(-x))), without overflow on either side."""
    return np.minimum(x, 0) - np.log1p(np.exp(-np.abs(x)))


@logsigmoid.vjp
def _(g: Tensor, y: Tensor, x: Tensor) -> Grads:
    return (g * sigmoid(-x),)
