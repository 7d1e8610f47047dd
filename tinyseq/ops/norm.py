"""The length of a vector, and vectors scaled to length 1."""

import math

from tinyseq.autograd import Tensor
from tinyseq.ops.creation import as_tensor
from tinyseq.ops.elementwise import abs, eq, ne, square, to, where
from tinyseq.ops.functions import clamp
from tinyseq.ops.reduce import Dim, _dims, amax, amin, safe_root, sum

__all__ = ["norm", "normalize"]


def norm(x: Tensor, p: float | str = 2, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """(Σ |x|^p)^(1/p) along dim; 0 has the gradient 0.

    Args:
        x: any shape, of floats.
        p: a number: inf is the largest |x|, -inf the smallest, 0 counts what is not 0; "fro"
            is 2.
        dim: one dimension, several, or None for all.
        keepdim: whether they stay, with size 1.

    Raises:
        TypeError: if x does not hold floats.
        ValueError: for another p.
    """
    x = as_tensor(x)
    if x.dtype.kind != "f":
        raise TypeError(f"norm: expected floating-point data, got {x.dtype}")
    dim = _dims(x, dim, "norm")
    if p == "fro":
        p = 2
    if not isinstance(p, int | float) or math.isnan(p):
        raise ValueError(f"norm: p must be a number or 'fro', got {p!r}")
    if p == 2:
        return safe_root(sum(square(x), dim, keepdim), 2)
    size = abs(x)
    if p == 1:
        return sum(size, dim, keepdim)
    if math.isinf(p):
        return (amax if p > 0 else amin)(size, dim, keepdim)
    if p == 0:
        return sum(to(ne(x, 0), x.dtype), dim, keepdim)
    # |x|^p has an infinite slope at 0 for p < 1; as in safe_root a 1 stands in for the 0.
    zero = eq(size, 0)
    empty = 0.0 if p > 0 else math.inf
    return safe_root(sum(where(zero, empty, where(zero, 1.0, size) ** p), dim, keepdim), p)


def normalize(x: Tensor, p: float = 2.0, dim: int = 1, eps: float = 1e-12) -> Tensor:
    """x / max(norm(x, p, dim), eps): every vector along dim of length 1, but for tiny ones."""
    x = as_tensor(x)
    return x / clamp(norm(x, p, dim, keepdim=True), min=eps)
