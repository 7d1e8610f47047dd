"""Ops that work element by element, with NumPy's broadcasting."""

from typing import Any

import numpy as np
import numpy.typing as npt

from tinyseq import backend
from tinyseq.autograd import Array, Tensor, op
from tinyseq.autograd.broadcast import add, cast
from tinyseq.backend.quiet import quiet

__all__ = [
    "abs", "add", "bitwise_and", "bitwise_not", "bitwise_or", "bitwise_xor", "cast", "div", "eq",
    "exp", "ge", "gt", "le", "log", "lt", "maximum", "minimum", "mul", "ne", "neg", "pow",
    "reciprocal", "relu", "sigmoid", "sign", "sqrt", "square", "sub", "tanh", "to", "where",
]  # fmt: skip

Grads = tuple[Any, ...]

ONE = np.ones((), np.float32)  # NumPy takes twice the time for a Python number


def _wants(x: Any) -> bool:
    """Whether a gradient is to go to x, so that work for a number or a constant is saved."""
    return isinstance(x, Tensor) and x.requires_grad


@op
def neg(x: Array) -> Any:
    """-x."""
    return -x


@neg.vjp
def _(g: Tensor, y: Tensor, x: Tensor) -> Grads:
    return (-g,)


@op
def sub(a: Array, b: Array) -> Any:
    """a - b."""
    return quiet.run(np.subtract, a, b)


@sub.vjp
def _(g: Tensor, y: Tensor, a: Tensor, b: Tensor) -> Grads:
    return g, -g if _wants(b) else None


@op
def mul(a: Array, b: Array) -> Any:
    """a b."""
    return quiet.run(np.multiply, a, b)


@mul.vjp
def _(g: Tensor, y: Tensor, a: Tensor, b: Tensor) -> Grads:
    return g * b if _wants(a) else None, g * a if _wants(b) else None


@op
def div(a: Array, b: Array) -> Any:
    """a / b; a division by zero gives an infinity or NaN, and no warning."""
    return quiet.run(np.true_divide, a, b)


@div.vjp
def _(g: Tensor, y: Tensor, a: Tensor, b: Tensor) -> Grads:
    return g / b if _wants(a) else None, -g * y / b if _wants(b) else None


@op
def pow(a: Array, b: Array) -> Any:
    """a to the power of b."""
    return quiet.run(np.power, a, b)


@pow.vjp
def _(g: Tensor, y: Tensor, a: Tensor, b: Tensor) -> Grads:
    # d/da = b a^(b-1), d/db = y log a. At a = b = 0 both are taken as 0, by changing what goes
    # into them: an infinity only hidden afterwards would come back in the next derivative.
    by_a = by_b = None
    if _wants(a):
        if isinstance(b, Tensor):
            by_a = g * (b * pow(a, where(mul(eq(a, 0), eq(b, 0)), 0.0, b - 1)))
        else:
            by_a = g * (b * pow(a, b - 1)) if b else g * 0.0
    if _wants(b):
        base = to(a, y.dtype) if isinstance(a, Tensor) else Tensor(np.asarray(a, y.dtype))
        by_b = g * y * log(where(mul(eq(base, 0), ge(b, 0)), 1.0, base))
    return by_a, by_b


@op
def square(x: Array) -> Any:
    """x²."""
    return quiet.run(np.multiply, x, x)


@square.vjp
def _(g: Tensor, y: Tensor, x: Tensor) -> Grads:
    return (2 * g * x,)


@op
def sqrt(x: Array) -> Any:
    """The square root; NaN for negative numbers."""
    return quiet.run(np.sqrt, x)


@sqrt.vjp
def _(g: Tensor, y: Tensor, x: Tensor) -> Grads:
    return (g / (2 * y),)


@op
def reciprocal(x: Array) -> Any:
    """1 / x."""
    return quiet.run(np.true_divide, 1, x)


@reciprocal.vjp
def _(g: Tensor, y: Tensor, x: Tensor) -> Grads:
    return (-g * y * y,)


@op
def exp(x: Array) -> Any:
    """e to the x."""
    return backend.exp(x)


@exp.vjp
def _(g: Tensor, y: Tensor, x: Tensor) -> Grads:
    return (g * y,)


@op
def log(x: Array) -> Any:
    """The natural logarithm; -inf at 0 and NaN below."""
    return quiet.run(np.log, x)


@log.vjp
def _(g: Tensor, y: Tensor, x: Tensor) -> Grads:
    return (g / x,)


@op
def tanh(x: Array) -> Any:
    """The hyperbolic tangent."""
    return backend.tanh(x)


@tanh.vjp
def _(g: Tensor, y: Tensor, x: Tensor) -> Grads:
    return (tanh_share(g, y),)


@op
def tanh_share(g: Array, y: Array) -> Any:
    """g (1 - y²), what tanh hands on of a gradient; one op, for every step of a recurrence pays."""
    return g * (ONE - y * y)  # only rules call this, and in a walk NumPy is quiet already


@tanh_share.vjp
def _(h: Tensor, share: Tensor, g: Tensor, y: Tensor) -> Grads:
    return tanh_share(h, y) if _wants(g) else None, -2 * h * g * y if _wants(y) else None


@op
def sigmoid(x: Array) -> Any:
    """1 / (1 + exp(-x))."""
    return backend.sigmoid(x)


@sigmoid.vjp
def _(g: Tensor, y: Tensor, x: Tensor) -> Grads:
    return (g * y * (1 - y),)


@op
def relu(x: Array) -> Any:
    """max(x, 0); the gradient at 0 is 0."""
    return np.maximum(x, 0)


@relu.vjp
def _(g: Tensor, y: Tensor, x: Tensor) -> Grads:
    return (where(le(y, 0), 0.0, g),)  # 0 even of an infinite g: sqrt(relu(x)) has a derivative


@op
def abs(x: Array) -> Any:
    """|x|; the gradient at 0 is 0."""
    return np.abs(x)


@abs.vjp
def _(g: Tensor, y: Tensor, x: Tensor) -> Grads:
    return (g * sign(x.detach()),)


@op
def maximum(a: Array, b: Array) -> Any:
    """The larger of the two, NaN if either is; at a tie each gets half of the gradient."""
    return np.maximum(a, b)


@maximum.vjp
def _(g: Tensor, y: Tensor, a: Tensor, b: Tensor) -> Grads:
    return _share(g, a, b, lt), _share(g, b, a, lt)


@op
def minimum(a: Array, b: Array) -> Any:
    """The smaller of the two, NaN if either is; at a tie each gets half of the gradient."""
    return np.minimum(a, b)


@minimum.vjp
def _(g: Tensor, y: Tensor, a: Tensor, b: Tensor) -> Grads:
    return _share(g, a, b, gt), _share(g, b, a, gt)


@op
def where(condition: Array, a: Array, b: Array) -> Any:
    """a where the condition holds, else b."""
    if np.asarray(condition).dtype != np.bool_:
        raise TypeError(f"where: condition must be bool, got {np.asarray(condition).dtype}")
    return np.where(condition, a, b).astype(np.result_type(a, b), copy=False)


@where.vjp
def _(g: Tensor, y: Tensor, condition: Tensor, a: Tensor, b: Tensor) -> Grads:
    return None, where(condition, g, 0.0), where(condition, 0.0, g)


def _share(g: Tensor, a: Any, b: Any, beaten: Any) -> Tensor | None:
    """What of the gradient goes to a: nothing where b has beaten it, half at a tie, else all."""
    return where(beaten(a, b), 0.0, where(eq(a, b), g / 2, g)) if _wants(a) else None


def to(x: Any, dtype: npt.DTypeLike) -> Tensor:
    """x in another dtype; no gradient goes through whole numbers."""
    dtype = np.dtype(dtype)
    return cast(x if dtype.kind == "f" or not _wants(x) else x.detach(), dtype=dtype)


@op
def sign(x: Array) -> Any:
    """-1, 0 or 1, and NaN of NaN, where PyTorch has 0; its gradient is 0."""
    return np.sign(x)


@sign.vjp
def _(g: Tensor, y: Tensor, x: Tensor) -> Grads:
    return (Tensor(np.zeros_like(g.data)),)


# Steps: flat wherever they are smooth, so they have no rule and their results are constants.


@op
def lt(a: Array, b: Array) -> Any:
    """a < b."""
    return a < b


@op
def le(a: Array, b: Array) -> Any:
    """a <= b."""
    return a <= b


@op
def gt(a: Array, b: Array) -> Any:
    """a > b."""
    return a > b


@op
def ge(a: Array, b: Array) -> Any:
    """a >= b."""
    return a >= b


@op
def eq(a: Array, b: Array) -> Any:
    """a == b."""
    return np.equal(a, b)


@op
def ne(a: Array, b: Array) -> Any:
    """a != b."""
    return np.not_equal(a, b)


@op
def bitwise_and(a: Array, b: Array) -> Any:
    """a & b, of truths or bit by bit."""
    return np.bitwise_and(a, b)


@op
def bitwise_or(a: Array, b: Array) -> Any:
    """a | b, of truths or bit by bit."""
    return np.bitwise_or(a, b)


@op
def bitwise_xor(a: Array, b: Array) -> Any:
    """a ^ b, of truths or bit by bit."""
    return np.bitwise_xor(a, b)


@op
def bitwise_not(x: Array) -> Any:
    """~x, of truths or bit by bit."""
    return np.bitwise_not(x)
