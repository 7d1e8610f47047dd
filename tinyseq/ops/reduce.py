"""Ops that reduce along dimensions. `dim` is one dimension, several, or None for all."""

from typing import Any

import numpy as np

from tinyseq.autograd import Array, Tensor, op
from tinyseq.autograd.broadcast import broadcast_to
from tinyseq.ops.elementwise import eq, exp, log, sqrt, square, where
from tinyseq.ops.shape import position, reshape

__all__ = ["amax", "amin", "argmax", "logsumexp", "mean", "std", "sum", "var"]

Dim = int | tuple[int, ...] | None


def _dims(x: Tensor, dim: Dim) -> tuple[int, ...]:
    """The dimensions meant, counted from 0."""
    if dim is None:
        return tuple(range(x.ndim))
    if isinstance(dim, int):
        return (position(x, dim),)
    return tuple(position(x, d) for d in dim)


def _kept(x: Tensor, dim: Dim) -> tuple[int, ...]:
    """x's shape with the reduced dimensions as 1."""
    dims = _dims(x, dim)
    return tuple(1 if d in dims else n for d, n in enumerate(x.shape))


def _spread(g: Tensor, x: Tensor, dim: Dim, keepdim: bool) -> Tensor:
    """The gradient of a sum: each summed element gets the same."""
    if dim is not None and not keepdim:
        g = reshape(g, _kept(x, dim))
    return broadcast_to(g, shape=x.shape)


@op
def _sum(x: Array, *, dim: Dim, keepdim: bool) -> Any:
    return x.sum(axis=dim, keepdims=keepdim)


@_sum.vjp
def _(g: Tensor, y: Tensor, x: Tensor, *, dim: Dim, keepdim: bool) -> tuple[Any, ...]:
    return (_spread(g, x, dim, keepdim),)


def sum(x: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """The sum along dim."""
    if dim is not None:
        _dims(x, dim)
    return _sum(x, dim=dim, keepdim=keepdim)


def mean(x: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """The mean along dim; NaN of no elements."""
    return sum(x, dim, keepdim) / int(np.prod([x.shape[d] for d in _dims(x, dim)]))


def var(x: Tensor, dim: Dim = None, correction: int = 1, keepdim: bool = False) -> Tensor:
    """Σ (x - mean)² / (n - correction) along dim."""
    n = int(np.prod([x.shape[d] for d in _dims(x, dim)]))
    centred = x - mean(x, dim, keepdim=True)
    return sum(square(centred), dim, keepdim) / max(n - correction, 0)


def std(x: Tensor, dim: Dim = None, correction: int = 1, keepdim: bool = False) -> Tensor:
    """The square root of `var`."""
    return sqrt(var(x, dim, correction, keepdim))


@op
def _extreme(x: Array, *, dim: Dim, keepdim: bool, largest: bool) -> Any:
    return (np.max if largest else np.min)(x, axis=dim, keepdims=keepdim)


@_extreme.vjp
def _(
    g: Tensor, y: Tensor, x: Tensor, *, dim: Dim, keepdim: bool, largest: bool
) -> tuple[Any, ...]:
    hit = where(eq(x, reshape(y, _kept(x, dim))), 1.0, Tensor(np.zeros((), x.dtype)))
    return (_spread(g, x, dim, keepdim) * hit / sum(hit, dim, keepdim=True),)


def amax(x: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """The largest element along dim; those that tie share its gradient evenly."""
    return _extreme(x, dim=dim, keepdim=keepdim, largest=True)


def amin(x: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """The smallest element along dim; those that tie share its gradient evenly."""
    return _extreme(x, dim=dim, keepdim=keepdim, largest=False)


@op
def _argmax(x: Array, *, dim: int | None, keepdim: bool) -> Any:
    return np.argmax(x, axis=dim, keepdims=keepdim)


def argmax(x: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Where the first largest element along dim is."""
    return _argmax(x, dim=dim, keepdim=keepdim)


def logsumexp(x: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """log Σ exp(x) along dim, without overflow."""
    dims = _dims(x, dim)
    top = np.max(x.data, axis=dims, keepdims=True, initial=-np.inf)
    # An infinite maximum is not taken off: infinity less infinity would be NaN.
    shift = Tensor(np.where(np.isfinite(top), top, 0).astype(x.dtype))
    y = log(sum(exp(x - shift), dims, keepdim=True)) + shift
    left = tuple(n for d, n in enumerate(x.shape) if d not in dims)
    return y if keepdim else reshape(y, left)
