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
    "read_all",
    "read_index",
    "rows_lie_well",
    "start_of",
    "strides_of",
    "with_rows",
]

Array = npt.NDArray[Any]

FLOAT32 = np.dtype(np.float32)

# What the smallest calls spend their time on is looking things up: these are looked up once.
from_buffer, FLOATS, NULL, empty = ffi.from_buffer, ffi.typeof("float[]"), ffi.NULL, np.empty
INTS, cast, ADDRESS = ffi.typeof("int64_t[]"), ffi.cast, ffi.typeof("uintptr_t")

LITTLE = 4096  # elements that are written in less time than it takes to place them well

DENSE = 0x101  # bits of ndarray.flags.num: aligned, and C-contiguous


def is_float32(*arrays: Array | None) -> bool:
    """Whether C serves them all."""
    for a in arrays:  # a generator would take three times as long
        if a is not None and a.dtype != FLOAT32:
            return False
    return True


def dense(a: Array) -> Array:
    """The array itself if C can read it as it lies, else a copy that it can."""
    dense = a.flags.num & DENSE == DENSE
    return a if dense else np.array(a, order="C", copy=True, ndmin=a.ndim)


def aligned(*shape: int) -> Array:
    """A new array; unless it is little it begins where a vector does, so that no store of one
    touches two cache lines."""
    size = math.prod(shape)
    if size < LITTLE:
        return empty(shape, FLOAT32)
    floats = empty(size + 15, FLOAT32)
    skip = -(int(cast(ADDRESS, from_buffer(FLOATS, floats))) // 4) % 16
    return floats[skip : skip + size].reshape(shape)


def read(a: Array | None) -> Any:
    """A pointer to the array or, if C cannot read it as it lies, to a copy; it keeps alive what it
    points to. NULL for None."""
    if a is None:
        return NULL
    return from_buffer(FLOATS, a if a.flags.num & DENSE == DENSE else dense(a))


def read_all(*arrays: Array | None) -> list[Any] | None:
    """What `read` gives of each; None if one is of another dtype, which C does not serve."""
    pointers = []
    for a in arrays:
        if a is None:
            pointers.append(NULL)
        elif a.dtype != FLOAT32:
            return None
        else:
            pointers.append(from_buffer(FLOATS, a if a.flags.num & DENSE == DENSE else dense(a)))
    return pointers


def read_index(a: Array) -> Any:
    """The same of int64."""
    return from_buffer(INTS, dense(a))


def rows_lie_well(a: Array) -> bool:
    """Whether C can use heads (B, N, T, d) where they lie: rows of d must be contiguous."""
    batch, head, time, unit = a.strides
    whole = (batch | head | time) % 4 == 0
    return whole and (unit == 4 or a.shape[3] == 1) and a.flags.aligned


def with_rows(a: Array) -> Array:
    """The array itself if its rows lie well, else a copy."""
    return a if rows_lie_well(a) else np.array(a, order="C", copy=True)


def start_of(a: Array) -> Any:
    """A pointer to the first element of heads that lie well. It is taken of the first row, that is
    contiguous: where an array itself lies, NumPy takes four times as long to say."""
    return from_buffer(FLOATS, a[0, 0, 0]) if a.size else NULL


def strides_of(a: Array) -> tuple[int, int, int]:
    """From row to row of the batch, head to head and time to time, in elements."""
    batch, head, time, _ = a.strides
    return batch // 4, head // 4, time // 4


def check(code: int) -> None:
    """Raise what a kernel's code stands for."""
    if code:  # TS_NO_MEMORY is all there is
        raise MemoryError("tinyseq: no memory for a kernel's scratch space")
