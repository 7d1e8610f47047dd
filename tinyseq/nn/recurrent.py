"""RNN, LSTM and GRU: layers of cells run along a sequence.

All take sequences (B,T,D), batch first, and states (L,B,H). They go through the sequence in one
direction.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinyseq import init, ops
from tinyseq.autograd import Tensor
from tinyseq.nn import functional as F
from tinyseq.nn.layers import check_sizes, new_parameter
from tinyseq.nn.module import Module
from tinyseq.ops.creation import as_tensor


class _Recurrent(Module):
    """What the three share: weights, checks, and the walk from layer to layer.

    Layer k has weight_ih_l{k} (gH, D or H), weight_hh_l{k} (gH, H) and, with ``bias``, bias_ih_l{k}
    and bias_hh_l{k} (gH,), g being the number of gates; all start uniform in ±1/sqrt(H).
    """

    gates: int

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        dropout: float = 0.0,
    ) -> None:
        name = type(self).__name__
        check_sizes(name, input_size=input_size, hidden_size=hidden_size, num_layers=num_layers)
        F.check_probability(name, dropout)
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.dropout = dropout
        bound = 1.0 / math.sqrt(hidden_size)
        rows = self.gates * hidden_size
        for k in range(num_layers):
            shapes: dict[str, tuple[int, ...]] = {
                "weight_ih": (rows, hidden_size if k else input_size),
                "weight_hh": (rows, hidden_size),
            }
            if bias:
                shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
            for kind, shape in shapes.items():
                parameter = new_parameter(*shape)
                init.uniform_(parameter, -bound, bound)
                setattr(self, f"{kind}_l{k}", parameter)

    def _weights(self, k: int) -> tuple[Tensor, Tensor, Tensor | None, Tensor | None]:
        """w_ih, w_hh, b_ih, b_hh of layer k."""
        w_ih, w_hh = getattr(self, f"weight_ih_l{k}"), getattr(self, f"weight_hh_l{k}")
        if not self.bias:
            return w_ih, w_hh, None, None
        return w_ih, w_hh, getattr(self, f"bias_ih_l{k}"), getattr(self, f"bias_hh_l{k}")

    def _input(self, given: Any) -> Tensor:
        x = as_tensor(given)
        if x.ndim != 3 or x.shape[2] != self.input_size:
            raise ValueError(
                f"{type(self).__name__}: x must be (B, T, {self.input_size}), got {x.shape}"
            )
        return x

    def _state(self, name: str, x: Tensor, given: Any) -> Tensor:
        """The state given, checked, or zeros."""
        shape = (self.num_layers, x.shape[0], self.hidden_size)
        if given is None:
            return Tensor(np.zeros(shape, x.dtype))
        state = as_tensor(given)
        if state.shape != shape:
            raise ValueError(f"{type(self).__name__}: {name} must be {shape}, got {state.shape}")
        return state

    def _dropped(self, x: Tensor, k: int) -> Tensor:
        """The input of layer k: dropout lies between layers only."""
        return F.dropout(x, self.dropout, self.training) if k else x

    def extra_repr(self) -> str:
        text = f"{self.input_size}, {self.hidden_size}, num_layers={self.num_layers}"
        return f"{text}, bias={self.bias}, dropout={self.dropout}"


class LSTM(_Recurrent):
    """Long short-term memory; per layer and step::

        i, f, o = σ(W x + b + U h + b')    each with its own rows of W, U, b, b'
        g       = tanh(W x + b + U h + b')
        c'      = f c + i g
        h'      = o tanh(c')

    The four gates' rows are stacked in the order i, f, g, o.

    Args:
        input_size: D.
        hidden_size: H.
        num_layers: L; each layer reads what the one below it puts out.
        bias: whether there are biases.
        dropout: probability of a zero in what a layer reads from the one below, in training.

    Raises ValueError when a size is below 1 or dropout is not from 0 to 1.

    Source: Hochreiter and Schmidhuber 1997 with the forget gate of Gers et al. 2000, no peepholes.
    """

    gates = 4

    def forward(
        self, x: Tensor, state: tuple[Tensor, Tensor] | None = None
    ) -> tuple[Tensor, tuple[Tensor, Tensor]]:
        """Run along a batch of sequences.

        Args:
            x: (B,T,D).
            state: h and c before the first step, each (L,B,H); zeros when not given.

        Returns the last layer's h at every step (B,T,H), and h and c after the last, each (L,B,H).

        Raises ValueError when a shape is another, TypeError when the state is no pair.
        """
        x = self._input(x)
        if state is not None and not (isinstance(state, tuple | list) and len(state) == 2):
            raise TypeError(f"LSTM: state must be a pair (h0, c0), got {type(state).__name__}")
        h0, c0 = (None, None) if state is None else state
        h0, c0 = self._state("h0", x, h0), self._state("c0", x, c0)
        last_h, last_c = [], []
        for k, (h, c) in enumerate(zip(ops.unbind(h0), ops.unbind(c0), strict=True)):
            w_ih, w_hh, b_ih, b_hh = self._weights(k)
            x, h, c = ops.lstm(self._dropped(x, k), h, c, w_ih, w_hh, b_ih, b_hh)
            last_h.append(h)
            last_c.append(c)
        return x, (ops.stack(last_h), ops.stack(last_c))


class _Stepwise(_Recurrent):
    """A layer run step by step in plain ops; a subclass gives the step."""

    def _step(self, from_x: Tensor, from_h: Tensor, h: Tensor) -> Tensor:
        """Next h (B,H) from W x + b and U h + b', each (B,gH), and h (B,H)."""
        raise NotImplementedError

    def forward(self, x: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Run along a batch of sequences.

        Args:
            x: (B,T,D).
            state: h before the first step, (L,B,H); zeros when not given.

        Returns the last layer's h at every step (B,T,H), and h after the last step (L,B,H).

        Raises ValueError when a shape is another.
        """
        x = self._input(x)
        h0 = self._state("h0", x, state)
        last = []
        for k, h in enumerate(ops.unbind(h0)):
            w_ih, w_hh, b_ih, b_hh = self._weights(k)
            from_x = ops.linear(self._dropped(x, k), w_ih, b_ih)
            hs = []
            for from_x_t in ops.unbind(from_x, 1):
                h = self._step(from_x_t, ops.linear(h, w_hh, b_hh), h)
                hs.append(h)
            x = ops.stack(hs, 1) if hs else from_x[..., : self.hidden_size]  # (B,0,H)
            last.append(h)
        return x, ops.stack(last)


class RNN(_Stepwise):
    """The plain recurrent network; per layer and step::

        h' = act(W x + b + U h + b')

    Args:
        input_size: D.
        hidden_size: H.
        num_layers: L; each layer reads what the one below it puts out.
        nonlinearity: act, "tanh" or "relu".
        bias: whether there are biases.
        dropout: probability of a zero in what a layer reads from the one below, in training.

    Raises ValueError when a size is below 1, dropout is not from 0 to 1, or the nonlinearity is
    neither.

    Source: Elman, "Finding structure in time", 1990.
    """

    gates = 1

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        nonlinearity: str = "tanh",
        bias: bool = True,
        dropout: float = 0.0,
    ) -> None:
        if nonlinearity not in ("tanh", "relu"):
            raise ValueError(f"RNN: nonlinearity must be tanh or relu, got {nonlinearity!r}")
        super().__init__(input_size, hidden_size, num_layers, bias, dropout)
        self.nonlinearity = nonlinearity

    def _step(self, from_x: Tensor, from_h: Tensor, h: Tensor) -> Tensor:
        both = from_x + from_h
        return ops.tanh(both) if self.nonlinearity == "tanh" else ops.relu(both)


class GRU(_Stepwise):
    """The gated recurrent unit; per layer and step::

        r, z = σ(W x + b + U h + b')     each with its own rows of W, U, b, b'
        n    = tanh(W x + b + r (U h + b'))
        h'   = (1 - z) n + z h

    The three gates' rows are stacked in the order r, z, n.

    Args:
        input_size: D.
        hidden_size: H.
        num_layers: L; each layer reads what the one below it puts out.
        bias: whether there are biases.
        dropout: probability of a zero in what a layer reads from the one below, in training.

    Raises ValueError when a size is below 1 or dropout is not from 0 to 1.

    Source: Cho et al. 2014, in the variant that applies r after the matrix product.
    """

    gates = 3

    def _step(self, from_x: Tensor, from_h: Tensor, h: Tensor) -> Tensor:
        H = self.hidden_size
        x_r, x_z, x_n = ops.split(from_x, H, 1)
        h_r, h_z, h_n = ops.split(from_h, H, 1)
        r, z = ops.sigmoid(x_r + h_r), ops.sigmoid(x_z + h_z)
        n = ops.tanh(x_n + r * h_n)
        return n + z * (h - n)
