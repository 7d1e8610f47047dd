"""The kernel of numpy_rotary in C, for float32."""

from typing import Any

import numpy as np
import numpy.typing as npt

from tinyseq.backend import numpy_rotary
from tinyseq.backend.c_arrays import (
    check,
    ffi,
    is_float32,
    lib,
    read,
    rows_lie_well,
    start_of,
    strides_of,
    with_rows,
)

__all__ = ["rotary"]

Array = npt.NDArray[Any]

STRIDES, new = ffi.typeof("ts_strides *"), ffi.new


def rotary(x: Array, cos: Array, sin: Array, interleaved: bool, heads: int) -> Array:
    """Pairs of features turned; see numpy_rotary.rotary."""
    if not is_float32(x, cos, sin):
        return numpy_rotary.rotary(x, cos, sin, interleaved, heads)
    x = with_rows(x)
    y = np.empty_like(x)
    if not rows_lie_well(y):
        y = np.empty(x.shape, x.dtype)
    r = cos.shape[-1]
    check(
        lib.ts_rotary(
            *x.shape, r, heads, start_of(x), new(STRIDES, strides_of(x)), read(cos), read(sin),
            x.shape[2] * r if cos.ndim == 3 else 0, interleaved,
            start_of(y), new(STRIDES, strides_of(y)),
        )
    )  # fmt: skip
    return y
