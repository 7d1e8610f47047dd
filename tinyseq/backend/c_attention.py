"""The attention kernels in C: the names and meanings of numpy_attention, for float32."""

from typing import Any

import numpy as np
import numpy.typing as npt

from tinyseq.backend import numpy_attention
from tinyseq.backend.attention import KEY_TILE, Pattern
from tinyseq.backend.c_arrays import (
    FLOAT32,
    FLOATS,
    NULL,
    aligned,
    check,
    ffi,
    from_buffer,
    lib,
    read,
    read_index,
)

Array = npt.NDArray[Any]

if lib.TS_KEY_TILE != KEY_TILE:  # an extension of another version
    raise ImportError(
        f"the extension's tiles have {lib.TS_KEY_TILE} keys, not {KEY_TILE}: build it anew"
    )

ATTENTION, GRADIENTS = ffi.typeof("ts_attention *"), ffi.typeof("ts_attention_gradients *")
FLOAT_POINTER, BYTE_POINTER = ffi.typeof("float *"), ffi.typeof("uint8_t *")
cast, new = ffi.cast, ffi.new


def attention_forward(
    q: Array, k: Array, v: Array, mask: Array | None, pattern: Pattern
) -> tuple[Array, Array]:
    """softmax(scale q kᵀ + ...) v; see numpy_attention.attention_forward."""
    if not _served(q, k, v, mask):
        return numpy_attention.attention_forward(q, k, v, mask, pattern)
    B, N, T, _ = q.shape
    y, totals = _new(B, N, T, v.shape[3]), np.empty((2, B, N, T), FLOAT32)
    job, _keep = _describe(q, k, v, mask, y, totals, pattern)
    check(lib.ts_attention_forward(job))
    return y, totals


def attention_backward(
    g: Array, q: Array, k: Array, v: Array, mask: Array | None, y: Array, totals: Array,
    pattern: Pattern, out: tuple[Array, Array, Array] | None = None,
) -> tuple[Array, Array, Array]:  # fmt: skip
    """The gradient of attention_forward; see numpy_attention.attention_backward."""
    given = out or ()
    if not _served(g, q, k, v, mask, y, totals, *given) or not all(map(_lies_well, given)):
        return numpy_attention.attention_backward(g, q, k, v, mask, y, totals, pattern, out=out)
    g, y = _readable(g), _readable(y)
    made = out or tuple(_new(*a.shape) for a in (q, k, v))
    job, _keep = _describe(q, k, v, mask, y, totals, pattern)
    gradients = [_start(g), *map(_start, made), *map(_strides, (g, *made))]
    check(lib.ts_attention_backward(job, new(GRADIENTS, gradients)))
    dq, dk, dv = made
    return dq, dk, dv


def _served(*arrays: Array | None) -> bool:
    """Whether C takes them all: of float32, and a mask of booleans too."""
    return all(a is None or a.dtype == FLOAT32 or a.dtype == np.bool_ for a in arrays)


def _new(B: int, N: int, T: int, d: int) -> Array:
    """A new array (B, N, T, d) that lies in memory as (B, T, N, d)."""
    return aligned(B, T, N, d).transpose(0, 2, 1, 3)


def _lies_well(a: Array) -> bool:
    """Whether C can use it where it lies: it asks for nothing but contiguous rows."""
    batch, head, time, unit = a.strides
    whole = (batch | head | time) % 4 == 0
    return whole and (unit == 4 or a.shape[3] == 1) and a.flags.aligned


def _readable(a: Array) -> Array:
    return a if _lies_well(a) else np.array(a, order="C", copy=True)


def _start(a: Array) -> Any:
    """A pointer to the first element of an array that lies well. It is taken of the first row, that
    is contiguous: where an array itself lies, NumPy takes four times as long to say."""
    return from_buffer(FLOATS, a[0, 0, 0]) if a.size else NULL


def _strides(a: Array) -> tuple[int, int, int]:
    batch, head, time, _ = a.strides
    return batch // 4, head // 4, time // 4


def _describe(
    q: Array, k: Array, v: Array, mask: Array | None, y: Array, totals: Array, pattern: Pattern
) -> tuple[Any, Any]:
    """A ts_attention, and what must stay alive as long as C reads it."""
    (B, N, T, d), (_, M, S, dv) = q.shape, v.shape
    q, k, v = _readable(q), _readable(k), _readable(v)
    start = pattern.start
    if start is None:
        start = np.full(B, S - T, np.int64)
    lengths, slopes = pattern.lengths, pattern.slopes
    start_at = read_index(start)
    lengths_at = NULL if lengths is None else read_index(lengths)
    slopes_at = NULL if slopes is None else read(np.asarray(slopes, FLOAT32))
    totals_at = read(totals)
    added = seen = NULL
    steps = [0, 0, 0, 0]
    if mask is not None:
        size = mask.itemsize
        if not mask.flags.aligned or any(s % size for s in mask.strides):
            mask = np.array(mask, order="C", copy=True)
        steps = [0 if n == 1 else s // size for n, s in zip(mask.shape, mask.strides, strict=True)]
        address = mask.__array_interface__["data"][0]
        if mask.dtype == FLOAT32:
            added = cast(FLOAT_POINTER, address)
        else:
            seen = cast(BYTE_POINTER, address)
    job = new(ATTENTION, [
        B, N, M, T, S, d, dv, _start(q), _start(k), _start(v), _start(y), totals_at,
        _strides(q), _strides(k), _strides(v), _strides(y), start_at, lengths_at, slopes_at,
        added, seen, steps[:3], steps[3], pattern.scale, pattern.softcap, pattern.dropout,
        pattern.causal, pattern.window, pattern.key,
    ])  # fmt: skip
    return job, (q, k, v, mask, start_at, lengths_at, slopes_at, totals_at)
