"""The recurrent kernels in C: the names and meanings of numpy_recurrent, for float32."""

from typing import Any

import numpy as np
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
from tinyseq.backend.numpy_recurrent import Backward, Forward, Outcome, Shares
from tinyseq.backend.recurrent import GATES, Run, Saved, Weights, saved_shapes

Array = npt.NDArray[Any]

CELLS = {
    "rnn_tanh": lib.TS_RNN_TANH,
    "rnn_relu": lib.TS_RNN_RELU,
    "lstm": lib.TS_LSTM,
    "gru": lib.TS_GRU,
    "gru_before": lib.TS_GRU_BEFORE,
}
RUNS, GRADIENTS = ffi.typeof("ts_recurrent[]"), ffi.typeof("ts_recurrent_gradients[]")


def _read_given(
    x: Array, h0: Array, c0: Array | None, weights: Weights, run: Run
) -> list[Any] | None:
    """Pointers to x, the first states, the weights, the mask and the zones; None if C serves not
    all of them."""
    return read_all(x, h0, c0, *weights, run.mask, run.zone_h, run.zone_c)


def recurrent_forward(
    cell: str, x: Array, h0: Array, c0: Array | None, weights: Weights, run: Run, keep: bool
) -> Outcome:
    """A cell along a batch of sequences; see numpy_recurrent.recurrent_forward."""
    return _forward((cell, x, h0, c0, weights, run, keep))[0]


def recurrent_forward_pair(first: Forward, second: Forward) -> tuple[Outcome, Outcome]:
    """Two of them side by side; see numpy_recurrent.recurrent_forward_pair."""
    one, two = _forward(first, second)
    return one, two


def recurrent_backward(
    cell: str, dy: Array, dh_last: Array, dc_last: Array | None, x: Array, h0: Array,
    c0: Array | None, weights: Weights, run: Run, y: Array, saved: Saved, want_norm: bool,
) -> Shares:  # fmt: skip
    """The gradient of recurrent_forward; see numpy_recurrent.recurrent_backward."""
    return _backward(
        (cell, dy, dh_last, dc_last, x, h0, c0, weights, run, y, saved, want_norm)
    )[0]  # fmt: skip


def recurrent_backward_pair(first: Backward, second: Backward) -> tuple[Shares, Shares]:
    """Two of them side by side; see numpy_recurrent.recurrent_backward_pair."""
    one, two = _backward(first, second)
    return one, two


def _forward(*calls: Forward) -> list[Outcome]:
    for _, x, h0, c0, weights, run, _ in calls:
        if not _serves(x, h0, c0, weights, run):
            return [numpy_recurrent.recurrent_forward(*call) for call in calls]
    outcomes = [_new_outcome(*call) for call in calls]
    runs = [_fields(*call[:6], *made) for call, made in zip(calls, outcomes, strict=True)]
    check(lib.ts_recurrent_forward(len(runs), ffi.new(RUNS, runs)))
    return outcomes


def _backward(*calls: Backward) -> list[Shares]:
    for _, *given, x, h0, c0, weights, run, y, saved, _ in calls:
        if not (_serves(x, h0, c0, weights, run) and is_float32(*given, y, *saved)):
            return [numpy_recurrent.recurrent_backward(*call) for call in calls]
    shares, runs, gradients = [], [], []
    for cell, dy, dh_last, dc_last, x, h0, c0, weights, run, y, saved, want_norm in calls:
        dx, dh0, dc0 = aligned(*x.shape), _like(h0), _like(c0)
        dweights = Weights(*map(_like, weights))
        norm = empty(x.shape[:2], FLOAT32) if want_norm else None
        shares.append((dx, dh0, dc0, dweights, norm))
        runs.append(_fields(cell, x, h0, c0, weights, run, y, None, None, saved))
        pointers = (dy, dh_last, dc_last, dx, dh0, dc0, *dweights, norm)
        gradients.append([read(a) for a in pointers])
    check(lib.ts_recurrent_backward(len(runs), ffi.new(RUNS, runs), ffi.new(GRADIENTS, gradients)))
    return shares


def _serves(x: Array, h0: Array, c0: Array | None, weights: Weights, run: Run) -> bool:
    """Whether C does: it has float32, and at least one unit."""
    every = is_float32(x, h0, c0, *weights, run.mask, run.zone_h, run.zone_c)
    return every and len(weights.w_ih) > 0


def _new_outcome(
    cell: str, x: Array, h0: Array, c0: Array | None, weights: Weights, run: Run, keep: bool
) -> Outcome:
    """Room for what comes out."""
    (B, T, _), H = x.shape, len(weights.w_ih) // GATES[cell]
    saved = None
    if keep and run.every:
        longest = T if run.lengths is None or B == 0 else int(run.lengths.max())
        saved = Saved(cells=None if c0 is None else aligned(-(-longest // run.every), *c0.shape))
    elif keep:
        steps = B * T if run.lengths is None else int(run.lengths.sum())
        shapes = saved_shapes(cell, weights, steps)
        saved = Saved(*(None if shape is None else aligned(*shape) for shape in shapes))
    return aligned(B, T, h0.shape[1]), _like(h0), _like(c0), saved


def _like(a: Array | None) -> Any:
    return None if a is None else empty(a.shape, FLOAT32)


def _fields(
    cell: str, x: Array, h0: Array, c0: Array | None, weights: Weights, run: Run, y: Array,
    h_last: Array | None, c_last: Array | None, saved: Saved | None,
) -> tuple[Any, ...]:  # fmt: skip
    """The fields of a ts_recurrent; they keep alive what C reads, copies included."""
    lengths = NULL if run.lengths is None else read_index(np.asarray(run.lengths, np.int64))
    given = [read(a) for a in (x, h0, c0, *weights, run.mask, run.zone_h, run.zone_c)]
    made = [read(a) for a in (y, h_last, c_last)]
    return (
        CELLS[cell], run.reverse, *x.shape, len(weights.w_ih) // GATES[cell], h0.shape[1],
        run.every, lengths, *given, *_zone_steps(run.zone_h), *_zone_steps(run.zone_c), *made,
        [read(a) for a in saved or ()],
    )  # fmt: skip


def _zone_steps(zone: Array | None) -> tuple[int, int]:
    """How far apart in memory two rows and two times are; 0 where one stands for all."""
    if zone is None:
        return 0, 0
    rows, times, width = zone.shape
    return (times * width if rows > 1 else 0), (width if times > 1 else 0)
