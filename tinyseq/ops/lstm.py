"""The LSTM over a whole sequence, as one fused op."""

from typing import Any

from tinyseq.autograd import FusedOp, Tensor
from tinyseq.backend.recurrent import Run, Weights
from tinyseq.ops.elementwise import sigmoid, tanh
from tinyseq.ops.matmul import linear
from tinyseq.ops.recurrent import Trace, backward, forward, prepare, run
from tinyseq.ops.recurrent_reference import from_h, from_x, hat, recur
from tinyseq.ops.shape import chunk

__all__ = ["lstm"]


def _step(x: Tensor, dropped: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
    """The equations."""
    i, f, g, o = chunk(from_x(x, w) + from_h(dropped, w), 4, 1)
    if w.peephole is not None:
        p_i, p_f, p_o = chunk(w.peephole, 3)
        i, f = i + p_i * c, f + p_f * c
    c = sigmoid(f) * c + sigmoid(i) * tanh(g)
    if w.peephole is not None:
        o = o + p_o * c
    m = sigmoid(o) * tanh(c if w.norm_c is None else w.norm_c * hat(c) + w.norm_c_bias)
    return (m if w.w_hr is None else linear(m, w.w_hr)), c


def _lstm_forward(*inputs: Any, **params: Any) -> tuple[Any, ...]:
    return forward(*inputs, **params)


def _reference(
    x: Tensor, h0: Tensor, c0: Tensor, *weights: Tensor | None, run: Run, **_: Any
) -> tuple[Tensor, ...]:
    return recur(_step, x, (h0, c0), Weights(*weights), run)


lstm_op = FusedOp(_lstm_forward, backward, _reference, results=3)


def lstm(
    x: Tensor, h0: Tensor, c0: Tensor, w_ih: Tensor, w_hh: Tensor,
    b_ih: Tensor | None = None, b_hh: Tensor | None = None, *,
    peephole: Tensor | None = None, w_hr: Tensor | None = None,
    norm_ih: Tensor | None = None, norm_hh: Tensor | None = None,
    norm_c: Tensor | None = None, norm_c_bias: Tensor | None = None,
    lengths: Any = None, reverse: bool = False, mask: Any = None, zone_h: Any = None,
    zone_c: Any = None, checkpoint_every: int = 0, trace: Trace | None = None,
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    """One LSTM layer over a whole batch of sequences::

        i = σ(W_i x_t + b_i + U_i h_{t-1} + b'_i + p_i c_{t-1})
        f = σ(W_f x_t + b_f + U_f h_{t-1} + b'_f + p_f c_{t-1})
        g = tanh(W_g x_t + b_g + U_g h_{t-1} + b'_g)
        c_t = f c_{t-1} + i g
        o = σ(W_o x_t + b_o + U_o h_{t-1} + b'_o + p_o c_t)
        h_t = V o tanh(c_t)

    p is 0 without peephole, V the identity without w_hr. With layer norm, W x_t becomes
    norm_ih hat(W x_t), over all four gates together, U h_{t-1} becomes norm_hh hat(U h_{t-1}), and
    tanh(c_t) becomes tanh(norm_c hat(c_t) + norm_c_bias), where hat(v) = (v - mean) / sqrt(variance
    + 1e-5).

    Args:
        x: (B, T, D), floats.
        h0, c0: the state before the first step, (B, R) and (B, H). R is H, or P with w_hr.
        w_ih, w_hh: W (4H, D) and U (4H, R), the gates' rows in the order i, f, g, o.
        b_ih, b_hh: b and b' (4H,), both or neither.
        peephole: p (3H,), in the order i, f, o.
        w_hr: V (P, H).
        norm_ih, norm_hh, norm_c, norm_c_bias: (4H,), (4H,), (H,), (H,), all or none.
        lengths: whole numbers (B,), each from 0 to T: how many steps of a row are real. What x
            holds past them counts for nothing. None for T.
        reverse: whether each row goes from its last real step to its first.
        mask: an array (B, R) that multiplies h_{t-1} where U does (recurrent dropout).
        zone_h, zone_c: arrays (B or 1, T or 1, R or H), k in [0, 1] at each t: h_t becomes
            k h_{t-1} + (1 - k) h_t, and c_t likewise, after o and tanh have seen it (zoneout).
        checkpoint_every: k to keep for backward only the states at every k-th step and compute
            the rest again; 0 to keep all.
        trace: a `Trace` to fill in. Arrays and traces are constants: no gradient flows to them.

    Returns:
        y, all h_t (B, T, R), 0 past a row's length; and h (B, R) and c (B, H) after each row's
        last real step.

    Raises:
        ValueError: if a shape does not fit, a length is out of range, weights that belong together
            are not given together, checkpoint_every is below 0, or not 0 with a trace.
        TypeError: if a dtype is not x's, or lengths or checkpoint_every are no whole numbers.

    Source: Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000, the peepholes
    of Gers and Schmidhuber 2000, the projection of Sak et al. 2014, the layer norm of Ba et al.
    2016, the dropout of Gal and Ghahramani 2016, and the zoneout of Krueger et al. 2017.
    """
    weights = Weights(w_ih, w_hh, b_ih, b_hh, peephole, w_hr, norm_ih, norm_hh, norm_c, norm_c_bias)
    y, h, c = run(prepare(
        lstm_op, "lstm", "lstm", x, h0, c0, weights, lengths=lengths, reverse=reverse, mask=mask,
        zone_h=zone_h, zone_c=zone_c, checkpoint_every=checkpoint_every, trace=trace,
    ))  # fmt: skip
    return y, h, c
