"""The GRU over a whole sequence, as one fused op."""

from functools import partial
from typing import Any

from tinyseq.autograd import FusedOp, Tensor
from tinyseq.backend.recurrent import Run, Weights
from tinyseq.ops.elementwise import sigmoid, tanh
from tinyseq.ops.recurrent import Trace, backward, call, forward
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


_gru = FusedOp(_gru_forward, backward, _reference, results=2)


def gru(
    x: Tensor, h0: Tensor, w_ih: Tensor, w_hh: Tensor,
    b_ih: Tensor | None = None, b_hh: Tensor | None = None, *, reset_after: bool = True,
    norm_ih: Tensor | None = None, norm_hh: Tensor | None = None,
    lengths: Any = None, reverse: bool = False, mask: Any = None, zone_h: Any = None,
    checkpoint_every: int = 0, trace: Trace | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """One GRU layer over a whole sequence."""
    weights = Weights(w_ih, w_hh, b_ih, b_hh, norm_ih=norm_ih, norm_hh=norm_hh)
    y, h = call(
        _gru, "gru", "gru" if reset_after else "gru_before", x, h0, None, weights, lengths=lengths,
        reverse=reverse, mask=mask, zone_h=zone_h, zone_c=None, checkpoint_every=checkpoint_every,
        trace=trace,
    )  # fmt: skip
    return y, h
