"""Ops that rearrange elements without changing them."""

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import numpy as np

from tinyseq.autograd import Array, Tensor, op
from tinyseq.autograd.broadcast import broadcast_to as _broadcast_to
from tinyseq.autograd.fused import item

__all__ = [
    "broadcast_to", "cat", "chunk", "expand", "flatten", "permute", "reshape", "split", "squeeze",
    "stack", "transpose", "unbind", "unsqueeze",
]  # fmt: skip


def _sizes(shape: tuple[Any, ...]) -> tuple[int, ...]:
    """f(2, 3) and f((2, 3)) mean the same."""
    return tuple(shape[0]) if len(shape) == 1 and not isinstance(shape[0], int) else shape


def position(x: Tensor, dim: int, new: int = 0) -> int:
    """A dimension counted from 0, of x or of what has `new` more.

    Raises:
        IndexError: if there is none of that number.
    """
    ndim = x.ndim + new
    if not -ndim <= dim < ndim:
        raise IndexError(f"dim {dim} is out of range for a Tensor of shape {x.shape}")
    return dim % ndim


@op
def _reshape(x: Array, *, shape: tuple[int, ...]) -> Any:
    return x.reshape(shape)


@_reshape.vjp
def _(g: Tensor, y: Tensor, x: Tensor, *, shape: tuple[int, ...]) -> tuple[Any, ...]:
    return (_reshape(g, shape=x.shape),)


def reshape(x: Tensor, *shape: Any) -> Tensor:
    """The same elements in another shape; one size may be -1, for whatever is left."""
    return _reshape(x, shape=_sizes(shape))


def flatten(x: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Dimensions start_dim to end_dim made into one."""
    if x.ndim == 0:
        return reshape(x, (1,))
    first, last = position(x, start_dim), position(x, end_dim)
    size = int(np.prod(x.shape[first : last + 1]))
    return reshape(x, (*x.shape[:first], size, *x.shape[last + 1 :]))


@op
def _permute(x: Array, *, dims: tuple[int, ...]) -> Any:
    return x.transpose(dims)


@_permute.vjp
def _(g: Tensor, y: Tensor, x: Tensor, *, dims: tuple[int, ...]) -> tuple[Any, ...]:
    return (_permute(g, dims=tuple(int(d) for d in np.argsort([d % x.ndim for d in dims]))),)


def permute(x: Tensor, *dims: Any) -> Tensor:
    """The dimensions in another order."""
    return _permute(x, dims=_sizes(dims))


def transpose(x: Tensor, dim0: int, dim1: int) -> Tensor:
    """Two dimensions exchanged."""
    dims = list(range(x.ndim))
    a, b = position(x, dim0), position(x, dim1)
    dims[a], dims[b] = b, a
    return _permute(x, dims=tuple(dims))


def squeeze(x: Tensor, dim: int | None = None) -> Tensor:
    """Without dimensions of size 1: all of them, or dim if its size is 1."""
    if dim is None:
        return reshape(x, tuple(n for n in x.shape if n != 1))
    d = position(x, dim)
    return reshape(x, x.shape[:d] + x.shape[d + 1 :]) if x.shape[d] == 1 else x


def unsqueeze(x: Tensor, dim: int) -> Tensor:
    """With a new dimension of size 1 at dim."""
    d = position(x, dim, new=1)
    return reshape(x, (*x.shape[:d], 1, *x.shape[d:]))


def broadcast_to(x: Tensor, *shape: Any) -> Tensor:
    """x repeated to the given shape, without copying."""
    return _broadcast_to(x, shape=_sizes(shape))


def expand(x: Tensor, *shape: Any) -> Tensor:
    """As `broadcast_to`; -1 keeps a dimension's size."""
    sizes = _sizes(shape)
    old = (1,) * (len(sizes) - x.ndim) + x.shape
    return broadcast_to(x, tuple(o if n == -1 else n for n, o in zip(sizes, old, strict=True)))


@op
def _cat(*xs: Array, dim: int) -> Any:
    return np.concatenate(xs, axis=dim)


@_cat.vjp
def _(g: Tensor, y: Tensor, *xs: Tensor, dim: int) -> tuple[Any, ...]:
    return tuple(split(g, [x.shape[dim] for x in xs], dim))


def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Joined along a dimension that they have."""
    return _cat(*tensors, dim=dim)


@op
def _stack(*xs: Array, dim: int) -> Any:
    return np.stack(xs, axis=dim)


@_stack.vjp
def _(g: Tensor, y: Tensor, *xs: Tensor, dim: int) -> tuple[Any, ...]:
    return unbind(g, dim)


def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Joined along a new dimension."""
    return _stack(*tensors, dim=dim)


@op
def _unbind(x: Array, *, dim: int) -> Any:
    return tuple(np.moveaxis(x, dim, 0))


@_unbind.vjp
def _(g: dict[int, Tensor], y: Tensor, x: Tensor, *, dim: int) -> tuple[Any, ...]:
    nothing = Tensor(np.zeros_like(next(iter(g.values())).data))
    return (stack([g.get(i, nothing) for i in range(x.shape[dim])], dim),)


def unbind(x: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """The slices along a dimension, which goes. Backward costs one stack, not one per slice."""
    dim = position(x, dim)
    whole = _unbind(x, dim=dim)
    return tuple(item(whole, i=i) for i in range(x.shape[dim]))


@op
def _split(x: Array, *, sizes: tuple[int, ...], dim: int) -> Any:
    before = (slice(None),) * dim
    pieces = zip(sizes, accumulate(sizes), strict=True)
    return tuple(x[(*before, slice(end - size, end))] for size, end in pieces)


@_split.vjp
def _(
    g: dict[int, Tensor], y: Tensor, x: Tensor, *, sizes: tuple[int, ...], dim: int
) -> tuple[Any, ...]:
    # A piece that nothing was made of has no gradient: zeros.
    shares = [g[i] if i in g else Tensor(np.zeros_like(part)) for i, part in enumerate(y.data)]
    return (cat(shares, dim),)


def split(x: Tensor, size: int | Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """Pieces of the given size (the last may be smaller) or sizes along a dimension."""
    dim = position(x, dim)
    total = x.shape[dim]
    if isinstance(size, int):
        # Of nothing there is one piece, itself empty.
        sizes = tuple(min(size, total - start) for start in range(0, total or 1, size))
    else:
        sizes = tuple(size)
    if sum(sizes) != total:
        raise ValueError(f"split: sizes must sum to {total}, got {list(sizes)}")
    whole = _split(x, sizes=sizes, dim=dim)
    return tuple(item(whole, i=i) for i in range(len(sizes)))


def chunk(x: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """At most so many pieces of equal size, the last one smaller if it does not come out even."""
    return split(x, max(-(-x.shape[position(x, dim)] // chunks), 1), dim)
