"""The kernels of numpy_norm in C, for float32."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyseq.backend import numpy_norm
from tinyseq.backend.c_arrays import FLOAT32, aligned, check, lib, read, read_all

__all__ = ["norm_backward", "norm_forward"]

Array = npt.NDArray[Any]


def norm_forward(
    x: Array, residual: Array | None, weight: Array | None, bias: Array | None, *,
    dims: int, eps: float, centred: bool,
) -> tuple[Array, Array, Array | None, Array]:  # fmt: skip
    """Layer norm or RMS norm; see numpy_norm.norm_forward."""
    given = read_all(x, residual, weight, bias)
    if given is None:
        return numpy_norm.norm_forward(
            x, residual, weight, bias, dims=dims, eps=eps, centred=centred
        )
    rows, width, one_each = _sizes(x, dims)
    y, scale = aligned(*x.shape), np.empty(one_each, FLOAT32)
    total = None if residual is None else aligned(*x.shape)
    mean = np.empty(one_each, FLOAT32) if centred else None
    made = map(read, (y, total, mean, scale))
    check(lib.ts_norm_forward(rows, width, *given, eps, *made))
    return y, x if total is None else total, mean, scale


def norm_backward(
    g: Array, g_sum: Array | None, s: Array, weight: Array | None, mean: Array | None, scale: Array,
    *, dims: int, wanted_weight: bool, wanted_bias: bool,
) -> tuple[Array, Array | None, Array | None]:  # fmt: skip
    """The gradients of a norm; see numpy_norm.norm_backward."""
    given = read_all(g, g_sum, s, weight, mean, scale)
    if given is None:
        return numpy_norm.norm_backward(
            g, g_sum, s, weight, mean, scale,
            dims=dims, wanted_weight=wanted_weight, wanted_bias=wanted_bias,
        )  # fmt: skip
    rows, width, _ = _sizes(s, dims)
    ds, shape = aligned(*s.shape), s.shape[-dims:]
    dweight = np.empty(shape, FLOAT32) if wanted_weight else None
    dbias = np.empty(shape, FLOAT32) if wanted_bias else None
    check(lib.ts_norm_backward(rows, width, *given, *map(read, (ds, dweight, dbias))))
    return ds, dweight, dbias


def _sizes(x: Array, dims: int) -> tuple[int, int, tuple[int, ...]]:
    """Rows, their width, and x's shape with dims of size 1 in place of the last."""
    before, width = x.shape[:-dims], math.prod(x.shape[-dims:])
    return math.prod(before), width, (*before, *(1,) * dims)
