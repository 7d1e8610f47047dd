"""The recurrent kernels in plain NumPy: a cell along a whole batch of sequences, and back.

The rows are taken in the order of `Steps`, longest first, so that those that still run are the
first ones, and the work goes with the sum of the lengths. The product with x is one for all steps,
and so is that of each weight's gradient.

A cell is a file with two things. `forward` (cell, part_x, hm, h, c, weights), on the rows that take
a step: part_x is W_ih x_t with norm and bias, hm is h_{t-1} as it enters W_hh; it gives h~ and c~,
the states before zoneout, and Saved. And `Backward`, see `CellBackward`.
"""

from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyseq.backend import numpy_gru, numpy_lstm, numpy_rnn
from tinyseq.backend.numpy_products import CellBackward, normalized_backward, product
from tinyseq.backend.recurrent import (
    GATES,
    Run,
    Saved,
    Steps,
    Wanted,
    Weights,
    groups_of,
    saved_shapes,
    steps_of,
)

Array = npt.NDArray[Any]

# The arguments and results of recurrent_forward and recurrent_backward.
Forward = tuple[str, Array, Array, Array | None, Weights, Run, bool]
Outcome = tuple[Array, Array, Array | None, Saved | None]
Backward = tuple[
    str, Array, Array, Array | None, Array, Array, Array | None, Weights, Run, Array, Saved, Wanted
]
Stepper = Callable[[Array, Array, Array | None], tuple[Array, Array | None]]
Shares = tuple[Array | None, Array | None, Array | None, Weights, Array | None]

CELLS: dict[str, ModuleType] = {
    "rnn_tanh": numpy_rnn,
    "rnn_relu": numpy_rnn,
    "lstm": numpy_lstm,
    "gru": numpy_gru,
    "gru_before": numpy_gru,
}


@np.errstate(all="ignore")  # an infinity is an answer like any other
def recurrent_forward(
    cell: str, x: Array, h0: Array, c0: Array | None, weights: Weights, run: Run, keep: bool
) -> tuple[Array, Array, Array | None, Saved | None]:
    """A cell along a batch of sequences; `Weights`, `Run` and `Saved` say what is in them.

    Args:
        cell: one of `recurrent.GATES`.
        x: (B, T, D).
        h0, c0: the first states, (B, R) and (B, H), c0 of an LSTM only.
        keep: whether Saved is wanted.

    Returns:
        y (B, T, R), 0 past a row's length; h and c after each row's last real step; and Saved or
        None.
    """
    (B, T, _), R = x.shape, h0.shape[1]
    steps = steps_of(run.lengths, run.reverse, B, T)
    original = np.argsort(steps.order)
    y = np.zeros((B, T, R), x.dtype)
    h, c = h0[steps.order], _rows(c0, steps.order)
    cells, saved = [], Saved()
    for begin, end in _pieces(steps, run.every):
        if c is not None and run.every:
            cells.append(c[original])
        part = steps.part(begin, end)
        hs, saved = _forward(cell, x, h, c, weights, run, part, keep and not run.every)
        y[part.rows, part.times] = hs
    if run.every:
        H = len(weights.w_ih) // GATES[cell]
        stacked = np.array(cells, x.dtype).reshape(len(cells), B, H)
        saved = Saved(cells=None if c is None else stacked)
    return y, h[original], _rows(c, original), saved if keep else None


def _rows(a: Any, index: Any) -> Any:
    """a[index], of what may not be there."""
    return None if a is None else a[index]


def recurrent_stepper(cell: str, layers: Sequence[Weights]) -> Stepper:
    """What takes one step after another through layers that lie above one another.

    Args:
        cell: one of `recurrent.GATES`.
        layers: the weights of each, the bottom first; read where they lie, whatever they are then.

    Returns:
        A function of x (B, D) and the states h (L, B, R) and c (L, B, H), of an LSTM only, which
        gives the states after the step.
    """
    return stepper_by(recurrent_forward, cell, layers)


def stepper_by(forward: Callable[..., Outcome], cell: str, layers: Sequence[Weights]) -> Stepper:
    """The stepper, by a recurrent_forward."""

    def step(x: Array, h: Array, c: Array | None) -> tuple[Array, Array | None]:
        y, after = x[:, None], []
        for k, weights in enumerate(layers):
            c0 = None if c is None else c[k]
            y, *ends = forward(cell, y, h[k], c0, weights, Run(), False)[:3]
            after.append(ends)
        hs, cs = zip(*after, strict=True)
        return np.stack(hs), None if c is None else np.stack(cs)

    return step


def recurrent_forward_pair(first: Forward, second: Forward) -> tuple[Outcome, Outcome]:
    """recurrent_forward for both directions of a bidirectional layer, given all its arguments
    twice: of the same cell, sizes and lengths. C takes them side by side."""
    return recurrent_forward(*first), recurrent_forward(*second)


def _pieces(steps: Steps, every: int) -> list[tuple[int, int]]:
    """First and last step, exclusive, of what is done in one go."""
    longest = len(steps.counts)
    if not every:
        return [(0, longest)]
    return [(begin, min(begin + every, longest)) for begin in range(0, longest, every)]


def _forward(
    cell: str, x: Array, h: Array, c: Array | None, w: Weights, run: Run, steps: Steps, keep: bool
) -> tuple[Array, Saved]:
    """Take these steps from the states h and c, sorted by length, which are moved on in place.

    Returns:
        All h (S, R), and Saved, of the steps' pairs.
    """
    groups = groups_of(cell, len(w.w_ih) // GATES[cell])
    part_x = product(x[steps.rows, steps.times], w.w_ih, w.norm_ih, w.b_ih, groups)
    shapes = saved_shapes(cell, w, len(steps.rows))
    saved = Saved(*(None if s is None or not keep else np.empty(s, x.dtype) for s in shapes))
    hs = np.empty((len(steps.rows), h.shape[1]), x.dtype)
    mask = _rows(run.mask, steps.order)
    zone_h, zone_c = _zone(run.zone_h, x, steps), _zone(run.zone_c, x, steps)
    for n, at in steps.slices():
        hm = h[:n] if mask is None else mask[:n] * h[:n]
        before = h[:n], _rows(c, slice(n))
        new_h, new_c, kept = CELLS[cell].forward(cell, part_x.value[at], hm, *before, w)
        h[:n] = hs[at] = _held(zone_h, at, h[:n], new_h)
        if c is not None:
            c[:n] = _held(zone_c, at, c[:n], new_c)
            kept = kept._replace(cells=c[:n])
        if keep:
            for whole, rows in zip(saved, kept, strict=True):
                if rows is not None:
                    whole[at] = rows
    return hs, saved._replace(hat_x=part_x.hat, scale_x=part_x.scale)


def _zone(zone: Array | None, x: Array, steps: Steps) -> Array | None:
    """Zoneout's k of each pair."""
    if zone is None:
        return None
    return np.broadcast_to(zone, (*x.shape[:2], zone.shape[2]))[steps.rows, steps.times]


def _held(k: Array | None, at: slice, old: Array, new: Array) -> Array:
    """A state after zoneout."""
    return new if k is None else k[at] * old + (1 - k[at]) * new


@np.errstate(all="ignore")
def recurrent_backward(
    cell: str, dy: Array, dh_last: Array, dc_last: Array | None, x: Array, h0: Array,
    c0: Array | None, weights: Weights, run: Run, y: Array, saved: Saved, wanted: Wanted,
) -> Shares:  # fmt: skip
    """From the gradients of recurrent_forward's results to those of its arguments.

    Args:
        dy, dh_last, dc_last: of y, and of the last states; dy past a row's length counts for
            nothing.
        y, saved: what forward gave.
        wanted: which of the gradients of x and of the states, and the last result, are; None
            stands in place of the others.

    Returns:
        dx, dh0, dc0 or None, the weights' gradients, and the Euclidean norm of the whole gradient
        of each h_t (B, T) or None; at padding dx and that are 0.
    """
    B, T, _ = x.shape
    steps = steps_of(run.lengths, run.reverse, B, T)
    original = np.argsort(steps.order)
    dx = np.zeros_like(x)
    dweights = Weights(*(None if w is None else np.zeros_like(w) for w in weights))
    norm = np.zeros((B, T), x.dtype) if wanted.norm else None
    dh, dc = dh_last[steps.order], _rows(dc_last, steps.order)
    for k, (begin, end) in reversed(list(enumerate(_pieces(steps, run.every)))):
        part, kept = steps.part(begin, end), saved
        h, c = h0[steps.order], _rows(c0, steps.order)
        if run.every:
            if begin:
                before = steps.part(begin - 1, begin)
                h = y[before.rows, before.times]
            c = None if c is None else saved.cells[k][steps.order]
            moving = h.copy(), None if c is None else c.copy()
            _, kept = _forward(cell, x, *moving, weights, run, part, True)
        here = part.rows, part.times
        states = _before(part, h, y[here]), None if c is None else _before(part, c, kept.cells)
        d_y = dy[here]
        back = _backward(cell, d_y, dh, dc, x, *states, weights, run, part, kept)
        d_products, found = _weight_gradients(back, x[here], kept, weights)
        dx[here] = d_products @ weights.w_ih
        if norm is not None:
            norm[here] = np.sqrt(np.square(d_y).sum(1))
        for total, gradient in zip(dweights, found, strict=True):
            if total is not None:
                total += gradient
    dh0, dc0 = (_rows(d if wanted.state else None, original) for d in (dh, dc))
    return dx if wanted.x else None, dh0, dc0, dweights, norm


def recurrent_backward_pair(first: Backward, second: Backward) -> tuple[Shares, Shares]:
    """recurrent_backward likewise."""
    return recurrent_backward(*first), recurrent_backward(*second)


def _backward(
    cell: str, d_y: Array, dh: Array, dc: Array | None, x: Array, h: Array, c: Array | None,
    w: Weights, run: Run, steps: Steps, saved: Saved,
) -> CellBackward:  # fmt: skip
    """Take these steps back, h and c being the states before each pair's step.

    dh and dc, sorted by length, are moved on in place; d_y, of the pairs, becomes the whole
    gradient of each h_t.
    """
    mask = _rows(run.mask, steps.rows)
    hm = h if mask is None else mask * h
    back: CellBackward = CELLS[cell].Backward(cell, w, saved, hm, h, c)
    zone_h, zone_c = _zone(run.zone_h, x, steps), _zone(run.zone_c, x, steps)
    for n, at in reversed(list(steps.slices())):
        d_y[at] += dh[:n]
        d_new, d_old = _held_backward(zone_h, at, d_y[at])
        dc_new, dc_old = (None, None) if dc is None else _held_backward(zone_c, at, dc[:n])
        d_hm, d_h, d_c = back.step(at, d_new, dc_new)
        dh[:n] = (d_hm if mask is None else mask[at] * d_hm) + d_h + d_old
        if dc is not None:
            dc[:n] = d_c + dc_old
    return back


def _weight_gradients(
    back: CellBackward, x: Array, saved: Saved, w: Weights
) -> tuple[Array, Weights]:
    """The gradient of W_ih x (S, G H), and the gradients of all weights, in one product each."""
    found, d_x = back.gradients(), back.d_x
    found["b_ih"] = d_x.sum(0)
    if w.norm_ih is not None:
        found["norm_ih"] = (d_x * saved.hat_x).sum(0)
        d_x = normalized_backward(d_x * w.norm_ih, saved.hat_x, saved.scale_x, back.groups)
    found["w_ih"] = d_x.T @ x
    return d_x, Weights(**found)


def _before(steps: Steps, first: Array, after: Array) -> Array:
    """The state before each pair's step: before the first step `first`, sorted by length, else the
    one after the step before it."""
    n = steps.counts[0] if len(steps.counts) else 0
    earlier = np.arange(n, len(after)) - np.repeat(steps.counts[:-1], steps.counts[1:])
    return np.concatenate((first[:n], after[earlier]))


def _held_backward(k: Array | None, at: slice, d: Array) -> tuple[Array, Any]:
    """From the gradient of a state after zoneout to those of the new and the old one."""
    return (d, 0.0) if k is None else ((1 - k[at]) * d, k[at] * d)
