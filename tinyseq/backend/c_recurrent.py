"""The recurrent kernels in C: the names and meanings of numpy_recurrent, for float32."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyseq.backend import numpy_recurrent
from tinyseq.backend.c_arrays import (
    DENSE,
    FLOAT32,
    NULL,
    aligned,
    check,
    empty,
    ffi,
    is_float32,
    lib,
    read,
    read_all,
    read_index,
)
from tinyseq.backend.numpy_recurrent import (
    Backward,
    Forward,
    Outcome,
    Shares,
    Stepper,
    stepper_by,
)
from tinyseq.backend.recurrent import GATES, Run, Saved, Wanted, Weights, saved_shapes

Array = npt.NDArray[Any]

CELLS = {
    "rnn_tanh": lib.TS_RNN_TANH,
    "rnn_relu": lib.TS_RNN_RELU,
    "lstm": lib.TS_LSTM,
    "gru": lib.TS_GRU,
    "gru_before": lib.TS_GRU_BEFORE,
}
RUNS, GRADIENTS = ffi.typeof("ts_recurrent[]"), ffi.typeof("ts_recurrent_gradients[]")

c_step = lib.ts_recurrent_step  # what a single step spends its time on is looking things up


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
    c0: Array | None, weights: Weights, run: Run, y: Array, saved: Saved, wanted: Wanted,
) -> Shares:  # fmt: skip
    """The gradient of recurrent_forward; see numpy_recurrent.recurrent_backward."""
    return _backward(
        (cell, dy, dh_last, dc_last, x, h0, c0, weights, run, y, saved, wanted)
    )[0]  # fmt: skip


def recurrent_backward_pair(first: Backward, second: Backward) -> tuple[Shares, Shares]:
    """Two of them side by side; see numpy_recurrent.recurrent_backward_pair."""
    one, two = _backward(first, second)
    return one, two


def recurrent_stepper(cell: str, layers: Sequence[Weights]) -> Stepper:
    """Layers one step after another; see numpy_recurrent.recurrent_stepper."""
    arrays = [a for weights in layers for a in weights if a is not None]
    if not is_float32(*arrays) or not all(a.size and a.flags.num & DENSE == DENSE for a in arrays):
        return stepper_by(recurrent_forward, cell, layers)  # which copies them at each step
    kept = tuple(layers)  # each step speaks of it, so that the arrays live on
    fields = []
    for weights in kept:
        (rows, D), R = weights.w_ih.shape, weights.w_hh.shape[1]
        sizes = {"T": 1, "D": D, "H": rows // GATES[cell], "R": R}
        pointers = dict(zip(Weights._fields, map(read, weights), strict=True))
        fields.append({"cell": CELLS[cell], **sizes, **pointers})
    each = ffi.new(RUNS, fields)

    def step(x: Array, h: Array, c: Array | None) -> tuple[Array, Array | None]:
        h_after, c_after = empty(h.shape, FLOAT32), _like(c)
        after = read(h_after), read(c_after)
        check(c_step(len(kept), each, len(x), read(x), read(h), read(c), *after))
        return h_after, c_after

    return step


def _forward(*calls: Forward) -> list[Outcome]:
    outcomes, runs = [], []
    for cell, x, h0, c0, weights, run, keep in calls:
        given = _read_given(x, h0, c0, weights, run)
        if given is None:
            return [numpy_recurrent.recurrent_forward(*call) for call in calls]
        saved = _new_saved(cell, x, c0, weights, run) if keep else None
        y, h_last, c_last = aligned(*x.shape[:2], h0.shape[1]), _like(h0), _like(c0)
        outcomes.append((y, h_last, c_last, saved))
        made = [read(y), read(h_last), read(c_last)]
        runs.append(_fields(cell, x, weights, run, given, made, [read(a) for a in saved or ()]))
    check(lib.ts_recurrent_forward(len(runs), ffi.new(RUNS, runs)))
    return outcomes


def _backward(*calls: Backward) -> list[Shares]:
    shares, runs, gradients = [], [], []
    for cell, dy, dh_last, dc_last, x, h0, c0, weights, run, y, saved, wanted in calls:
        given, kept = _read_given(x, h0, c0, weights, run), read_all(*saved)
        last, made = read_all(dy, dh_last, dc_last), read_all(y, None, None)
        if given is None or kept is None or last is None or made is None:
            return [numpy_recurrent.recurrent_backward(*call) for call in calls]
        dx = aligned(*x.shape) if wanted.x else None
        dh0, dc0 = (_like(h0), _like(c0)) if wanted.state else (None, None)
        dweights = Weights(*map(_like, weights))
        norm = empty(x.shape[:2], FLOAT32) if wanted.norm else None
        shares.append((dx, dh0, dc0, dweights, norm))
        runs.append(_fields(cell, x, weights, run, given, made, kept))
        gradients.append([*last, *(read(a) for a in (dx, dh0, dc0, *dweights, norm))])
    check(lib.ts_recurrent_backward(len(runs), ffi.new(RUNS, runs), ffi.new(GRADIENTS, gradients)))
    return shares


def _read_given(
    x: Array, h0: Array, c0: Array | None, weights: Weights, run: Run
) -> list[Any] | None:
    """Pointers to x, the first states, the weights, the mask and the zones; None where C does not
    serve: another dtype, or not a single unit."""
    if not len(weights.w_ih):
        return None
    return read_all(x, h0, c0, *weights, run.mask, run.zone_h, run.zone_c)


def _new_saved(cell: str, x: Array, c0: Array | None, weights: Weights, run: Run) -> Saved:
    """Room for what is kept."""
    (B, T, _), lengths = x.shape, run.lengths
    if run.every:
        longest = T if lengths is None or B == 0 else int(lengths.max())
        return Saved(cells=None if c0 is None else aligned(-(-longest // run.every), *c0.shape))
    shapes = saved_shapes(cell, weights, B * T if lengths is None else int(lengths.sum()))
    return Saved(*(None if shape is None else aligned(*shape) for shape in shapes))


def _like(a: Array | None) -> Any:
    return None if a is None else empty(a.shape, FLOAT32)


def _fields(
    cell: str, x: Array, weights: Weights, run: Run, given: list[Any], made: list[Any],
    kept: list[Any],
) -> tuple[Any, ...]:  # fmt: skip
    """The fields of a ts_recurrent; they keep alive what C reads, copies included.

    Pointers: `given`, to what `_read_given` says; `made`, to y and the last states; `kept`, to what
    is in Saved, or none.
    """
    lengths = NULL if run.lengths is None else read_index(np.asarray(run.lengths, np.int64))
    return (
        CELLS[cell], run.reverse, *x.shape, len(weights.w_ih) // GATES[cell],
        weights.w_hh.shape[1], run.every, lengths, *given, *_zone_steps(run.zone_h),
        *_zone_steps(run.zone_c), *made, kept,
    )  # fmt: skip


def _zone_steps(zone: Array | None) -> tuple[int, int]:
    """How far apart in memory two rows and two times are; 0 where one stands for all."""
    if zone is None:
        return 0, 0
    rows, times, width = zone.shape
    return (times * width if rows > 1 else 0), (width if times > 1 else 0)
