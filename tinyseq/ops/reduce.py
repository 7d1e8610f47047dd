"""Ops that reduce along dimensions. `dim` is one dimension, several, or None for all.

Where there is a `dtype`, x is taken in it first.
"""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyseq.autograd import Array, Tensor, op
from tinyseq.autograd.broadcast import broadcast_to
from tinyseq.backend.quiet import quiet
from tinyseq.ops.creation import as_tensor
from tinyseq.ops.elementwise import eq, exp, log, mul, sqrt, square, to, where
from tinyseq.ops.shape import along, cat, flip, permute, reshape

__all__ = [
    "all", "amax", "amin", "any", "argmax", "argmin", "cumsum", "logsumexp", "mean", "prod", "std",
    "sum", "var",
]  # fmt: skip

Dim = int | tuple[int, ...] | None


def _dims(x: Tensor, dim: Dim, where: str) -> tuple[int, ...]:
    """The dimensions meant, counted from 0; `where` names the caller."""
    if dim is None:
        return tuple(range(x.ndim))
    if type(dim) is int:  # nearly always
        return (along(x, dim, where),)[: x.ndim]
    dims = tuple(along(x, d, where) for d in (dim if isinstance(dim, tuple | list) else (dim,)))
    if len(set(dims)) < len(dims):
        raise ValueError(f"{where}: a dim is named twice in {dim}")
    return dims[: x.ndim]


def _kept(x: Tensor, dim: Dim) -> tuple[int, ...]:
    """x's shape with the reduced dimensions as 1."""
    dims = _dims(x, dim, "gradient")
    return tuple(1 if d in dims else n for d, n in enumerate(x.shape))


def _spread(g: Tensor, x: Tensor, dim: Dim, keepdim: bool) -> Tensor:
    """The gradient of a sum: each summed element gets the same."""
    if dim is not None and not keepdim:
        g = reshape(g, _kept(x, dim))
    return broadcast_to(g, shape=x.shape)


@op
def _sum(x: Array, *, dim: Dim, keepdim: bool) -> Any:
    return quiet.run(np.add.reduce, x, dim, None, None, keepdim)  # type: ignore[arg-type]


@_sum.vjp
def _(g: Tensor, y: Tensor, x: Tensor, *, dim: Dim, keepdim: bool) -> tuple[Any, ...]:
    return (_spread(g, x, dim, keepdim),)


def sum(
    x: Tensor, dim: Dim = None, keepdim: bool = False, *, dtype: npt.DTypeLike | None = None
) -> Tensor:
    """The sum along dim."""
    x = as_tensor(x) if dtype is None else to(x, dtype)
    try:
        return _sum(x, dim=tuple(dim) if isinstance(dim, list) else dim, keepdim=keepdim)
    except (TypeError, ValueError):
        _dims(x, dim, "sum")  # knows what is wrong with them
        raise


def _count(x: Tensor, dims: tuple[int, ...]) -> int:
    return math.prod(x.shape[d] for d in dims)


def mean(
    x: Tensor, dim: Dim = None, keepdim: bool = False, *, dtype: npt.DTypeLike | None = None
) -> Tensor:
    """The mean along dim; NaN of no elements."""
    x = as_tensor(x) if dtype is None else to(x, dtype)
    dims = _dims(x, dim, "mean")
    return _sum(x, dim=dims, keepdim=keepdim) / _count(x, dims)


def var(x: Tensor, dim: Dim = None, correction: int = 1, keepdim: bool = False) -> Tensor:
    """Σ (x - mean)² / (n - correction) along dim; NaN where n is not above the correction."""
    x = as_tensor(x)
    dims = _dims(x, dim, "var")
    total = sum(square(x - mean(x, dims, keepdim=True)), dims, keepdim)
    return total / max(_count(x, dims) - correction, 0)


def std(x: Tensor, dim: Dim = None, correction: int = 1, keepdim: bool = False) -> Tensor:
    """The square root of `var`; where it is 0, its gradient is taken as 0."""
    x = as_tensor(x)
    dims = _dims(x, dim, "std")
    if x.dtype != np.float64:  # as in PyTorch, the squares neither overflow nor vanish on the way
        return to(std(to(x, np.float64), dims, correction, keepdim), np.float32)
    return safe_root(var(x, dims, correction, keepdim), 2)


def safe_root(total: Tensor, p: float) -> Tensor:
    """The p-th root of what is not negative; at 0 it is 0 or infinite, and every derivative 0.

    An infinite slope only hidden afterwards would come back as NaN in the next derivative, so a
    1 goes into the root in the place of a 0.
    """
    zero = eq(total, 0)
    inside = where(zero, 1.0, total)
    root = sqrt(inside) if p == 2 else inside ** (1 / p)
    return where(zero, 0.0 if p > 0 else math.inf, root)


def prod(
    x: Tensor, dim: Dim = None, keepdim: bool = False, *, dtype: npt.DTypeLike | None = None
) -> Tensor:
    """The product along dim; 1 of no elements.

    Multiplied in pairs, and pairs of pairs: so no gradient divides by an element, which may be 0,
    and a product of n has only log n steps.
    """
    x = as_tensor(x) if dtype is None else to(x, dtype)
    x = to(x, np.int64) if x.dtype == np.bool_ else x
    dims = _dims(x, dim, "prod")
    left = [d for d in range(x.ndim) if d not in dims]
    shape = tuple(x.shape[d] for d in left)
    y = reshape(permute(x, (*left, *dims)), (*shape, _count(x, dims)))
    if not y.shape[-1]:
        y = sum(y, -1, keepdim=True) + 1  # made from x all the same
    while (n := y.shape[-1]) > 1:
        pairs = mul(y[..., : n // 2], y[..., n // 2 : n // 2 * 2])
        y = cat([pairs, y[..., -1:]], -1) if n % 2 else pairs
    return reshape(y, _kept(x, dims) if keepdim else shape)


@op
def _cumsum(x: Array, *, dim: int) -> Any:
    return quiet.run(np.cumsum, x, dim)


@_cumsum.vjp
def _(g: Tensor, y: Tensor, x: Tensor, *, dim: int) -> tuple[Any, ...]:
    return (flip(_cumsum(flip(g, dim), dim=dim), dim),)


def cumsum(x: Tensor, dim: int, *, dtype: npt.DTypeLike | None = None) -> Tensor:
    """y[i] = x[0] + ... + x[i] along dim."""
    x = as_tensor(x) if dtype is None else to(x, dtype)
    d = along(x, dim, "cumsum")
    return _cumsum(x, dim=d) if x.ndim else reshape(_cumsum(reshape(x, 1), dim=d), ())


@op
def _extreme(x: Array, *, dim: Dim, keepdim: bool, largest: bool) -> Any:
    return (np.max if largest else np.min)(x, axis=dim, keepdims=keepdim)


@_extreme.vjp
def _(
    g: Tensor, y: Tensor, x: Tensor, *, dim: Dim, keepdim: bool, largest: bool
) -> tuple[Any, ...]:
    hit = where(eq(x, x), eq(x, reshape(y, _kept(x, dim))), True)  # only NaN is not itself
    return (where(hit, _spread(g / sum(hit, dim, keepdim), x, dim, keepdim), 0.0),)


def amax(x: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """The largest element along dim; those that tie share its gradient evenly.

    Raises:
        ValueError: if there is none: dim has size 0.
    """
    return outermost(x, dim, keepdim, largest=True, where="amax")


def amin(x: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """The smallest element along dim; those that tie share its gradient evenly.

    Raises:
        ValueError: if there is none: dim has size 0.
    """
    return outermost(x, dim, keepdim, largest=False, where="amin")


def outermost(x: Tensor, dim: Dim, keepdim: bool, largest: bool, where: str) -> Tensor:
    """The largest or smallest element; `where` names the caller."""
    x = as_tensor(x)
    dims = _dims(x, dim, where)
    if not _count(x, dims):
        raise ValueError(f"{where}: there is no element along dim {dim} of shape {x.shape}")
    return _extreme(x, dim=dims, keepdim=keepdim, largest=largest)


@op
def _arg(x: Array, *, dim: int | None, keepdim: bool, largest: bool) -> Any:
    return (np.argmax if largest else np.argmin)(x, axis=dim, keepdims=keepdim)


def argmax(x: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Where the first largest element along dim is, or of all elements in their order; int64."""
    return where_outermost(x, dim, keepdim, largest=True, where="argmax")


def argmin(x: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Where the first smallest element along dim is, or of all elements in their order; int64."""
    return where_outermost(x, dim, keepdim, largest=False, where="argmin")


def where_outermost(x: Tensor, dim: int | None, keepdim: bool, largest: bool, where: str) -> Tensor:
    """The position of the largest or smallest element; `where` names the caller."""
    x = as_tensor(x)
    axis = None if dim is None else along(x, dim, where)
    if not (x.data.size if axis is None or not x.ndim else x.shape[axis]):
        raise ValueError(f"{where}: there is no element along dim {dim} of shape {x.shape}")
    return _arg(x, dim=axis, keepdim=keepdim, largest=largest)


@op
def _truths(x: Array, *, dim: Dim, keepdim: bool, every: bool) -> Any:
    return (np.all if every else np.any)(x, axis=dim, keepdims=keepdim)


def any(x: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """Whether some element along dim is not 0; False of none."""
    x = as_tensor(x)
    return _truths(x, dim=_dims(x, dim, "any"), keepdim=keepdim, every=False)


def all(x: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """Whether no element along dim is 0; True of none."""
    x = as_tensor(x)
    return _truths(x, dim=_dims(x, dim, "all"), keepdim=keepdim, every=True)


def logsumexp(x: Tensor, dim: Dim = None, keepdim: bool = False) -> Tensor:
    """log Σ exp(x) along dim, without overflow."""
    x = as_tensor(x)
    x = x if x.dtype.kind == "f" else to(x, np.float32)
    dims = _dims(x, dim, "logsumexp")
    # An infinite maximum is not taken off, for infinity less infinity would be NaN, but the
    # number next to it.
    shift = Tensor(np.nan_to_num(np.max(x.data, axis=dims, keepdims=True, initial=-np.inf)))
    y = log(sum(exp(x - shift), dims, keepdim=True)) + shift
    left = tuple(n for d, n in enumerate(x.shape) if d not in dims)
    return y if keepdim else reshape(y, left)
