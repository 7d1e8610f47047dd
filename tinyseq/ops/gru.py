"""The GRU over a whole sequence, as one fused op."""

from functools import partial
from typing import Any

from tinyseq.autograd import FusedOp, Tensor
from tinyseq.backend.recurrent import Run, Weights
from tinyseq.ops.elementwise import sigmoid, tanh
from tinyseq.ops.recurrent import Trace, backward, forward, prepare, run
from tinyseq.ops.recurrent_reference import from_h, from_x, recur
from tinyseq.ops.shape import chunk

__all__ = ["gru"]


def _step(x: Tensor, dropped: Tensor, h: Tensor, w: Weights, *, cell: str) -> tuple[Tensor]:
    """The equations."""
    gates, new = slice(2 * h.shape[1]), slice(2 * h.shape[1], None)
    r, z = chunk(sigmoid(from_x(x, w, gates) + from_h(dropped, w, gates)), 2, 1)
    if cell == "gru":
        n = tanh(from_x(x, w, new) + r * from_h(dropped, w, new))
    else:
        n = tanh(from_x(x, w, new) + from_h(r * dropped, w, new))
    return ((1 - z) * n + z * h,)


def _gru_forward(*inputs: Any, **params: Any) -> tuple[Any, ...]:
    return forward(*inputs, **params)


def _reference(
    x: Tensor, h0: Tensor, c0: None, *weights: Tensor | None, cell: str, run: Run, **_: Any
) -> tuple[Tensor, ...]:
    return recur(partial(_step, cell=cell), x, (h0,), Weights(*weights), run)


gru_op = FusedOp(_gru_forward, backward, _reference, results=2)


def gru(
    x: Tensor, h0: Tensor, w_ih: Tensor, w_hh: Tensor,
    b_ih: Tensor | None = None, b_hh: Tensor | None = None, *, reset_after: bool = True,
    norm_ih: Tensor | None = None, norm_hh: Tensor | None = None,
    lengths: Any = None, reverse: bool = False, mask: Any = None, zone_h: Any = None,
    checkpoint_every: int = 0, trace: Trace | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """One GRU layer over a whole batch of sequences::

        r = σ(W_r x_t + b_r + U_r h_{t-1} + b'_r)
        z = σ(W_z x_t + b_z + U_z h_{t-1} + b'_z)
        n = tanh(W_n x_t + b_n + r (U_n h_{t-1} + b'_n))      reset_after
        n = tanh(W_n x_t + b_n + U_n (r h_{t-1}) + b'_n)      otherwise
        h_t = (1 - z) n + z h_{t-1}

    Many texts write z for 1 - z. With layer norm, W x_t becomes norm_ih hat(W x_t) and U h_{t-1}
    norm_hh hat(U h_{t-1}), r and z together and n by itself, where hat(v) = (v - mean) /
    sqrt(variance + 1e-5).

    Args:
        x: (B, T, D), floats.
        h0: the state before the first step, (B, H).
        w_ih, w_hh: W (3H, D) and U (3H, H), the rows in the order r, z, n.
        b_ih, b_hh: b and b' (3H,), both or neither.
        reset_after: whether r comes after the product, as in cuDNN, or before it, as in the paper.
        norm_ih, norm_hh: (3H,), both or neither.
        lengths: whole numbers (B,), each from 0 to T: how many steps of a row are real. What x
            holds past them counts for nothing. None for T.
        reverse: whether each row goes from its last real step to its first.
        mask: an array (B, H) that multiplies h_{t-1} where U does (recurrent dropout).
        zone_h: an array (B or 1, T or 1, H), k in [0, 1] at each t: h_t becomes
            k h_{t-1} + (1 - k) h_t (zoneout).
        checkpoint_every: k to keep for backward only the states at every k-th step and compute
            the rest again; 0 to keep all.
        trace: a `Trace` to fill in. Arrays and traces are constants: no gradient flows to them.

    Returns:
        y, all h_t (B, T, H), 0 past a row's length; and h (B, H) after each row's last real step.

    Raises:
        ValueError: if a shape does not fit, a length is out of range, weights that belong together
            are not given together, checkpoint_every is below 0, or not 0 with a trace.
        TypeError: if a dtype is not x's, or lengths or checkpoint_every are no whole numbers.

    Source: Cho et al. 2014; layer norm of Ba et al. 2016, dropout of Gal and Ghahramani 2016,
    zoneout of Krueger et al. 2017.
    """
    weights = Weights(w_ih, w_hh, b_ih, b_hh, norm_ih=norm_ih, norm_hh=norm_hh)
    y, h = run(prepare(
        gru_op, "gru", "gru" if reset_after else "gru_before", x, h0, None, weights,
        lengths=lengths, reverse=reverse, mask=mask, zone_h=zone_h,
        checkpoint_every=checkpoint_every, trace=trace,
    ))  # fmt: skip
    return y, h
