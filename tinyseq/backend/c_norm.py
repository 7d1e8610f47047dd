"""The kernels of numpy_norm and numpy_gelu in C, for float32."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyseq.backend import numpy_gelu, numpy_norm
from tinyseq.backend.c_arrays import FLOAT32, aligned, check, is_float32, lib, read
from tinyseq.backend.c_kernels import GELUS

__all__ = ["gelu", "gelu_backward", "norm_backward", "norm_forward", "sum_rows"]

Array = npt.NDArray[Any]


def norm_forward(
    x: Array, residual: Array | None, weight: Array | None, bias: Array | None, *,
    dims: int, eps: float, centred: bool,
) -> tuple[Array, Array, Array | None, Array]:  # fmt: skip
    """Layer norm or RMS norm; see numpy_norm.norm_forward."""
    if not is_float32(x, residual, weight, bias):
        return numpy_norm.norm_forward(
            x, residual, weight, bias, dims=dims, eps=eps, centred=centred
        )
    rows, width, one_each = _sizes(x, dims)
    y, scale = aligned(*x.shape), np.empty(one_each, FLOAT32)
    s = x if residual is None else aligned(*x.shape)
    mean = np.empty(one_each, FLOAT32) if centred else None
    check(
        lib.ts_norm_forward(
            rows, width, read(x), read(residual), read(weight), read(bias), eps,
            read(y), read(None if residual is None else s), read(mean), read(scale),
        )
    )  # fmt: skip
    return y, s, mean, scale


def norm_backward(
    g: Array, g_sum: Array | None, s: Array, weight: Array | None, mean: Array | None, scale: Array,
    *, dims: int, wanted_weight: bool, wanted_bias: bool,
) -> tuple[Array, Array | None, Array | None]:  # fmt: skip
    """The gradients of a norm; see numpy_norm.norm_backward."""
    if not is_float32(g, g_sum, s, weight, mean, scale):
        return numpy_norm.norm_backward(
            g, g_sum, s, weight, mean, scale,
            dims=dims, wanted_weight=wanted_weight, wanted_bias=wanted_bias,
        )  # fmt: skip
    rows, width, _ = _sizes(s, dims)
    ds, shape = aligned(*s.shape), s.shape[-dims:]
    dweight = np.empty(shape, FLOAT32) if wanted_weight else None
    dbias = np.empty(shape, FLOAT32) if wanted_bias else None
    check(
        lib.ts_norm_backward(
            rows, width, read(g), read(g_sum), read(s), read(weight), read(mean), read(scale),
            read(ds), read(dweight), read(dbias),
        )
    )  # fmt: skip
    return ds, dweight, dbias


def _sizes(x: Array, dims: int) -> tuple[int, int, tuple[int, ...]]:
    """Rows, their width, and x's shape with dims of size 1 in place of the last."""
    before, width = x.shape[:-dims], math.prod(x.shape[-dims:])
    return math.prod(before), width, (*before, *(1,) * dims)


def gelu(x: Array, approximate: str) -> Array:
    """GELU; see numpy_gelu.gelu."""
    if not is_float32(x):
        return numpy_gelu.gelu(x, approximate)
    y = aligned(*x.shape)
    check(lib.ts_gelu(x.size, read(x), GELUS[approximate], read(y)))
    return y


def gelu_backward(
    g: Array, x: Array, approximate: str, wanted_bias: bool
) -> tuple[Array, Array | None]:
    """The gradient of GELU; see numpy_gelu.gelu_backward."""
    if not is_float32(g, x):
        return numpy_gelu.gelu_backward(g, x, approximate, wanted_bias)
    dx = aligned(*x.shape)
    if not wanted_bias:
        check(
            lib.ts_gelu_backward(
                1, x.size, read(g), read(x), GELUS[approximate], read(dx), read(None)
            )
        )
        return dx, None
    dbias = np.empty(x.shape[-1], FLOAT32)
    rows = math.prod(x.shape[:-1])
    check(
        lib.ts_gelu_backward(
            rows, x.shape[-1], read(g), read(x), GELUS[approximate], read(dx), read(dbias)
        )
    )
    return dx, dbias


def sum_rows(x: Array) -> Array:
    """The sum over all dimensions but the last; see numpy_gelu.sum_rows."""
    if not is_float32(x):
        return numpy_gelu.sum_rows(x)
    y = np.empty(x.shape[-1], FLOAT32)
    check(lib.ts_sum_rows(math.prod(x.shape[:-1]), x.shape[-1], read(x), read(y)))
    return y
