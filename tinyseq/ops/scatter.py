"""Ops that write elements at positions: new Tensors, the given ones are left as they are."""

from typing import Any

import numpy as np

from tinyseq.autograd import Array, Tensor, op
from tinyseq.ops.creation import as_tensor
from tinyseq.ops.indexing import as_key, gather_key, put, select_key, take
from tinyseq.ops.shape import fits

__all__ = ["index_add", "index_put", "scatter_add"]


def scatter_add(x: Tensor, dim: int, index: Any, src: Any) -> Tensor:
    """x, with src[i, j, k] added to its element [i, index[i, j, k], k], here for dim 1 of 3.

    Args:
        x: any shape.
        dim: which dimension.
        index: whole numbers in [0, x.shape[dim]), with as many dimensions as x; in those other
            than dim no larger than x. A place may be named more than once.
        src: no smaller than index in any dimension; the rest of it is left out.

    Returns:
        x's shape.

    Raises:
        ValueError: if the shapes do not fit.
        IndexError: if an index is out of range.
        TypeError: if the indices are not whole numbers, or src has not x's dtype.
    """
    x, src = as_tensor(x), _of_dtype(x, src, "scatter_add: src")
    key = gather_key(x, dim, index, "scatter_add")
    shape = np.broadcast_shapes(*(part.shape for part in key))
    if src.ndim != len(shape) or any(n > m for n, m in zip(shape, src.shape, strict=True)):
        raise ValueError(f"scatter_add: src must be no smaller than {shape}, got {src.shape}")
    return x + put(src[tuple(slice(n) for n in shape)], shape=x.shape, key=key)


def index_add(x: Tensor, dim: int, index: Any, source: Any, alpha: float = 1) -> Tensor:
    """x, with alpha times the slices of source added along dim where index says.

    Args:
        x: any shape.
        dim: which dimension.
        index: (n,) whole numbers in [0, x.shape[dim]); one may occur more than once.
        source: x's shape, with n in the place of dim.
        alpha: a number.

    Raises:
        As `scatter_add`.
    """
    x, source = as_tensor(x), _of_dtype(x, source, "index_add: source")
    key = select_key(x, dim, index, "index_add")
    d = len(key) - 1
    wanted = (*x.shape[:d], len(key[d]), *x.shape[d + 1 :])
    if source.shape != wanted:
        raise ValueError(f"index_add: source must be {wanted}, got {source.shape}")
    return x + put(source if alpha == 1 else source * alpha, shape=x.shape, key=key)


@op
def _index_put(x: Array, values: Any, *, key: Any, accumulate: bool) -> Any:
    y = x.copy()
    if accumulate:
        np.add.at(y, key, values)
    else:
        y[key] = values
    return y


@_index_put.vjp
def _(
    g: Tensor, y: Tensor, x: Tensor, values: Any, *, key: Any, accumulate: bool
) -> tuple[Any, ...]:
    by_x = g if accumulate else _index_put(g, 0.0, key=key, accumulate=False)
    return by_x, take(g, key=key)


def index_put(x: Tensor, indices: Any, values: Any, accumulate: bool = False) -> Tensor:
    """x, with values at x[indices].

    Args:
        x: any shape.
        indices: a tuple of whatever x may be indexed with: Tensors of whole numbers or of truth
            values, slices.
        values: a number, or what broadcasts to the shape of x[indices].
        accumulate: add the values to what is there, instead of replacing it. Only this way may
            a place be named more than once; otherwise, as in PyTorch, it has one of its values,
            and each of them the place's gradient.

    Raises:
        ValueError: if the values do not broadcast.
        IndexError: if an index is out of range.
        TypeError: if the values have not x's dtype.
    """
    x, key = as_tensor(x), as_key(tuple(indices))
    try:
        wanted = np.broadcast_to(0, x.shape)[key].shape
    except IndexError as error:
        raise IndexError(f"index_put: {error}") from None
    if not isinstance(values, int | float):
        values = _of_dtype(x, values, "index_put: values")
        if not fits(values.shape, wanted):
            raise ValueError(f"index_put: values must broadcast to {wanted}, got {values.shape}")
    return _index_put(x, values, key=key, accumulate=accumulate)


def _of_dtype(x: Any, values: Any, where: str) -> Tensor:
    wanted, got = as_tensor(x).dtype, as_tensor(values)
    if got.dtype != wanted:
        raise TypeError(f"{where} must be {wanted} as x is, got {got.dtype}")
    return got
