"""Tensors from data and from nothing. Their dtype is float32 unless another is asked for."""

from typing import Any

import numpy as np
import numpy.typing as npt

from tinyseq.autograd import Tensor
from tinyseq.autograd.tensor import to_array

__all__ = ["arange", "eye", "full", "ones", "ones_like", "tensor", "zeros", "zeros_like"]


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


def _shape(sizes: tuple[Any, ...]) -> tuple[int, ...]:
    return tuple(sizes[0]) if len(sizes) == 1 and not isinstance(sizes[0], int) else sizes


def zeros(*size: Any, dtype: npt.DTypeLike = np.float32, requires_grad: bool = False) -> Tensor:
    """Zeros: zeros(2, 3) or zeros((2, 3))."""
    return Tensor(np.zeros(_shape(size), dtype), requires_grad)


def ones(*size: Any, dtype: npt.DTypeLike = np.float32, requires_grad: bool = False) -> Tensor:
    """Ones: ones(2, 3) or ones((2, 3))."""
    return Tensor(np.ones(_shape(size), dtype), requires_grad)


def full(size: tuple[int, ...], fill_value: float, dtype: npt.DTypeLike | None = None) -> Tensor:
    """One number everywhere, in its own dtype (a float in float32) unless told otherwise."""
    return Tensor(np.full(size, fill_value, dtype or to_array(fill_value).dtype))


def eye(n: int, m: int | None = None, dtype: npt.DTypeLike = np.float32) -> Tensor:
    """Ones on the diagonal of an (n, m or n) matrix of zeros."""
    return Tensor(np.eye(n, m, dtype=dtype))


def arange(*limits: float, dtype: npt.DTypeLike | None = None) -> Tensor:
    """arange(end), arange(start, end) or arange(start, end, step); int64 for whole numbers."""
    whole = all(isinstance(limit, int) for limit in limits)
    return Tensor(np.arange(*limits, dtype=dtype or (np.int64 if whole else np.float32)))


def zeros_like(x: Tensor) -> Tensor:
    """Zeros in the shape and dtype of x."""
    return Tensor(np.zeros_like(x.data))


def ones_like(x: Tensor) -> Tensor:
    """Ones in the shape and dtype of x."""
    return Tensor(np.ones_like(x.data))
