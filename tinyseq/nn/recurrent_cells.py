"""Cell: what RNNCell, LSTMCell and GRUCell share."""

from __future__ import annotations

import math
from typing import Any

from tinyseq import init
from tinyseq.autograd import Tensor
from tinyseq.nn.checks import as_input, as_numbers, as_states
from tinyseq.nn.layers import check_sizes, new_parameter
from tinyseq.nn.module import Module


class Cell(Module):
    """One step of one layer, for loops that write out what happens between the steps.

    Args:
        input_size: D.
        hidden_size: H.
        bias: whether there are biases.

    Parameters: weight_ih (GH,D), weight_hh (GH,H) and, with ``bias``, bias_ih and bias_hh (GH,),
    G being the number of gates. Names, shapes and first values, uniform in ±1/sqrt(H), are
    PyTorch's.

    Raises ValueError when a size is below 1.
    """

    gates: int
    states: int = 1

    def __init__(self, input_size: int, hidden_size: int, bias: bool = True) -> None:
        check_sizes(type(self).__name__, input_size=input_size, hidden_size=hidden_size)
        self.input_size = input_size
        self.hidden_size = hidden_size
        rows, bound = self.gates * hidden_size, 1.0 / math.sqrt(hidden_size)
        self.weight_ih = new_parameter(rows, input_size)
        self.weight_hh = new_parameter(rows, hidden_size)
        self.bias_ih = new_parameter(rows) if bias else None
        self.bias_hh = new_parameter(rows) if bias else None
        for parameter in self.parameters():
            init.uniform_(parameter, -bound, bound)

    def _op(self, x: Tensor, *inputs: Tensor | None) -> tuple[Tensor, ...]:
        """The layer's op: y, and the states after the last step."""
        raise NotImplementedError

    def forward(self, x: Tensor, state: Any = None) -> Any:
        """Take one step.

        Args:
            x: (B,D), or (D,) for one row, Tensor or array in the dtype of the weights.
            state: h (B,H) or, of an LSTM, the pair of h and c, each (B,H); (H,) for one row. Zeros
                when not given.

        Returns the new state, in the same form.

        Raises ValueError when a shape is another; TypeError when a dtype is not that of the
        weights, or the state of an LSTM is no pair.
        """
        name, dtype = type(self).__name__, self.weight_ih.dtype
        x = as_numbers(name, "x", x)
        one = x.ndim == 1
        x = as_input(name, "x", x, () if one else ("B",), self.input_size, dtype)
        shape = (*x.shape[:-1], self.hidden_size)
        states = as_states(name, state, [shape] * self.states, dtype)
        B = 1 if one else x.shape[0]
        starts = (s.reshape(B, self.hidden_size) for s in states)
        weights = self.weight_ih, self.weight_hh, self.bias_ih, self.bias_hh
        _, *ends = self._op(x.reshape(B, 1, self.input_size), *starts, *weights)
        after = tuple(end.reshape(shape) for end in ends)
        return after[0] if self.states == 1 else after

    def extra_repr(self) -> str:
        return f"{self.input_size}, {self.hidden_size}, bias={self.bias_ih is not None}"
