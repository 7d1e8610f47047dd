"""Long short-term memory: layer and cell."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any

from tinyseq import ops
from tinyseq.autograd import FusedOp, Tensor
from tinyseq.nn.checks import check_count
from tinyseq.nn.layers import check_sizes
from tinyseq.nn.recurrent import Recurrent
from tinyseq.nn.recurrent_cells import Cell
from tinyseq.ops.lstm import lstm_op


class LSTM(Recurrent):
    """Long short-term memory; per layer and step::

        i   = σ(W_i x_t + b_i + U_i h_{t-1} + b'_i + p_i c_{t-1})
        f   = σ(W_f x_t + b_f + U_f h_{t-1} + b'_f + p_f c_{t-1})
        g   = tanh(W_g x_t + b_g + U_g h_{t-1} + b'_g)
        c_t = f c_{t-1} + i g
        o   = σ(W_o x_t + b_o + U_o h_{t-1} + b'_o + p_o c_t)
        h_t = o tanh(c_t)           V (o tanh(c_t)) with a projection

    with the rows of i, f, g and o stacked in this order in W, weight_ih (4H,D), U, weight_hh
    (4H,R), b, bias_ih, and b', bias_hh (4H,). The terms in p are there with ``peephole``.

    Args:
        proj_size: P > 0 projects h to P numbers by V, weight_hr_l{k} (P,H), P < H; the state h and
            the output have R = P numbers then. 0: no projection, R = H.
        peephole: whether the gates see the cell by p, weight_peephole_l{k} (3H,), the rows of i, f
            and o.
        forget_bias: where b_f begins, b'_f being 0; None draws both as the other biases.
        zoneout: one rate for h and c, or the pair of both; c is held back once o and h_t have seen
            the new one, as in the paper.
        input_size, hidden_size, num_layers, bias, dropout, bidirectional, reverse, layer_norm,
            recurrent_dropout, checkpoint_every: as `Recurrent` says, which also names the other
            parameters of each layer. With ``layer_norm`` there are also norm_c_l{k} and
            norm_c_bias_l{k} (H,), the gain and the shift of the norm of c_t inside its tanh.

    Raises ValueError when an argument is outside its range, or forget_bias is given without bias.

    Source: Hochreiter and Schmidhuber, "Long short-term memory", 1997, with the forget gate of
    Gers, Schmidhuber and Cummins, "Learning to forget", 2000, the peepholes of Gers and
    Schmidhuber, "Recurrent nets that time and count", 2000, and the projection of Sak, Senior and
    Beaufays, "Long short-term memory based recurrent neural network architectures for large
    vocabulary speech recognition", 2014.
    """

    gates = 4

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        proj_size: int = 0,
        peephole: bool = False,
        forget_bias: float | None = None,
        reverse: bool = False,
        layer_norm: bool = False,
        recurrent_dropout: float = 0.0,
        zoneout: float | tuple[float, float] = 0.0,
        checkpoint_every: int = 0,
    ) -> None:
        self.proj_size = proj_size
        self.peephole = peephole
        self.forget_bias = forget_bias
        check_sizes("LSTM", hidden_size=hidden_size)
        check_count("LSTM", "proj_size", proj_size)
        if proj_size >= hidden_size:
            raise ValueError(
                f"LSTM: proj_size must be below hidden_size {hidden_size}, got {proj_size}"
            )
        if forget_bias is not None:
            check_forget_bias(forget_bias, bias)
        super().__init__(
            input_size, hidden_size, num_layers, bias, dropout, bidirectional, reverse, layer_norm,
            recurrent_dropout, zoneout, checkpoint_every,
        )  # fmt: skip
        if forget_bias is not None:
            self._begin_forgetting(forget_bias)

    def _begin_forgetting(self, value: float) -> None:
        forget = slice(self.hidden_size, 2 * self.hidden_size)
        for name, parameter in self.named_parameters():
            if name.startswith("bias_"):
                parameter.data[forget] = value if name.startswith("bias_ih") else 0.0

    def _cell(self) -> tuple[FusedOp, str]:
        return lstm_op, "lstm"

    def _state_sizes(self) -> tuple[int, ...]:
        return self.proj_size or self.hidden_size, self.hidden_size

    def _zoneouts(self) -> tuple[Any, ...]:
        if not isinstance(self.zoneout, (tuple, list)):
            return self.zoneout, self.zoneout
        if len(self.zoneout) != 2:
            raise ValueError(
                f"LSTM: zoneout must be one rate, or two, of h and c, got {self.zoneout!r}"
            )
        return tuple(self.zoneout)

    def _shapes(self, k: int) -> dict[str, tuple[int, ...]]:
        shapes, H = super()._shapes(k), self.hidden_size
        if self.proj_size:
            shapes["weight_hr"] = (self.proj_size, H)
        if self.peephole:
            shapes["weight_peephole"] = (3 * H,)
        if self.layer_norm:
            shapes |= {"norm_c": (H,), "norm_c_bias": (H,)}
        return shapes


class LSTMCell(Cell):
    """One step of the LSTM, by the equations of `LSTM`, from the pair of h and c to the next.

    Args:
        input_size, hidden_size, bias: as `Cell` says, which also names the parameters.

    Raises ValueError when a size is below 1.
    """

    gates = 4
    states = 2

    def _op(self, x: Tensor, *inputs: Any) -> tuple[Tensor, ...]:
        return ops.lstm(x, *inputs)


def check_forget_bias(value: Any, bias: bool) -> None:
    """Raise ValueError when there is no bias to begin with this value, or it is no number."""
    if not bias:
        raise ValueError("LSTM: forget_bias needs bias=True")
    if isinstance(value, bool) or not isinstance(value, Real) or not math.isfinite(value):
        raise ValueError(f"LSTM: forget_bias must be a finite number, got {value!r}")
