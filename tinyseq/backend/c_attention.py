"""The attention kernels in C: the names and meanings of numpy_attention, for float32."""

from typing import Any

import numpy as np
import numpy.typing as npt

from tinyseq.backend import numpy_attention
from tinyseq.backend.attention import KEY_TILE, Pattern
from tinyseq.backend.c_arrays import (
    FLOAT32,
    NULL,
    aligned,
    check,
    ffi,
    lib,
    read,
    read_index,
    rows_lie_well,
    start_of,
    strides_of,
    with_rows,
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
    if not _served(g, q, k, v, mask, y, totals, *given) or not all(map(rows_lie_well, given)):
        return numpy_attention.attention_backward(g, q, k, v, mask, y, totals, pattern, out=out)
    g, y = with_rows(g), with_rows(y)
    made = out or tuple(_new(*a.shape) for a in (q, k, v))
    job, _keep = _describe(q, k, v, mask, y, totals, pattern)
    gradients = [start_of(g), *map(start_of, made), *map(strides_of, (g, *made))]
    check(lib.ts_attention_backward(job, new(GRADIENTS, gradients)))
    dq, dk, dv = made
    return dq, dk, dv


def _served(*arrays: Array | None) -> bool:
    """Whether C takes them all: of float32, and a mask of booleans too."""
    return all(a is None or a.dtype == FLOAT32 or a.dtype == np.bool_ for a in arrays)


def _new(B: int, N: int, T: int, d: int) -> Array:
    """A new array (B, N, T, d) that lies in memory as (B, T, N, d)."""
    return aligned(B, T, N, d).transpose(0, 2, 1, 3)


def _describe(
    q: Array, k: Array, v: Array, mask: Array | None, y: Array, totals: Array, pattern: Pattern
) -> tuple[Any, Any]:
    """A ts_attention, and what must stay alive as long as C reads it."""
    (B, N, T, d), (_, M, S, dv) = q.shape, v.shape
    q, k, v = with_rows(q), with_rows(k), with_rows(v)
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
        B, N, M, T, S, d, dv, start_of(q), start_of(k), start_of(v), start_of(y), totals_at,
        strides_of(q), strides_of(k), strides_of(v), strides_of(y), start_at, lengths_at, slopes_at,
        added, seen, steps[:3], steps[3], pattern.scale, pattern.softcap, pattern.dropout,
        pattern.causal, pattern.window, pattern.key,
    ])  # fmt: skip
    return job, (q, k, v, mask, start_at, lengths_at, slopes_at, totals_at)
