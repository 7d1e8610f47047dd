"""The plain recurrent network: layer and cell."""

from __future__ import annotations

from typing import Any

from tinyseq import ops
from tinyseq.autograd import FusedOp, Tensor
from tinyseq.nn.recurrent import Recurrent
from tinyseq.nn.recurrent_cells import Cell
from tinyseq.ops.rnn import rnn_op


class RNN(Recurrent):
    """The plain recurrent network; per layer and step::

        h_t = act(W x_t + b + U h_{t-1} + b')

    with W weight_ih (H,D), U weight_hh (H,H), b bias_ih and b' bias_hh (H,).

    Args:
        nonlinearity: act, "tanh" or "relu".
        input_size, hidden_size, num_layers, bias, dropout, bidirectional, reverse, layer_norm,
            recurrent_dropout, zoneout, checkpoint_every: as `Recurrent` says, which also names the
            parameters of each layer.

    Raises ValueError when an argument is outside its range.

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
        bidirectional: bool = False,
        *,
        reverse: bool = False,
        layer_norm: bool = False,
        recurrent_dropout: float = 0.0,
        zoneout: float = 0.0,
        checkpoint_every: int = 0,
    ) -> None:
        self.nonlinearity = check_nonlinearity("RNN", nonlinearity)
        super().__init__(
            input_size, hidden_size, num_layers, bias, dropout, bidirectional, reverse, layer_norm,
            recurrent_dropout, zoneout, checkpoint_every,
        )  # fmt: skip

    def _cell(self) -> tuple[FusedOp, str]:
        return rnn_op, f"rnn_{self.nonlinearity}"


class RNNCell(Cell):
    """One step of the plain recurrent network: h' = act(W x + b + U h + b').

    Args:
        input_size, hidden_size, bias: as `Cell` says, which also names the parameters.
        nonlinearity: act, "tanh" or "relu".

    Raises ValueError when an argument is outside its range.
    """

    gates = 1

    def __init__(
        self, input_size: int, hidden_size: int, bias: bool = True, nonlinearity: str = "tanh"
    ) -> None:
        self.nonlinearity = check_nonlinearity("RNNCell", nonlinearity)
        super().__init__(input_size, hidden_size, bias)

    def _op(self, x: Tensor, *inputs: Any) -> tuple[Tensor, ...]:
        return ops.rnn(x, *inputs, nonlinearity=self.nonlinearity)


def check_nonlinearity(layer: str, nonlinearity: str) -> str:
    """The nonlinearity itself; raises ValueError, naming the layer, when there is none such."""
    if nonlinearity not in ("tanh", "relu"):
        raise ValueError(f"{layer}: nonlinearity must be tanh or relu, got {nonlinearity!r}")
    return nonlinearity
