"""The recurrent kernels in C: the names and meanings of numpy_recurrent, for float32."""

from typing import Any

import numpy as np
import numpy.typing as npt

from tinyseq.backend import numpy_recurrent
from tinyseq.backend.c_arrays import aligned, check, dense, ffi, is_float32, lib, read, read_index
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
NOTHING = Saved()


def _readable(a: Array | None) -> Array | None:
    return None if a is None else dense(a)


def _zone_steps(zone: Array | None) -> tuple[int, int]:
    """How far apart in memory two rows and two times are; 0 where one stands for all."""
    if zone is None:
        return 0, 0
    rows, times, width = zone.shape
    return (times * width if rows > 1 else 0), (width if times > 1 else 0)


def _describe(
    cell: str, x: Array, h0: Array, c0: Array | None, weights: Weights, run: Run, y: Array,
    h_last: Array | None, c_last: Array | None, saved: Saved,
) -> Any:  # fmt: skip
    """A ts_recurrent; whatever it points to must outlive it."""
    lengths = read(None) if run.lengths is None else read_index(run.lengths)
    return ffi.new(
        RUN,
        (
            CELLS[cell], run.reverse, *x.shape, len(weights.w_ih) // GATES[cell], h0.shape[1],
            run.every, lengths, read(x), read(h0), read(c0), *(read(w) for w in weights),
            read(run.mask), read(run.zone_h), read(run.zone_c),
            *_zone_steps(run.zone_h), *_zone_steps(run.zone_c),
            read(y), read(h_last), read(c_last), tuple(read(a) for a in saved),
        ),
    )  # fmt: skip


def _dense_run(run: Run) -> Run:
    lengths = None if run.lengths is None else dense(np.asarray(run.lengths, np.int64))
    mask, zone_h, zone_c = map(_readable, (run.mask, run.zone_h, run.zone_c))
    return Run(lengths, run.reverse, mask, zone_h, zone_c, run.every)


def recurrent_forward(
    cell: str, x: Array, h0: Array, c0: Array | None, weights: Weights, run: Run, keep: bool
) -> tuple[Array, Array, Array | None, Saved | None]:
    """A cell along a batch of sequences; see numpy_recurrent.recurrent_forward."""
    if not (
        is_float32(x, h0, c0, *weights, run.mask, run.zone_h, run.zone_c) and len(weights.w_ih)
    ):
        return numpy_recurrent.recurrent_forward(cell, x, h0, c0, weights, run, keep)
    (B, T, _), H = x.shape, len(weights.w_ih) // GATES[cell]
    x, h0, c0 = dense(x), dense(h0), _readable(c0)
    weights, run = Weights(*map(_readable, weights)), _dense_run(run)
    y, h_last = aligned(B, T, h0.shape[1]), np.empty(h0.shape, np.float32)
    c_last = None if c0 is None else np.empty(c0.shape, np.float32)
    saved = NOTHING
    if keep and run.every:
        longest = T if run.lengths is None or B == 0 else int(run.lengths.max())
        saved = Saved(cells=None if c0 is None else aligned(-(-longest // run.every), B, H))
    elif keep:
        steps = B * T if run.lengths is None else int(run.lengths.sum())
        shapes = saved_shapes(cell, weights, steps)
        saved = Saved(*(None if shape is None else aligned(*shape) for shape in shapes))
    described = _describe(cell, x, h0, c0, weights, run, y, h_last, c_last, saved)
    check(lib.ts_recurrent_forward(described))
    return y, h_last, c_last, saved if keep else None


def recurrent_backward(
    cell: str, dy: Array, dh_last: Array, dc_last: Array | None, x: Array, h0: Array,
    c0: Array | None, weights: Weights, run: Run, y: Array, saved: Saved, want_norm: bool,
) -> tuple[Array, Array, Array | None, Weights, Array | None]:  # fmt: skip
    """The gradient of recurrent_forward; see numpy_recurrent.recurrent_backward."""
    given = (dy, dh_last, dc_last, x, h0, c0, y)
    arrays = (*given, *weights, *saved, run.mask, run.zone_h, run.zone_c)
    if not (is_float32(*arrays) and len(weights.w_ih)):
        return numpy_recurrent.recurrent_backward(
            cell, dy, dh_last, dc_last, x, h0, c0, weights, run, y, saved, want_norm
        )
    dy, dh_last, x, h0, y = (dense(a) for a in (dy, dh_last, x, h0, y))
    dc_last, c0 = _readable(dc_last), _readable(c0)
    weights, saved, run = (
        Weights(*map(_readable, weights)),
        Saved(*map(_readable, saved)),
        _dense_run(run),
    )
    dx, dh0 = aligned(*x.shape), np.empty(h0.shape, np.float32)
    dc0 = None if c0 is None else np.empty(c0.shape, np.float32)
    dweights = Weights(*(None if w is None else np.empty(w.shape, np.float32) for w in weights))
    norm = np.empty(x.shape[:2], np.float32) if want_norm else None
    outputs = (dx, dh0, dc0, *dweights, norm)
    gradients = ffi.new(GRADIENTS, tuple(read(a) for a in (dy, dh_last, dc_last, *outputs)))
    described = _describe(cell, x, h0, c0, weights, run, y, None, None, saved)
    check(lib.ts_recurrent_backward(described, gradients))
    return dx, dh0, dc0, dweights, norm
