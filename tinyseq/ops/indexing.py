"""Ops that pick elements out by position, and their gradients, which put them back."""

from typing import Any

import numpy as np

from tinyseq import backend
from tinyseq.autograd import Array, Tensor, op

__all__ = ["embedding", "getitem"]


@op
def _index(x: Array, *, key: Any) -> Any:
    return x[key]


@_index.vjp
def _(g: Tensor, y: Tensor, x: Tensor, *, key: Any) -> tuple[Any, ...]:
    return (_put(g, shape=x.shape, key=key),)


@op
def _put(g: Array, *, shape: tuple[int, ...], key: Any) -> Any:
    """Zeros of a shape, with g added where key points."""
    out = np.zeros(shape, g.dtype)
    parts = key if isinstance(key, tuple) else (key,)
    if any(isinstance(part, np.ndarray | list) for part in parts):
        np.add.at(out, key, g)  # an array may name a place twice
    else:
        out[key] = g
    return out


@_put.vjp
def _(g: Tensor, y: Tensor, x: Tensor, *, shape: tuple[int, ...], key: Any) -> tuple[Any, ...]:
    return (_index(g, key=key),)


def getitem(x: Tensor, key: Any) -> Tensor:
    """x[key]: whatever NumPy takes as an index, and Tensors of whole numbers or truth values."""
    if isinstance(key, tuple):
        key = tuple(part.data if isinstance(part, Tensor) else part for part in key)
    elif isinstance(key, Tensor):
        key = key.data
    return _index(x, key=key)


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


def embedding(index: Any, weight: Tensor) -> Tensor:
    """The rows weight[index].

    Args:
        index: whole numbers in [0, V), any shape.
        weight: (V, D).

    Returns:
        index.shape + (D,).

    Raises:
        TypeError: if the indices are not whole numbers.
        IndexError: if one is out of range.
    """
    rows = as_index(index, "embedding", weight.shape[0])
    return _embedding(weight, index=rows)


def as_index(index: Any, where: str, limit: int, except_for: int | None = None) -> Array:
    """Indices as int64, each checked to lie in [0, limit) or to be except_for."""
    array = np.asarray(index.data if isinstance(index, Tensor) else index)
    if array.dtype.kind not in "iu" and array.size:
        raise TypeError(f"{where}: indices must be whole numbers, got {array.dtype}")
    array = np.ascontiguousarray(array, np.int64).reshape(array.shape)
    bad = (array < 0) | (array >= limit)
    if except_for is not None:
        bad &= array != except_for
    if bad.any():
        raise IndexError(f"{where}: index {array[bad].flat[0]} is out of range for {limit} rows")
    return array
