"""The plain recurrent network over a whole sequence, as one fused op."""

from functools import partial
from typing import Any

from tinyseq.autograd import FusedOp, Tensor
from tinyseq.backend.recurrent import Run, Weights
from tinyseq.ops.elementwise import relu, tanh
from tinyseq.ops.recurrent import Trace, backward, call, forward
from tinyseq.ops.recurrent_reference import from_h, from_x, recur

__all__ = ["rnn"]


def _step(x: Tensor, dropped: Tensor, h: Tensor, w: Weights, *, cell: str) -> tuple[Tensor]:
    """The equation."""
    activation = tanh if cell == "rnn_tanh" else relu
    return (activation(from_x(x, w) + from_h(dropped, w)),)


def _rnn_forward(*inputs: Any, **params: Any) -> tuple[Any, ...]:
    return forward(*inputs, **params)


def _reference(
    x: Tensor, h0: Tensor, c0: None, *weights: Tensor | None, cell: str, run: Run, **_: Any
) -> tuple[Tensor, ...]:
    return recur(partial(_step, cell=cell), x, (h0,), Weights(*weights), run)


_rnn = FusedOp(_rnn_forward, backward, _reference, results=2)


def rnn(
    x: Tensor, h0: Tensor, w_ih: Tensor, w_hh: Tensor,
    b_ih: Tensor | None = None, b_hh: Tensor | None = None, *, nonlinearity: str = "tanh",
    norm_ih: Tensor | None = None, norm_hh: Tensor | None = None,
    lengths: Any = None, reverse: bool = False, mask: Any = None, zone_h: Any = None,
    checkpoint_every: int = 0, trace: Trace | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """One layer of the plain recurrent network over a whole sequence."""
    if nonlinearity not in ("tanh", "relu"):
        raise ValueError(f"rnn: nonlinearity must be tanh or relu, got {nonlinearity!r}")
    weights = Weights(w_ih, w_hh, b_ih, b_hh, norm_ih=norm_ih, norm_hh=norm_hh)
    y, h = call(
        _rnn, "rnn", f"rnn_{nonlinearity}", x, h0, None, weights, lengths=lengths, reverse=reverse,
        mask=mask, zone_h=zone_h, zone_c=None, checkpoint_every=checkpoint_every, trace=trace,
    )  # fmt: skip
    return y, h
