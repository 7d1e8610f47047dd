"""Ops that pick elements out by position, and their gradients, which put them back."""

from typing import Any

import numpy as np

from tinyseq import backend
from tinyseq.autograd import Array, Tensor, op
from tinyseq.ops.creation import as_tensor
from tinyseq.ops.elementwise import where
from tinyseq.ops.shape import along, expand, position, reshape

__all__ = ["embedding", "gather", "getitem", "index_select", "take_along_dim"]

ARRAYS = (np.ndarray, list)


@op
def take(x: Array, *, key: Any) -> Any:
    """x[key], for a key that NumPy takes."""
    try:
        return x[key]
    except IndexError as error:
        raise IndexError(f"index: shape {x.shape}: {error}") from None


@take.vjp
def _(g: Tensor, y: Tensor, x: Tensor, *, key: Any) -> tuple[Any, ...]:
    return (put(g, shape=x.shape, key=key),)


@op
def put(g: Array, *, shape: tuple[int, ...], key: Any) -> Any:
    """Zeros of a shape, with g added where key points."""
    out = np.zeros(shape, g.dtype)
    parts = key if isinstance(key, tuple) else (key,)
    if any(np.asarray(part).dtype != np.bool_ for part in parts if isinstance(part, ARRAYS)):
        np.add.at(out, key, g)  # an array of positions may name one twice
    else:
        out[key] = g
    return out


@put.vjp
def _(g: Tensor, y: Tensor, x: Tensor, *, shape: tuple[int, ...], key: Any) -> tuple[Any, ...]:
    return (take(g, key=key),)


def getitem(x: Tensor, key: Any) -> Tensor:
    """x[key]: whatever NumPy takes as an index, and Tensors of whole numbers or truth values.

    As in PyTorch single numbers pick first, and arrays from what is left; for NumPy a number beside
    an array is an array too, which may bring their dimensions to the front.
    """
    key = as_key(key)
    if isinstance(key, tuple) and any(map(_is_array, key)) and any(map(_is_number, key)):
        x = take(x, key=tuple(p for part in key for p in _without_array(part)))
        key = tuple(_without_basic(part) for part in key if not _is_number(part))
    return take(x, key=key)


def _is_number(part: Any) -> bool:
    """Whether it picks one position, and with that a dimension is gone."""
    if isinstance(part, np.ndarray):
        return part.ndim == 0 and part.dtype.kind in "iu"
    return isinstance(part, int | np.integer) and not isinstance(part, bool)


def _is_array(part: Any) -> bool:
    return isinstance(part, np.ndarray | list) and np.ndim(part) > 0


def _without_array(part: Any) -> tuple[Any, ...]:
    """A part of a key with the dimensions that an array picks from left as they are."""
    if not _is_array(part):
        return (part,)
    array = np.asarray(part)
    return (slice(None),) * (array.ndim if array.dtype == np.bool_ else 1)


def _without_basic(part: Any) -> Any:
    """A part of a key after all but the arrays has been done."""
    return part if _is_array(part) or part is Ellipsis else slice(None)


def as_key(key: Any) -> Any:
    """An index as NumPy takes it: the arrays of the Tensors in it."""
    if isinstance(key, tuple):
        return tuple(part.data if isinstance(part, Tensor) else part for part in key)
    return key.data if isinstance(key, Tensor) else key


def index_select(x: Tensor, dim: int, index: Any) -> Tensor:
    """The slices of x along dim that index names, in its order.

    Args:
        x: any shape.
        dim: which dimension.
        index: (n,) whole numbers in [0, x.shape[dim]).

    Returns:
        x's shape, with n in the place of dim.
    """
    x = as_tensor(x)
    return take(x, key=select_key(x, dim, index, "index_select"))


def select_key(x: Tensor, dim: int, index: Any, where: str) -> tuple[Any, ...]:
    """The key of whole slices along dim."""
    d = position(x, dim, where)
    rows = as_index(index, where, x.shape[d])
    if rows.ndim > 1:
        raise ValueError(f"{where}: index must be (n,), got {rows.shape}")
    return (*(slice(None),) * d, rows.reshape(-1))


def gather(x: Tensor, dim: int, index: Any) -> Tensor:
    """y[i, j, k] = x[i, index[i, j, k], k], here for dim 1 of 3.

    Args:
        x: any shape.
        dim: which dimension.
        index: whole numbers in [0, x.shape[dim]), with as many dimensions as x; in those other
            than dim no larger than x.

    Returns:
        The index's shape.

    Raises:
        ValueError: if the index's shape does not fit.
        IndexError: if an index is out of range.
        TypeError: if the indices are not whole numbers.
    """
    x = as_tensor(x)
    return take(x, key=gather_key(x, dim, index, "gather"))


def gather_key(x: Tensor, dim: int, index: Any, where: str) -> tuple[Array, ...]:
    """The key whose element at each place is that place, with index for dim."""
    d = along(x, dim, where)
    rows = as_index(index, where, x.shape[d] if x.ndim else 1)
    if rows.ndim != x.ndim or any(
        n > m for e, (n, m) in enumerate(zip(rows.shape, x.shape, strict=True)) if e != d
    ):
        raise ValueError(
            f"{where}: index must have {x.ndim} dims and, but in dim {d}, be no larger than "
            f"{x.shape}, got {rows.shape}"
        )
    places = list(np.ogrid[tuple(slice(n) for n in rows.shape)])
    places[d : d + 1] = [rows] if x.ndim else []
    return tuple(places)


def take_along_dim(x: Tensor, indices: Any, dim: int | None = None) -> Tensor:
    """As `gather`, with x and indices broadcast to each other but in dim.

    Args:
        x: any shape.
        indices: whole numbers in [0, x.shape[dim]), with as many dimensions as x.
        dim: which dimension; None to take from all elements in their order.
    """
    x, rows = as_tensor(x), as_tensor(indices)
    if dim is None:
        return gather(reshape(x, -1), 0, reshape(rows, -1))
    d = position(x, dim, "take_along_dim")
    if rows.ndim != x.ndim:
        raise ValueError(f"take_along_dim: indices must have {x.ndim} dims, got {rows.shape}")
    try:
        shape = np.broadcast_shapes(
            (*x.shape[:d], 1, *x.shape[d + 1 :]), (*rows.shape[:d], 1, *rows.shape[d + 1 :])
        )
    except ValueError:
        raise ValueError(
            f"take_along_dim: shapes {x.shape} and {rows.shape} do not fit but for dim {d}"
        ) from None
    wide = expand(rows, (*shape[:d], rows.shape[d], *shape[d + 1 :]))
    return gather(expand(x, (*shape[:d], x.shape[d], *shape[d + 1 :])), d, wide)


@op
def _embedding(weight: Array, *, index: Array) -> Any:
    return backend.embedding(weight, index)


@_embedding.vjp
def _(g: Tensor, y: Tensor, weight: Tensor, *, index: Array) -> tuple[Any, ...]:
    return (_embedding_scatter(g, index=index, rows=weight.shape[0]),)


@op
def _embedding_scatter(g: Array, *, index: Array, rows: int) -> Any:
    return backend.embedding_scatter(g, index, rows)


@_embedding_scatter.vjp
def _(g: Tensor, y: Tensor, x: Tensor, *, index: Array, rows: int) -> tuple[Any, ...]:
    return (_embedding(g, index=index),)


def embedding(input: Any, weight: Tensor, padding_idx: int | None = None) -> Tensor:
    """The rows weight[input].

    Args:
        input: whole numbers in [0, V), any shape.
        weight: (V, D).
        padding_idx: a row that gets no gradient; negative counts from the end.

    Returns:
        input.shape + (D,).

    Raises:
        TypeError: if the indices are not whole numbers.
        IndexError: if one is out of range.
        ValueError: if the weight is no matrix.
    """
    weight = as_tensor(weight)
    if weight.ndim != 2:
        raise ValueError(f"embedding: weight must be (V, D), got {weight.shape}")
    rows = as_index(input, "embedding", weight.shape[0])
    y = _embedding(weight, index=rows)
    if padding_idx is None:
        return y
    V = weight.shape[0]
    if not -V <= padding_idx < V:
        raise IndexError(f"embedding: padding_idx {padding_idx} is out of range for {V} rows")
    return where((rows == padding_idx % V)[..., None], y.detach(), y)


def as_index(index: Any, where: str, limit: int, except_for: int | None = None) -> Array:
    """A copy of indices as int64, each checked to lie in [0, limit) or to be except_for.

    A copy: what was checked here is what the backward kernel writes by, however much later.
    """
    array = np.asarray(as_key(index))
    if array.dtype.kind not in "iu" and array.size:
        raise TypeError(f"{where}: indices must be whole numbers, got {array.dtype}")
    array = np.array(array, np.int64, order="C")
    # Read without a sign a negative number is huge: that all are good, as mostly, takes one look.
    if array.size and array.view(np.uint64).max() < limit:
        return array
    bad = (array < 0) | (array >= limit)
    if except_for is not None:
        bad &= array != except_for
    if bad.any():
        raise IndexError(f"{where}: index {array[bad].flat[0]} is out of range for {limit} rows")
    return array
