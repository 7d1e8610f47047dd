"""The extension, and arrays as it reads and writes them. The only file that imports it."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyseq._csrc import ffi, lib

__all__ = [
    "DENSE",
    "FLOAT32",
    "FLOATS",
    "NULL",
    "aligned",
    "check",
    "dense",
    "empty",
    "ffi",
    "from_buffer",
    "is_float32",
    "lib",
    "read",
    "read_index",
]

Array = npt.NDArray[Any]

FLOAT32 = np.dtype(np.float32)

# What the smallest calls spend their time on is looking things up: these are looked up once.
from_buffer, FLOATS, NULL, empty = ffi.from_buffer, ffi.typeof("float[]"), ffi.NULL, np.empty

DENSE = 0x101  # bits of ndarray.flags.num: aligned, and C-contiguous


def is_float32(*arrays: Array | None) -> bool:
    """Whether C serves them all."""
    return all(a is None or a.dtype == FLOAT32 for a in arrays)


def dense(a: Array) -> Array:
    """The array itself if C can read it as it lies, else a copy that it can."""
    dense = a.flags.num & DENSE == DENSE
    return a if dense else np.array(a, order="C", copy=True, ndmin=a.ndim)


def aligned(*shape: int) -> Array:
    """A new array that begins where a vector does: no store of one then touches two cache lines."""
    size = math.prod(shape)
    floats = np.empty(size + 15, np.float32)
    skip = -(floats.ctypes.data // 4) % 16
    return floats[skip : skip + size].reshape(shape)


def read(a: Array | None) -> Any:
    """A pointer to a dense array, good while the array lives; NULL for None."""
    return ffi.NULL if a is None else from_buffer(FLOATS, a)


def read_index(a: Array) -> Any:
    """A pointer to dense int64."""
    return ffi.from_buffer("int64_t[]", a)


def check(code: int) -> None:
    """Raise what a kernel's code stands for."""
    if code:  # TS_NO_MEMORY is all there is
        raise MemoryError("tinyseq: no memory for a kernel's scratch space")
