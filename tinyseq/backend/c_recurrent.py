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
    lib,
    read,
    read_all,
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


def _call(
    kernel: Callable[..., int], cell: str, x: Array, weights: Weights, run: Run,
    given: list[Any], made: list[Any], kept: list[Any], *more: Any,
) -> None:  # fmt: skip
    """Call a kernel with a ts_recurrent, and with what else it takes.

    Pointers: `given`, to what `_read_given` says; `made`, to y and the last states; `kept`, to what
    is in Saved, or none.
    """
    lengths = NULL if run.lengths is None else read_index(run.lengths)
    described = ffi.new(
        RUN,
        (
            CELLS[cell], run.reverse, *x.shape, len(weights.w_ih) // GATES[cell],
            weights.w_hh.shape[1], run.every, lengths, *given, *_zone_steps(run.zone_h),
            *_zone_steps(run.zone_c), *made, kept,
        ),
    )  # fmt: skip
    check(kernel(described, *more))


def _read_given(
    x: Array, h0: Array, c0: Array | None, weights: Weights, run: Run
) -> list[Any] | None:
    """Pointers to x, the first states, the weights, the mask and the zones; None if C serves not
    all of them."""
    return read_all(x, h0, c0, *weights, run.mask, run.zone_h, run.zone_c)


def recurrent_forward(
    cell: str, x: Array, h0: Array, c0: Array | None, weights: Weights, run: Run, keep: bool
) -> tuple[Array, Array, Array | None, Saved | None]:
    """A cell along a batch of sequences; see numpy_recurrent.recurrent_forward."""
    given = _read_given(x, h0, c0, weights, run)
    if given is None:
        return numpy_recurrent.recurrent_forward(cell, x, h0, c0, weights, run, keep)
    B, T, _ = x.shape
    y, h_last = aligned(B, T, h0.shape[1]), empty(h0.shape, FLOAT32)
    c_last = None if c0 is None else empty(c0.shape, FLOAT32)
    saved = None
    if keep and run.every:
        longest = T if run.lengths is None or B == 0 else int(run.lengths.max())
        saved = Saved(cells=None if c0 is None else aligned(-(-longest // run.every), *c0.shape))
    elif keep:
        steps = B * T if run.lengths is None else int(run.lengths.sum())
        shapes = saved_shapes(cell, weights, steps)
        saved = Saved(*(None if shape is None else aligned(*shape) for shape in shapes))
    made, kept = [read(y), read(h_last), read(c_last)], [read(a) for a in saved or ()]
    _call(lib.ts_recurrent_forward, cell, x, weights, run, given, made, kept)
    return y, h_last, c_last, saved


def recurrent_backward(
    cell: str, dy: Array, dh_last: Array, dc_last: Array | None, x: Array, h0: Array,
    c0: Array | None, weights: Weights, run: Run, y: Array, saved: Saved, want_norm: bool,
) -> tuple[Array, Array, Array | None, Weights, Array | None]:  # fmt: skip
    """The gradient of recurrent_forward; see numpy_recurrent.recurrent_backward."""
    given = _read_given(x, h0, c0, weights, run)
    d_made, made = read_all(dy, dh_last, dc_last), read_all(y, None, None)
    kept = read_all(*saved)
    if given is None or d_made is None or made is None or kept is None:
        return numpy_recurrent.recurrent_backward(
            cell, dy, dh_last, dc_last, x, h0, c0, weights, run, y, saved, want_norm
        )
    dx, dh0 = aligned(*x.shape), empty(h0.shape, FLOAT32)
    dc0 = None if c0 is None else empty(c0.shape, FLOAT32)
    dweights = Weights(*(None if w is None else empty(w.shape, FLOAT32) for w in weights))
    norm = empty(x.shape[:2], FLOAT32) if want_norm else None
    gradients = ffi.new(GRADIENTS, [*d_made, *(read(a) for a in (dx, dh0, dc0, *dweights, norm))])
    _call(lib.ts_recurrent_backward, cell, x, weights, run, given, made, kept, gradients)
    return dx, dh0, dc0, dweights, norm
