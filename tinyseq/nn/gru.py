"""The gated recurrent unit: layer and cell."""

from __future__ import annotations

from typing import Any

from tinyseq import ops
from tinyseq.autograd import FusedOp, Tensor
from tinyseq.nn.recurrent import Recurrent
from tinyseq.nn.recurrent_cells import Cell
from tinyseq.ops.gru import gru_op


class GRU(Recurrent):
    """The gated recurrent unit; per layer and step::

        r   = σ(W_r x_t + b_r + U_r h_{t-1} + b'_r)
        z   = σ(W_z x_t + b_z + U_z h_{t-1} + b'_z)
        n   = tanh(W_n x_t + b_n + r (U_n h_{t-1} + b'_n))    reset_after=True
        n   = tanh(W_n x_t + b_n + U_n (r h_{t-1}) + b'_n)    reset_after=False
        h_t = (1 - z) n + z h_{t-1}

    with the rows of r, z and n stacked in this order in W, weight_ih (3H,D), U, weight_hh (3H,H),
    b, bias_ih, and b', bias_hh (3H,). Many texts, the second paper below among them, write z for
    what is 1 - z here: their z is the share of the new value, this one that of the old.

    Args:
        reset_after: whether r comes after the product with U_n, as in PyTorch, cuDNN and, by
            default, Keras; or before it, as in the first paper and, by default, ONNX.
        input_size, hidden_size, num_layers, bias, dropout, bidirectional, reverse, layer_norm,
            recurrent_dropout, zoneout, checkpoint_every: as `Recurrent` says, which also names the
            parameters of each layer.

    Raises ValueError when an argument is outside its range.

    Source: Cho et al., "Learning phrase representations using RNN encoder-decoder for statistical
    machine translation", 2014; Chung et al., "Empirical evaluation of gated recurrent neural
    networks on sequence modeling", 2014.
    """

    gates = 3

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int = 1,
        bias: bool = True,
        dropout: float = 0.0,
        bidirectional: bool = False,
        *,
        reset_after: bool = True,
        reverse: bool = False,
        layer_norm: bool = False,
        recurrent_dropout: float = 0.0,
        zoneout: float = 0.0,
        checkpoint_every: int = 0,
    ) -> None:
        self.reset_after = reset_after
        super().__init__(
            input_size, hidden_size, num_layers, bias, dropout, bidirectional, reverse, layer_norm,
            recurrent_dropout, zoneout, checkpoint_every,
        )  # fmt: skip

    def _cell(self) -> tuple[FusedOp, str]:
        return gru_op, "gru" if self.reset_after else "gru_before"


class GRUCell(Cell):
    """One step of the gated recurrent unit, by the equations of `GRU`.

    Args:
        input_size, hidden_size, bias: as `Cell` says, which also names the parameters.
        reset_after: as `GRU` says.

    Raises ValueError when a size is below 1.
    """

    gates = 3

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, *, reset_after: bool = True
    ) -> None:
        self.reset_after = reset_after
        super().__init__(input_size, hidden_size, bias)

    def _op(self, x: Tensor, *inputs: Any) -> tuple[Tensor, ...]:
        return ops.gru(x, *inputs, reset_after=self.reset_after)
