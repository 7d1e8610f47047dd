"""What the recurrent ops and their kernels tell each other.

Shapes: B batch, T time, D input, H hidden units, G gates (1 of the plain network, 4 of the LSTM in
the order i, f, g, o, 3 of the GRU in the order r, z, n). R is the size of h and y: H, or P where an
LSTM projects to P.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

# By cell; "gru" resets after the product W_hn h, "gru_before" before it.
GATES = {"rnn_tanh": 1, "rnn_relu": 1, "lstm": 4, "gru": 3, "gru_before": 3}

EPSILON = 1e-5  # added to the variance in the layer norms


class Weights(NamedTuple):
    """The weights of a cell, or their gradients: arrays, or Tensors; None where it has none.

    w_ih (G H, D), w_hh (G H, R); b_ih, b_hh (G H,), both or neither. Of an LSTM: peephole (3 H,),
    its rows i, f, o; w_hr (P, H), the projection. With layer norm: the gains norm_ih, norm_hh
    (G H,), whose shifts are b_ih and b_hh, and of an LSTM the gain and shift of the cell's norm,
    norm_c and norm_c_bias (H,).
    """

    w_ih: Any
    w_hh: Any
    b_ih: Any = None
    b_hh: Any = None
    peephole: Any = None
    w_hr: Any = None
    norm_ih: Any = None
    norm_hh: Any = None
    norm_c: Any = None
    norm_c_bias: Any = None


class Run(NamedTuple):
    """How a cell goes along the sequences.

    lengths: int64 (B,), each in [0, T], or None for T.
    reverse: whether each row goes from its last real step to its first.
    mask: (B, R) or None; multiplies h_{t-1} where it enters W_hh (recurrent dropout).
    zone_h, zone_c: (B or 1, T or 1, R or H) or None, in [0, 1], indexed by the real time: the share
        of the state before that stays (zoneout); zone_c for an LSTM alone.
    every: 0 to keep what backward needs of every step, k to keep the states before every k-th and
        compute the rest again.
    """

    lengths: Array | None = None
    reverse: bool = False
    mask: Array | None = None
    zone_h: Array | None = None
    zone_c: Array | None = None
    every: int = 0


class Wanted(NamedTuple):
    """What recurrent_backward is asked for beside the weights' gradients: those of x and of the
    first states, and the norm of the gradient at each h."""

    x: bool = True
    state: bool = True
    norm: bool = False


class Saved(NamedTuple):
    """What backward needs: arrays, or None where the cell has none.

    One row for each real step of each row, in the order of `Steps`, S in all:

    gates (S, G H), activated (of the plain network its h before zoneout); cells (S, H), the c_t of
    an LSTM; inner (S, H), what r multiplies in "gru": W_hn h with norm and bias. With layer norm:
    hat_x and hat_h (S, G H), the normalised products of x and h; scale_x and scale_h (S, groups),
    the 1 / sqrt(variance + ε) of each group of columns that `groups_of` names; and of an LSTM the
    cell's hat_c (S, H) and scale_c (S,).

    With Run.every = k > 0 only cells, of an LSTM: (ceil(steps / k), B, H), each row's c before step
    0, k, 2 k, ... or its last.
    """

    gates: Any = None
    cells: Any = None
    inner: Any = None
    hat_x: Any = None
    hat_h: Any = None
    scale_x: Any = None
    scale_h: Any = None
    hat_c: Any = None
    scale_c: Any = None


def groups_of(cell: str, H: int) -> tuple[slice, ...]:
    """The rows of W_ih x and W_hh h that layer norm takes together: all, or of a GRU r with z and
    n by itself."""
    if cell in ("gru", "gru_before"):
        return slice(0, 2 * H), slice(2 * H, 3 * H)
    return (slice(0, GATES[cell] * H),)


def saved_shapes(cell: str, weights: Weights, S: int) -> Saved:
    """The shape of everything in Saved, None for what the cell has not, with Run.every = 0."""
    H = len(weights.w_ih) // GATES[cell]
    full, cells, lstm = (S, GATES[cell] * H), (S, H), cell == "lstm"
    normed, scales = weights.norm_ih is not None, (S, len(groups_of(cell, H)))
    return Saved(
        gates=full,
        cells=cells if lstm else None,
        inner=cells if cell == "gru" else None,
        hat_x=full if normed else None,
        hat_h=full if normed else None,
        scale_x=scales if normed else None,
        scale_h=scales if normed else None,
        hat_c=cells if normed and lstm else None,
        scale_c=(S,) if normed and lstm else None,
    )


class Steps(NamedTuple):
    """The real steps of a batch in the order in which they are taken.

    Steps count from where a row starts: at its first element or, in reverse, at its last real one.
    The rows are sorted by descending length, so that the first counts[s] of them take step s.
    All (row, time) pairs, step after step, number S, the sum of the lengths.

    order: (B,), the rows, longest first.
    counts: (steps,), how many rows take each step.
    starts: (steps + 1,), which of the S pairs is each step's first.
    rows, times: (S,), the pairs.
    """

    order: Array
    counts: Array
    starts: Array
    rows: Array
    times: Array

    def slices(self) -> Iterator[tuple[int, slice]]:
        """For each step the number of its rows, and where its pairs lie."""
        for first, last in pairwise(self.starts.tolist()):
            yield last - first, slice(first, last)

    def part(self, begin: int, end: int) -> "Steps":
        """Those of the steps alone."""
        starts = self.starts[begin : end + 1]
        at = slice(starts[0], starts[-1])
        return Steps(
            self.order, self.counts[begin:end], starts - starts[0], self.rows[at], self.times[at]
        )


def steps_of(lengths: Array | None, reverse: bool, B: int, T: int) -> Steps:
    """The Steps of a batch of B rows, of T steps each if there are no lengths."""
    lengths = np.full(B, T) if lengths is None else lengths
    longest = int(lengths.max(initial=0)) if B else T
    order = np.argsort(-lengths, kind="stable")
    # Of so many rows the length is at most s, so the others take step s.
    counts = B - np.searchsorted(np.sort(lengths), np.arange(longest), side="right")
    starts = np.concatenate(([0], np.cumsum(counts)))
    step = np.repeat(np.arange(longest), counts)
    rows = order[np.arange(len(step)) - starts[step]]
    return Steps(order, counts, starts, rows, lengths[rows] - 1 - step if reverse else step)
