"""The LSTM over a whole sequence, as one fused op."""

from typing import Any

from tinyseq.autograd import FusedOp, Tensor
from tinyseq.backend.recurrent import Run, Weights
from tinyseq.ops.elementwise import sigmoid, tanh
from tinyseq.ops.matmul import linear
from tinyseq.ops.recurrent import Trace, backward, call, forward
from tinyseq.ops.recurrent_reference import from_h, from_x, hat, recur
from tinyseq.ops.shape import chunk

__all__ = ["lstm"]


def _step(x: Tensor, dropped: Tensor, h: Tensor, c: Tensor, w: Weights) -> tuple[Tensor, Tensor]:
    """The equations."""
    i, f, g, o = chunk(from_x(x, w) + from_h(dropped, w), 4, 1)
    p_i, p_f, p_o = (0.0, 0.0, 0.0) if w.peephole is None else chunk(w.peephole, 3)
    c = sigmoid(f + p_f * c) * c + sigmoid(i + p_i * c) * tanh(g)
    seen = c if w.norm_c is None else w.norm_c * hat(c) + w.norm_c_bias
    m = sigmoid(o + p_o * c) * tanh(seen)
    return (m if w.w_hr is None else linear(m, w.w_hr)), c


def _lstm_forward(*inputs: Any, **params: Any) -> tuple[Any, ...]:
    return forward(*inputs, **params)


def _reference(
    x: Tensor, h0: Tensor, c0: Tensor, *weights: Tensor | None, run: Run, **_: Any
) -> tuple[Tensor, ...]:
    return recur(_step, x, (h0, c0), Weights(*weights), run)


_lstm = FusedOp(_lstm_forward, backward, _reference, results=3)


def lstm(
    x: Tensor, h0: Tensor, c0: Tensor, w_ih: Tensor, w_hh: Tensor,
    b_ih: Tensor | None = None, b_hh: Tensor | None = None, *,
    peephole: Tensor | None = None, w_hr: Tensor | None = None,
    norm_ih: Tensor | None = None, norm_hh: Tensor | None = None,
    norm_c: Tensor | None = None, norm_c_bias: Tensor | None = None,
    lengths: Any = None, reverse: bool = False, mask: Any = None, zone_h: Any = None,
    zone_c: Any = None, checkpoint_every: int = 0, trace: Trace | None = None,
) -> tuple[Tensor, Tensor, Tensor]:  # fmt: skip
    """One LSTM layer over a whole sequence."""
    weights = Weights(w_ih, w_hh, b_ih, b_hh, peephole, w_hr, norm_ih, norm_hh, norm_c, norm_c_bias)
    y, h, c = call(
        _lstm, "lstm", "lstm", x, h0, c0, weights, lengths=lengths, reverse=reverse, mask=mask,
        zone_h=zone_h, zone_c=zone_c, checkpoint_every=checkpoint_every, trace=trace,
    )  # fmt: skip
    return y, h, c
