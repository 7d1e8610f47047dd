"""What the references of the recurrent ops share: the product with layer norm, and the walk.

Plain ops throughout: this is what the kernels are held to, and what is differentiated twice.
"""

from collections.abc import Callable

import numpy as np

from tinyseq.autograd import Array, Tensor
from tinyseq.backend.recurrent import EPSILON, Run, Weights, steps_of
from tinyseq.ops.elementwise import sqrt
from tinyseq.ops.indexing import put, take
from tinyseq.ops.matmul import linear
from tinyseq.ops.reduce import mean, var
from tinyseq.ops.shape import cat

ALL = slice(None)


def hat(v: Tensor) -> Tensor:
    """(v - mean) / sqrt(variance + ε) over each row."""
    return (v - mean(v, 1, True)) / sqrt(var(v, 1, 0, True) + EPSILON)


def from_x(x: Tensor, w: Weights, rows: slice = ALL) -> Tensor:
    """W_ih x + b_ih, or with layer norm norm_ih hat(W_ih x) + b_ih; of some rows, if given."""
    return _product(x, w.w_ih[rows], w.norm_ih, w.b_ih, rows)


def from_h(h: Tensor, w: Weights, rows: slice = ALL) -> Tensor:
    """The same of h, W_hh, b_hh and norm_hh."""
    return _product(h, w.w_hh[rows], w.norm_hh, w.b_hh, rows)


def _product(v: Tensor, w: Tensor, gain: Tensor | None, bias: Tensor | None, rows: slice) -> Tensor:
    shift = None if bias is None else bias[rows]
    if gain is None:
        return linear(v, w, shift)
    normed = gain[rows] * hat(linear(v, w))
    return normed if shift is None else normed + shift


def recur(
    step: Callable[..., tuple[Tensor, ...]], x: Tensor, first: tuple[Tensor, ...],
    weights: Weights, run: Run,
) -> tuple[Tensor, ...]:  # fmt: skip
    """Take every row's real steps, one after another.

    Args:
        step: (x_t, dropped, *states, weights) -> the states after, where dropped is h as it enters
            W_hh.
        first: the states before the first step, h first.

    Returns:
        y, and the states after each row's last step.
    """
    (B, T, _), R = x.shape, first[0].shape[1]
    steps = steps_of(run.lengths, run.reverse, B, T)
    states = [take(state, key=steps.order) for state in first]
    mask = None if run.mask is None else run.mask[steps.order]
    zones = [
        None if zone is None else np.broadcast_to(zone, (B, T, zone.shape[2]))
        for zone in (run.zone_h, run.zone_c)[: len(states)]
    ]
    hs = [Tensor(np.empty((0, R), x.dtype))]
    for n, at in steps.slices():
        here = steps.rows[at], steps.times[at]
        before = [state[:n] for state in states]
        dropped = before[0] if mask is None else Tensor(mask[:n]) * before[0]
        after = step(take(x, key=here), dropped, *before, weights)
        kept = [
            new if zone is None else _held(zone[here], old, new)
            for zone, old, new in zip(zones, before, after, strict=True)
        ]
        hs.append(kept[0])
        states = [cat([new, state[n:]]) for new, state in zip(kept, states, strict=True)]
    y = put(cat(hs), shape=(B, T, R), key=(steps.rows, steps.times))
    back = np.argsort(steps.order)
    return y, *(take(state, key=back) for state in states)


def _held(k: Array, old: Tensor, new: Tensor) -> Tensor:
    """Zoneout: of a state before, the share k stays."""
    return Tensor(k) * old + Tensor(1 - k) * new
