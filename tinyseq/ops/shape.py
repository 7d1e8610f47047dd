"""Ops that rearrange elements without changing them."""

from collections.abc import Sequence
from itertools import accumulate
from operator import index
from typing import Any

import numpy as np

from tinyseq.autograd import Array, Tensor, op
from tinyseq.autograd.broadcast import broadcast_to as _broadcast_to
from tinyseq.autograd.fused import item
from tinyseq.ops.creation import as_tensor, sizes_of

__all__ = [
    "broadcast_to", "cat", "chunk", "expand", "flatten", "flip", "permute", "reshape", "split",
    "squeeze", "stack", "transpose", "unbind", "unsqueeze",
]  # fmt: skip


def position(x: Tensor, dim: int, where: str, new: int = 0) -> int:
    """A dimension counted from 0, of x or of what has `new` more; `where` names the caller.

    Raises:
        IndexError: if there is none of that number.
        TypeError: if dim is no whole number.
    """
    ndim = x.ndim + new
    if isinstance(dim, bool) or not hasattr(dim, "__index__"):
        raise TypeError(f"{where}: dim must be a whole number, got {dim!r}")
    dim = index(dim)
    if not -ndim <= dim < ndim:
        raise IndexError(f"{where}: dim {dim} is out of range for a Tensor of shape {x.shape}")
    return dim % ndim


def along(x: Tensor, dim: int, where: str) -> int:
    """As `position`; a Tensor without dimensions may be worked through along 0, as in PyTorch."""
    return position(x, dim, where, new=0 if x.ndim else 1)


@op
def _reshape(x: Array, *, shape: tuple[int, ...]) -> Any:
    try:
        return x.reshape(shape)
    except ValueError:
        raise ValueError(f"reshape: shape {x.shape} cannot be made into {shape}") from None


@_reshape.vjp
def _(g: Tensor, y: Tensor, x: Tensor, *, shape: tuple[int, ...]) -> tuple[Any, ...]:
    return (_reshape(g, shape=x.shape),)


def reshape(x: Tensor, shape: Any, *more: int) -> Tensor:
    """The same elements in another shape; one size may be -1, for whatever is left."""
    return _reshape(x, shape=sizes_of((shape, *more)))


def flatten(x: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Dimensions start_dim to end_dim made into one."""
    if x.ndim == 0:
        return reshape(x, (1,))
    first, last = position(x, start_dim, "flatten"), position(x, end_dim, "flatten")
    if first > last:
        raise ValueError(f"flatten: start_dim {start_dim} comes after end_dim {end_dim}")
    size = int(np.prod(x.shape[first : last + 1]))
    return reshape(x, (*x.shape[:first], size, *x.shape[last + 1 :]))


@op
def _permute(x: Array, *, dims: tuple[int, ...]) -> Any:
    return x.transpose(dims)


@_permute.vjp
def _(g: Tensor, y: Tensor, x: Tensor, *, dims: tuple[int, ...]) -> tuple[Any, ...]:
    return (_permute(g, dims=tuple(int(d) for d in np.argsort(dims))),)


def permute(x: Tensor, dims: Any, *more: int) -> Tensor:
    """The dimensions in another order, each named once."""
    x, dims = as_tensor(x), sizes_of((dims, *more))
    order = tuple(position(x, d, "permute") for d in dims)
    if sorted(order) != list(range(x.ndim)):
        raise ValueError(f"permute: expected each of {x.ndim} dims once, got {dims}")
    return _permute(x, dims=order)


def transpose(x: Tensor, dim0: int, dim1: int) -> Tensor:
    """Two dimensions exchanged."""
    dims = list(range(x.ndim or 1))
    a, b = along(x, dim0, "transpose"), along(x, dim1, "transpose")
    dims[a], dims[b] = b, a
    return _permute(x, dims=tuple(dims[: x.ndim]))


@op
def _flip(x: Array, *, dims: tuple[int, ...]) -> Any:
    return np.flip(x, dims)


@_flip.vjp
def _(g: Tensor, y: Tensor, x: Tensor, *, dims: tuple[int, ...]) -> tuple[Any, ...]:
    return (_flip(g, dims=dims),)


def flip(x: Tensor, dims: Any, *more: int) -> Tensor:
    """Back to front along the given dimensions."""
    x, dims = as_tensor(x), sizes_of((dims, *more))
    named = tuple(position(x, d, "flip") for d in dims)
    if len(set(named)) < len(named):
        raise ValueError(f"flip: a dim is named twice in {dims}")
    return _flip(x, dims=named)


def squeeze(x: Tensor, dim: int | tuple[int, ...] | None = None) -> Tensor:
    """Without dimensions of size 1: all of them, or those of dim whose size is 1."""
    dims = tuple(range(x.ndim)) if dim is None else dim if isinstance(dim, tuple) else (dim,)
    gone = {d for d in (along(x, d, "squeeze") for d in dims) if x.shape[d : d + 1] == (1,)}
    return reshape(x, tuple(n for d, n in enumerate(x.shape) if d not in gone))


def unsqueeze(x: Tensor, dim: int) -> Tensor:
    """With a new dimension of size 1 at dim."""
    d = position(x, dim, "unsqueeze", new=1)
    return reshape(x, (*x.shape[:d], 1, *x.shape[d:]))


def broadcast_to(x: Tensor, size: Any, *more: int) -> Tensor:
    """x repeated to the given shape, without copying."""
    return _broadcast(x, sizes_of((size, *more)), "broadcast_to")


def expand(x: Tensor, size: Any, *more: int) -> Tensor:
    """As `broadcast_to`; -1 keeps a dimension's size."""
    sizes = sizes_of((size, *more))
    new = len(sizes) - x.ndim
    kept = (n if n != -1 or d < new else x.shape[d - new] for d, n in enumerate(sizes))
    return _broadcast(x, tuple(kept), "expand")


def fits(shape: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    """Whether one shape broadcasts to another."""
    new = len(wanted) - len(shape)
    return new >= 0 and all(n in (1, m) for n, m in zip(shape, wanted[new:], strict=True))


def _broadcast(x: Tensor, shape: tuple[int, ...], where: str) -> Tensor:
    if min(shape, default=0) < 0 or not fits(x.shape, shape):
        raise ValueError(f"{where}: shape {x.shape} cannot be broadcast to {shape}")
    return _broadcast_to(x, shape=shape)


@op
def _cat(*xs: Array, dim: int) -> Any:
    return np.concatenate(xs, axis=dim)


@_cat.vjp
def _(g: Tensor, y: Tensor, *xs: Tensor, dim: int) -> tuple[Any, ...]:
    return tuple(split(g, [x.shape[dim] for x in xs], dim))


def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Joined along a dimension that they have, in which alone their sizes may differ."""
    first, *rest = _several(tensors, "cat")
    dim = position(first, dim, "cat")
    wanted = first.shape[:dim] + first.shape[dim + 1 :]
    for x in rest:
        if x.ndim != first.ndim or x.shape[:dim] + x.shape[dim + 1 :] != wanted:
            raise ValueError(
                f"cat: shapes must agree but in dim {dim}, got {first.shape} and {x.shape}"
            )
    return _cat(first, *rest, dim=dim)


def _several(tensors: Sequence[Any], where: str) -> list[Tensor]:
    if isinstance(tensors, Tensor) or not len(tensors):
        raise ValueError(f"{where}: expected a sequence of one Tensor or more")
    return [as_tensor(x) for x in tensors]


@op
def _stack(*xs: Array, dim: int) -> Any:
    return np.stack(xs, axis=dim)


@_stack.vjp
def _(g: Tensor, y: Tensor, *xs: Tensor, dim: int) -> tuple[Any, ...]:
    return unbind(g, dim)


def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Joined along a new dimension; they have one shape."""
    first, *rest = _several(tensors, "stack")
    dim = position(first, dim, "stack", new=1)
    for x in rest:
        if x.shape != first.shape:
            raise ValueError(f"stack: shapes must agree, got {first.shape} and {x.shape}")
    return _stack(first, *rest, dim=dim)


@op
def _unbind(x: Array, *, dim: int) -> Any:
    return tuple(np.moveaxis(x, dim, 0))


@_unbind.vjp
def _(g: dict[int, Tensor], y: Tensor, x: Tensor, *, dim: int) -> tuple[Any, ...]:
    nothing = Tensor(np.zeros_like(next(iter(g.values())).data))
    return (stack([g.get(i, nothing) for i in range(x.shape[dim])], dim),)


def unbind(x: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """The slices along a dimension, which goes. Backward costs one stack, not one per slice."""
    x = as_tensor(x)
    dim = position(x, dim, "unbind")
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


def split(
    x: Tensor, split_size_or_sections: int | Sequence[int], dim: int = 0
) -> tuple[Tensor, ...]:
    """Pieces of the given size (the last may be smaller) or sizes along a dimension."""
    x, size = as_tensor(x), split_size_or_sections
    dim = position(x, dim, "split")
    total = x.shape[dim]
    if isinstance(size, int):
        if size < 1:
            raise ValueError(f"split: size must be at least 1, got {size}")
        # Of nothing there is one piece, itself empty.
        sizes = tuple(min(size, total - start) for start in range(0, total or 1, size))
    else:
        sizes = tuple(size)
    if sum(sizes) != total or min(sizes, default=0) < 0:
        raise ValueError(f"split: sizes must sum to {total}, got {list(sizes)}")
    whole = _split(x, sizes=sizes, dim=dim)
    return tuple(item(whole, i=i) for i in range(len(sizes)))


def chunk(x: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """At most so many pieces of equal size, the last one smaller if it does not come out even.

    Of nothing there are as many as asked, each empty.
    """
    if chunks < 1:
        raise ValueError(f"chunk: chunks must be at least 1, got {chunks}")
    total = x.shape[position(x, dim, "chunk")]
    return split(x, -(-total // chunks) or [0] * chunks, dim)
