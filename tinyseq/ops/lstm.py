"""The LSTM over a whole sequence, as one fused op."""

from typing import Any

import numpy as np

from tinyseq import backend
from tinyseq.autograd import Array, FusedOp, Tensor, is_grad_enabled
from tinyseq.ops.elementwise import sigmoid, tanh
from tinyseq.ops.matmul import linear
from tinyseq.ops.shape import chunk, stack, unbind

__all__ = ["lstm"]


def _lstm_forward(
    x: Array, h0: Array, c0: Array, w_ih: Array, w_hh: Array, bias: Array | None, *, keep: bool
) -> tuple[Any, ...]:
    return backend.lstm_forward(x, h0, c0, w_ih, w_hh, bias, keep)


def _backward(
    gradients: list[Any], saved: tuple[Array, ...], x: Array, h0: Array, c0: Array, w_ih: Array,
    w_hh: Array, bias: Array | None, *, keep: bool,
) -> tuple[Any, ...]:  # fmt: skip
    y, _, _, gates, cells = saved
    dy, dh, dc = (
        np.zeros_like(result) if g is None else g
        for g, result in zip(gradients, saved[:3], strict=True)
    )
    *shares, dbias = backend.lstm_backward(dy, dh, dc, x, h0, c0, w_ih, w_hh, y, gates, cells)
    return (*shares, None if bias is None else dbias)


def _reference(
    x: Tensor, h: Tensor, c: Tensor, w_ih: Tensor, w_hh: Tensor, bias: Tensor | None, *, keep: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """The equations, step by step."""
    hs = []
    for from_x in unbind(linear(x, w_ih, bias), 1):
        i, f, g, o = chunk(from_x + linear(h, w_hh), 4, 1)
        c = sigmoid(f) * c + sigmoid(i) * tanh(g)
        h = sigmoid(o) * tanh(c)
        hs.append(h)
    y = stack(hs, 1) if hs else Tensor(np.zeros((x.shape[0], 0, h.shape[1]), x.dtype))
    # At T = 0 the last states are the first ones; adding nothing makes them results of their own.
    return y, h + 0.0, c + 0.0


_lstm = FusedOp(_lstm_forward, _backward, _reference, results=3)


def lstm(
    x: Tensor, h0: Tensor, c0: Tensor, w_ih: Tensor, w_hh: Tensor, bias: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    """One LSTM layer over a whole sequence::

        i, f, o = σ(W x_t + U h_{t-1} + b)     each with its own rows of W, U and b
        g       = tanh(W x_t + U h_{t-1} + b)
        c_t     = f c_{t-1} + i g
        h_t     = o tanh(c_t)

    Args:
        x: (B, T, D).
        h0, c0: the state before the first step, (B, H).
        w_ih: W, (4H, D), the gates' rows in the order i, f, g, o.
        w_hh: U, (4H, H).
        bias: (4H,) or None.

    Returns:
        y, all h_t (B, T, H); and h and c after the last step (B, H).

    Raises:
        ValueError: if a shape does not fit.
        TypeError: if the dtypes differ.

    Source: Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000.
    """
    if x.ndim != 3 or w_hh.ndim != 2:
        raise ValueError(f"lstm: x must be (B, T, D), w_hh (4H, H), got {x.shape}, {w_hh.shape}")
    (B, _, D), H = x.shape, w_hh.shape[1]
    expected = {
        "h0": (h0, (B, H)), "c0": (c0, (B, H)), "w_ih": (w_ih, (4 * H, D)),
        "w_hh": (w_hh, (4 * H, H)), "bias": (bias, (4 * H,)),
    }  # fmt: skip
    for name, (given, shape) in expected.items():
        if given is None:
            continue
        if given.shape != shape:
            raise ValueError(f"lstm: {name} must be {shape}, got {given.shape}")
        if given.dtype != x.dtype:
            raise TypeError(f"lstm: {name} must be {x.dtype} as x is, got {given.dtype}")
    inputs = (x, h0, c0, w_ih, w_hh, bias)
    keep = is_grad_enabled() and any(t is not None and t.requires_grad for t in inputs)
    y, h, c = _lstm.run(*inputs, keep=keep)
    return y, h, c
