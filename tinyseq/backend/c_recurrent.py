"""The recurrent kernels in C: the names and meanings of numpy_recurrent, for float32."""

from collections.abc import Callable
from typing import Any

import numpy.typing as npt

from tinyseq.backend import numpy_recurrent
from tinyseq.backend.c_arrays import (
    FLOAT32,
    NULL,
    aligned,
    check,
    empty,
    ffi,
    is_float32,
    lib,
    read,
    read_index,
)
from tinyseq.backend.recurrent import GATES, Run, Saved, Weights, saved_shapes

Array = npt.NDArray[Any]

CELLS = {
    "rnn_tanh": lib.TS_RNN_TANH,
    "rnn_relu": lib.TS_RNN_RELU,
    "lstm": lib.TS_LSTM,
    "gru": lib.TS_GRU,
    "gru_before": lib.TS_GRU_BEFORE,
}
RUN, GRADIENTS = ffi.typeof("ts_recurrent *"), ffi.typeof("ts_recurrent_gradients *")


def _zone_steps(zone: Array | None) -> tuple[int, int]:
    """How far apart in memory two rows and two times are; 0 where one stands for all."""
    if zone is None:
        return 0, 0
    rows, times, width = zone.shape
    return (times * width if rows > 1 else 0), (width if times > 1 else 0)


def _run(
    kernel: Callable[..., int], cell: str, x: Array, h0: Array, c0: Array | None, weights: Weights,
    run: Run, y: Array, h_last: Array | None, c_last: Array | None, saved: Saved | None, *more: Any,
) -> None:  # fmt: skip
    """Call a kernel with all this in a ts_recurrent, and with what else it takes."""
    # Until the kernel is done these keep alive what C reads, copies included.
    given = [read(a) for a in (x, h0, c0, *weights, run.mask, run.zone_h, run.zone_c)]
    made = [read(a) for a in (y, h_last, c_last)]
    kept = [read(a) for a in saved or ()]
    lengths = NULL if run.lengths is None else read_index(run.lengths)
    described = ffi.new(
        RUN,
        (
            CELLS[cell], run.reverse, *x.shape, len(weights.w_ih) // GATES[cell], h0.shape[1],
            run.every, lengths, *given, *_zone_steps(run.zone_h), *_zone_steps(run.zone_c), *made,
            kept,
        ),
    )  # fmt: skip
    check(kernel(described, *more))


def recurrent_forward(
    cell: str, x: Array, h0: Array, c0: Array | None, weights: Weights, run: Run, keep: bool
) -> tuple[Array, Array, Array | None, Saved | None]:
    """A cell along a batch of sequences; see numpy_recurrent.recurrent_forward."""
    if not is_float32(x, h0, c0, *weights, run.mask, run.zone_h, run.zone_c):
        return numpy_recurrent.recurrent_forward(cell, x, h0, c0, weights, run, keep)
    (B, T, _), H = x.shape, len(weights.w_ih) // GATES[cell]
    y, h_last = aligned(B, T, h0.shape[1]), empty(h0.shape, FLOAT32)
    c_last = None if c0 is None else empty(c0.shape, FLOAT32)
    saved = None
    if keep and run.every:
        longest = T if run.lengths is None or B == 0 else int(run.lengths.max())
        saved = Saved(cells=None if c0 is None else aligned(-(-longest // run.every), B, H))
    elif keep:
        steps = B * T if run.lengths is None else int(run.lengths.sum())
        shapes = saved_shapes(cell, weights, steps)
        saved = Saved(*(None if shape is None else aligned(*shape) for shape in shapes))
    forward = lib.ts_recurrent_forward
    _run(forward, cell, x, h0, c0, weights, run, y, h_last, c_last, saved)
    return y, h_last, c_last, saved


def recurrent_backward(
    cell: str, dy: Array, dh_last: Array, dc_last: Array | None, x: Array, h0: Array,
    c0: Array | None, weights: Weights, run: Run, y: Array, saved: Saved, want_norm: bool,
) -> tuple[Array, Array, Array | None, Weights, Array | None]:  # fmt: skip
    """The gradient of recurrent_forward; see numpy_recurrent.recurrent_backward."""
    given = (dy, dh_last, dc_last, x, h0, c0, y)
    if not is_float32(*given, *weights, *saved, run.mask, run.zone_h, run.zone_c):
        return numpy_recurrent.recurrent_backward(
            cell, dy, dh_last, dc_last, x, h0, c0, weights, run, y, saved, want_norm
        )
    dx, dh0 = aligned(*x.shape), empty(h0.shape, FLOAT32)
    dc0 = None if c0 is None else empty(c0.shape, FLOAT32)
    dweights = Weights(*(None if w is None else empty(w.shape, FLOAT32) for w in weights))
    norm = empty(x.shape[:2], FLOAT32) if want_norm else None
    pointers = [read(a) for a in (dy, dh_last, dc_last, dx, dh0, dc0, *dweights, norm)]
    gradients = ffi.new(GRADIENTS, pointers)
    backward = lib.ts_recurrent_backward
    _run(backward, cell, x, h0, c0, weights, run, y, None, None, saved, gradients)
    return dx, dh0, dc0, dweights, norm
