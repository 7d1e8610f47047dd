"""Tensors from data and from nothing. Their dtype is float32 unless another is asked for."""

from collections.abc import Iterable
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyseq.autograd import Tensor
from tinyseq.autograd.tensor import to_array

__all__ = [
    "arange", "as_tensor", "eye", "full", "full_like", "linspace", "ones", "ones_like", "tensor",
    "zeros", "zeros_like",
]  # fmt: skip


def tensor(data: Any, dtype: npt.DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """A Tensor of a copy of the data: numbers, nested lists of them, or an array.

    Args:
        data: Python floats become float32 and whole numbers int64; an array keeps its dtype.
        dtype: the dtype to convert to.
        requires_grad: whether gradients with respect to it are wanted.

    Raises:
        TypeError: if the data are not numbers, or gradients of whole numbers are wanted.
    """
    return Tensor(np.array(to_array(data), dtype=dtype, copy=True), requires_grad)


def as_tensor(data: Any) -> Tensor:
    """A Tensor as it is; anything else as a Tensor that shares its array if it has one."""
    return data if isinstance(data, Tensor) else Tensor(data)


def sizes_of(sizes: tuple[Any, ...]) -> tuple[int, ...]:
    """f(2, 3) and f((2, 3)) mean the same."""
    return tuple(sizes[0]) if len(sizes) == 1 and isinstance(sizes[0], Iterable) else sizes


def zeros(
    size: Any = (), *more: int, dtype: npt.DTypeLike = np.float32, requires_grad: bool = False
) -> Tensor:
    """Zeros: zeros(2, 3) or zeros((2, 3))."""
    return Tensor(np.zeros(sizes_of((size, *more)), dtype), requires_grad)


def ones(
    size: Any = (), *more: int, dtype: npt.DTypeLike = np.float32, requires_grad: bool = False
) -> Tensor:
    """Ones: ones(2, 3) or ones((2, 3))."""
    return Tensor(np.ones(sizes_of((size, *more)), dtype), requires_grad)


def full(
    size: Any,
    fill_value: float,
    dtype: npt.DTypeLike | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """One number everywhere, in its own dtype (a float in float32) unless told otherwise."""
    array = np.full(sizes_of((size,)), fill_value, dtype or to_array(fill_value).dtype)
    return Tensor(array, requires_grad)


def eye(
    n: int, m: int | None = None, dtype: npt.DTypeLike = np.float32, requires_grad: bool = False
) -> Tensor:
    """Ones on the diagonal of an (n, m or n) matrix of zeros."""
    return Tensor(np.eye(n, m, dtype=dtype), requires_grad)


def arange(
    start: Any = None,
    end: Any = None,
    step: Any = 1,
    dtype: npt.DTypeLike | None = None,
    requires_grad: bool = False,
) -> Tensor:
    """arange(end), arange(start, end) or arange(start, end, step); int64 for whole numbers.

    Raises:
        TypeError: if no end is given.
        ValueError: if the step is 0 or leads away from the end.
    """
    start, end = (0, start) if end is None else (start or 0, end)
    if end is None:
        raise TypeError("arange: expected (end), (start, end) or (start, end, step), got nothing")
    if not step or (end - start) * step < 0:
        raise ValueError(f"arange: no steps of {step} lead from {start} to {end}")
    whole = all(isinstance(limit, int | np.integer) for limit in (start, end, step))
    # Counted in float64, so that the last of many steps is as exact as the first.
    numbers = np.arange(start, end, step, dtype="int64" if whole else "float64")
    return Tensor(numbers.astype(dtype or (np.int64 if whole else np.float32)), requires_grad)


def linspace(
    start: float,
    end: float,
    steps: int,
    dtype: npt.DTypeLike = np.float32,
    requires_grad: bool = False,
) -> Tensor:
    """So many numbers from start to end, both included, evenly spaced.

    Raises:
        ValueError: if steps is negative.
    """
    if steps < 0:
        raise ValueError(f"linspace: steps must not be negative, got {steps}")
    return Tensor(np.linspace(start, end, steps).astype(dtype), requires_grad)


def zeros_like(x: Any, dtype: npt.DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """Zeros in the shape and dtype of x, or in another dtype."""
    return full_like(x, 0, dtype, requires_grad)


def ones_like(x: Any, dtype: npt.DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """Ones in the shape and dtype of x, or in another dtype."""
    return full_like(x, 1, dtype, requires_grad)


def full_like(
    x: Any, fill_value: float, dtype: npt.DTypeLike | None = None, requires_grad: bool = False
) -> Tensor:
    """One number everywhere, in the shape and dtype of x, or in another dtype."""
    x = as_tensor(x)
    return Tensor(np.full(x.shape, fill_value, dtype or x.dtype), requires_grad)
