"""The plain recurrent network over a whole sequence, as one fused op."""

from functools import partial
from typing import Any

from tinyseq.autograd import FusedOp, Tensor
from tinyseq.backend.recurrent import Run, Weights
from tinyseq.ops.elementwise import relu, tanh
from tinyseq.ops.recurrent import Trace, backward, forward, prepare, run
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


rnn_op = FusedOp(_rnn_forward, backward, _reference, results=2)


def rnn(
    x: Tensor, h0: Tensor, w_ih: Tensor, w_hh: Tensor,
    b_ih: Tensor | None = None, b_hh: Tensor | None = None, *, nonlinearity: str = "tanh",
    norm_ih: Tensor | None = None, norm_hh: Tensor | None = None,
    lengths: Any = None, reverse: bool = False, mask: Any = None, zone_h: Any = None,
    checkpoint_every: int = 0, trace: Trace | None = None,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """One layer of the plain recurrent network over a whole batch of sequences::

        h_t = act(W x_t + b + U h_{t-1} + b')

    With layer norm, W x_t becomes norm_ih hat(W x_t) and U h_{t-1} norm_hh hat(U h_{t-1}), where
    hat(v) = (v - mean) / sqrt(variance + 1e-5).

    Args:
        x: (B, T, D), floats.
        h0: the state before the first step, (B, H).
        w_ih, w_hh: W (H, D) and U (H, H).
        b_ih, b_hh: b and b' (H,), both or neither.
        nonlinearity: act, "tanh" or "relu".
        norm_ih, norm_hh: (H,), both or neither.
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
            are not given together, checkpoint_every is below 0, or not 0 with a trace, or
            the nonlinearity is another.
        TypeError: if a dtype is not x's, or lengths or checkpoint_every are no whole numbers.

    Source: Elman 1990; layer norm of Ba et al. 2016, dropout of Gal and Ghahramani 2016, zoneout of
    Krueger et al. 2017.
    """
    if nonlinearity not in ("tanh", "relu"):
        raise ValueError(f"rnn: nonlinearity must be tanh or relu, got {nonlinearity!r}")
    weights = Weights(w_ih, w_hh, b_ih, b_hh, norm_ih=norm_ih, norm_hh=norm_hh)
    y, h = run(prepare(
        rnn_op, "rnn", f"rnn_{nonlinearity}", x, h0, None, weights,
        lengths=lengths, reverse=reverse, mask=mask, zone_h=zone_h,
        checkpoint_every=checkpoint_every, trace=trace,
    ))  # fmt: skip
    return y, h
