"""More functions of one number, and clamping between two."""

from typing import Any

import numpy as np

from tinyseq.autograd import Array, Tensor, op
from tinyseq.backend.quiet import quiet
from tinyseq.ops import elementwise
from tinyseq.ops.elementwise import _wants, eq, gt, square, where

__all__ = [
    "add", "clamp", "cos", "div", "expm1", "floor", "log1p", "round", "rsqrt", "sin", "sub", "tan",
]  # fmt: skip

Grads = tuple[Any, ...]


@op
def expm1(x: Array) -> Any:
    """exp(x) - 1, exact near 0 too."""
    return quiet.run(np.expm1, x)


@expm1.vjp
def _(g: Tensor, y: Tensor, x: Tensor) -> Grads:
    return (g * (y + 1),)


@op
def log1p(x: Array) -> Any:
    """log(1 + x), exact near 0 too; -inf at -1 and NaN below."""
    return quiet.run(np.log1p, x)


@log1p.vjp
def _(g: Tensor, y: Tensor, x: Tensor) -> Grads:
    return (g / (x + 1),)


@op
def rsqrt(x: Array) -> Any:
    """1 / √x; infinite at 0 and NaN below."""
    return quiet.run(np.reciprocal, quiet.run(np.sqrt, x))


@rsqrt.vjp
def _(g: Tensor, y: Tensor, x: Tensor) -> Grads:
    return (g * (-0.5 * y * y * y),)


@op
def sin(x: Array) -> Any:
    """The sine; NaN at the infinities."""
    return quiet.run(np.sin, x)


@sin.vjp
def _(g: Tensor, y: Tensor, x: Tensor) -> Grads:
    return (g * cos(x),)


@op
def cos(x: Array) -> Any:
    """The cosine; NaN at the infinities."""
    return quiet.run(np.cos, x)


@cos.vjp
def _(g: Tensor, y: Tensor, x: Tensor) -> Grads:
    return (g * -sin(x),)


@op
def tan(x: Array) -> Any:
    """The tangent; NaN at the infinities."""
    return quiet.run(np.tan, x)


@tan.vjp
def _(g: Tensor, y: Tensor, x: Tensor) -> Grads:
    return (g * (1 + square(y)),)


@op
def _clamp(x: Array, low: Any, high: Any) -> Any:
    y = x if low is None else np.maximum(x, low)
    return y if high is None else np.minimum(y, high)


@_clamp.vjp
def _(g: Tensor, y: Tensor, x: Tensor, low: Any, high: Any) -> Grads:
    # It goes to x where that was neither too small nor too large, else to the bound it met.
    # a > b says of truths: a, and not b.
    inside = eq(y, x)
    if low is not None and high is not None:
        inside = gt(inside, gt(low, high))
    beyond = where(inside, 0.0, g)
    by_low = where(eq(y, low), beyond, 0.0) if _wants(low) else None
    by_high = None
    if _wants(high):
        met = eq(y, high)
        by_high = where(met if low is None else gt(met, eq(y, low)), beyond, 0.0)
    return where(inside, g, 0.0) if _wants(x) else None, by_low, by_high


def clamp(x: Any, min: Any = None, max: Any = None) -> Tensor:
    """x, but no less than min and no more than max; max where min is larger.

    Args:
        x: any shape.
        min, max: numbers or Tensors broadcast with x; None for no bound.

    Returns:
        The broadcast shape. At a bound the gradient is x's, beyond it the bound's.

    Raises:
        ValueError: if neither bound is given.
    """
    if min is None and max is None:
        raise ValueError("clamp: expected min or max, got neither")
    return _clamp(x, min, max)


@op
def floor(x: Array) -> Any:
    """The largest whole number that is not above x, in x's dtype; a step, without a gradient."""
    return np.floor(x)


@op
def _round(x: Array, *, decimals: int) -> Any:
    return quiet.run(np.round, x, decimals)


def round(x: Any, decimals: int = 0) -> Tensor:
    """x to so many decimals, halves to the even neighbour; a step, without a gradient."""
    return _round(x, decimals=decimals)


def add(a: Any, b: Any, *, alpha: float = 1) -> Tensor:
    """a + alpha b."""
    return elementwise.add(a, b if alpha == 1 else elementwise.mul(b, alpha))


def sub(a: Any, b: Any, *, alpha: float = 1) -> Tensor:
    """a - alpha b."""
    return elementwise.sub(a, b if alpha == 1 else elementwise.mul(b, alpha))


@op
def _whole_div(a: Array, b: Array, *, mode: str) -> Any:
    if mode == "floor":
        return quiet.run(np.floor_divide, a, b)
    y = np.trunc(quiet.run(np.true_divide, a, b))
    whole = np.result_type(a, b)
    return y if whole.kind == "f" else y.astype(whole)


def div(a: Any, b: Any, *, rounding_mode: str | None = None) -> Tensor:
    """a / b; with "floor" or "trunc" rounded down or towards 0: a step, without a gradient.

    Raises:
        ValueError: for another rounding_mode.
    """
    if rounding_mode is None:
        return elementwise.div(a, b)
    if rounding_mode not in ("floor", "trunc"):
        raise ValueError(f"div: rounding_mode must be floor or trunc, got {rounding_mode!r}")
    return _whole_div(a, b, mode=rounding_mode)
