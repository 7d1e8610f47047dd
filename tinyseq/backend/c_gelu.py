"""The kernels of numpy_gelu in C, for float32; erf is beside exp and tanh, in c_kernels."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyseq.backend import numpy_gelu
from tinyseq.backend.c_arrays import FLOAT32, aligned, check, is_float32, lib, read
from tinyseq.backend.c_kernels import GELUS

__all__ = ["gelu", "gelu_backward", "sum_rows"]

Array = npt.NDArray[Any]


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
