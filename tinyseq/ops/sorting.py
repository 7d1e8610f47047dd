"""Ops that order elements. Each gives the values and where they came from."""

from typing import Any, NamedTuple

import numpy as np

from tinyseq.autograd import Array, Tensor, op
from tinyseq.ops.creation import as_tensor
from tinyseq.ops.elementwise import maximum, minimum
from tinyseq.ops.indexing import gather
from tinyseq.ops.reduce import outermost, where_outermost
from tinyseq.ops.shape import along, squeeze

__all__ = ["max", "min", "sort", "topk"]


class Picked(NamedTuple):
    """Elements, and their positions along the dimension they were picked from."""

    values: Tensor
    indices: Tensor


def max(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The largest element: of all, along dim, or of two Tensors.

    Args:
        x: any shape.
        dim: None for the largest of all, as `amax`; a dimension; or a Tensor, as `maximum`.
        keepdim: whether dim stays, with size 1.

    Returns:
        A Tensor; along a dim (values, indices) instead. Of elements that tie the first is
        picked, and it alone gets the gradient.
    """
    if dim is None or isinstance(dim, int):
        return _outermost(x, dim, keepdim, largest=True, where="max")
    return maximum(x, dim)


def min(x: Any, dim: Any = None, keepdim: bool = False) -> Any:
    """The smallest element: of all, along dim, or of two Tensors; see `max`."""
    if dim is None or isinstance(dim, int):
        return _outermost(x, dim, keepdim, largest=False, where="min")
    return minimum(x, dim)


def _outermost(x: Tensor, dim: int | None, keepdim: bool, largest: bool, where: str) -> Any:
    if dim is None:
        return outermost(x, None, keepdim, largest, where)
    indices = where_outermost(x, dim, True, largest, where)
    values = gather(x, dim, indices)
    if keepdim:
        return Picked(values, indices)
    return Picked(squeeze(values, dim), squeeze(indices, dim))


@op
def _order(x: Array, *, dim: int, descending: bool) -> Any:
    """The positions that sort x; equal elements stay in their order, NaN is above all."""
    if not x.ndim:
        return np.zeros((), np.int64)
    if not descending:
        return np.argsort(x, dim, kind="stable")
    # Sorted upwards from its other end, then read backwards: equal ones are turned round twice.
    return x.shape[dim] - 1 - np.flip(np.argsort(np.flip(x, dim), dim, kind="stable"), dim)


def sort(x: Any, dim: int = -1, descending: bool = False, stable: bool = True) -> Picked:
    """The elements in order along dim.

    Args:
        x: any shape.
        dim: which dimension.
        descending: the largest first.
        stable: PyTorch's promise that equal elements keep their order; here they always do.

    Returns:
        (values, indices), of x's shape; NaN counts as larger than everything.
    """
    x = as_tensor(x)
    d = along(x, dim, "sort")
    indices = _order(x, dim=d, descending=descending)
    return Picked(gather(x, d, indices), indices)


def topk(x: Any, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Picked:
    """The k largest elements along dim, the largest first; or the smallest.

    Args:
        x: any shape.
        k: how many, from 0 to x.shape[dim].
        dim: which dimension.
        largest: False for the k smallest, the smallest first.
        sorted: PyTorch's wish for an order; here they always have it.

    Returns:
        (values, indices), x's shape with k in the place of dim. Of equal elements the first are
        picked.

    Raises:
        ValueError: if there are not k elements.
    """
    x = as_tensor(x)
    d = along(x, dim, "topk")
    total = x.shape[d] if x.ndim else 1
    if not 0 <= k <= total:
        raise ValueError(f"topk: k must be from 0 to {total}, got {k}")
    first = (slice(None),) * d + (slice(k),)
    indices = _order(x, dim=d, descending=largest)[first[: x.ndim]]
    return Picked(gather(x, d, indices), indices)
