"""Ops that keep some elements and replace the others."""

from typing import Any

import numpy as np

from tinyseq.autograd import Array, Tensor, op
from tinyseq.ops.creation import as_tensor
from tinyseq.ops.elementwise import cast, where
from tinyseq.ops.indexing import as_index

__all__ = ["masked_fill", "one_hot", "tril", "triu"]


def masked_fill(x: Tensor, mask: Any, value: Any) -> Tensor:
    """x, with value where the mask is true.

    Args:
        x: any shape.
        mask: truth values, broadcast with x.
        value: a number, or a Tensor of one, to which the gradient of those places goes.

    Returns:
        The broadcast shape, in x's dtype.

    Raises:
        TypeError: if the mask does not hold truth values, or the value is no whole number where
            x holds such.
        ValueError: if the value has dimensions.
    """
    x, mask = as_tensor(x), as_tensor(mask)
    if mask.dtype != np.bool_:
        raise TypeError(f"masked_fill: mask must be bool, got {mask.dtype}")
    if np.ndim(value.data if isinstance(value, Tensor) else value):
        raise ValueError(f"masked_fill: value must be one number, got shape {value.shape}")
    if x.dtype.kind != "f" and not float(value).is_integer():
        raise TypeError(f"masked_fill: value must be {x.dtype} as x is, got {value}")
    y = where(mask, value, x)
    return y if y.dtype == x.dtype else cast(y, dtype=x.dtype)


@op
def _triangle(x: Array, *, diagonal: int, lower: bool) -> Any:
    return (np.tril if lower else np.triu)(x, diagonal)


@_triangle.vjp
def _(g: Tensor, y: Tensor, x: Tensor, *, diagonal: int, lower: bool) -> tuple[Any, ...]:
    return (_triangle(g, diagonal=diagonal, lower=lower),)


def tril(x: Tensor, diagonal: int = 0) -> Tensor:
    """The matrices (..., M, N) with zeros above a diagonal: the main one, or so many above it."""
    return _triangle(_matrices(x, "tril"), diagonal=diagonal, lower=True)


def triu(x: Tensor, diagonal: int = 0) -> Tensor:
    """The matrices (..., M, N) with zeros below a diagonal: the main one, or so many above it."""
    return _triangle(_matrices(x, "triu"), diagonal=diagonal, lower=False)


def _matrices(x: Tensor, where: str) -> Tensor:
    x = as_tensor(x)
    if x.ndim < 2:
        raise ValueError(f"{where}: x must be (..., M, N), got {x.shape}")
    return x


def one_hot(index: Any, num_classes: int = -1) -> Tensor:
    """Zeros but for a 1 at each index.

    Args:
        index: whole numbers in [0, num_classes), any shape.
        num_classes: how many; -1 for one more than the largest index.

    Returns:
        index.shape + (num_classes,), int64.

    Raises:
        TypeError: if the indices are not whole numbers.
        IndexError: if one is out of range.
        ValueError: if the classes are to be counted and there is no index.
    """
    array = as_tensor(index).data
    if num_classes == -1:
        if not array.size:
            raise ValueError("one_hot: num_classes is needed where there is no index")
        num_classes = int(array.max()) + 1
    rows = as_index(array, "one_hot", num_classes)
    return Tensor((rows[..., None] == np.arange(num_classes)).astype(np.int64))
