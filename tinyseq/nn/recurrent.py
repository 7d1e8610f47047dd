"""Recurrent: what RNN, LSTM and GRU share.

The mathematics of a step is in the ops (tinyseq/ops/rnn.py, lstm.py, gru.py), which run one layer
in one direction along a batch of sequences. Here layers and directions are put together.

Two deliberate differences from PyTorch: sequences are always (B,T,D), batch first, with no flag;
and rows of different lengths come as they are, with ``lengths=``, instead of sorted and packed.
"""

from __future__ import annotations

import math
from inspect import signature
from typing import Any

import numpy as np

from tinyseq import init, random
from tinyseq.autograd import Array, FusedOp, Tensor, is_grad_enabled
from tinyseq.backend.recurrent import Weights
from tinyseq.nn import functional as F
from tinyseq.nn.checks import as_input, as_states, check_count, check_rate
from tinyseq.nn.layers import check_sizes, new_parameter
from tinyseq.nn.module import Module
from tinyseq.nn.recurrent_states import apart, beside, together
from tinyseq.nn.recurrent_stream import Stream
from tinyseq.ops.bidirectional import run_both
from tinyseq.ops.lengths import check_lengths
from tinyseq.ops.recurrent import Call, Trace, check_shapes, prepare, run

ARGUMENTS = {  # by kind of parameter, the op's name for it
    "weight_ih": "w_ih",
    "weight_hh": "w_hh",
    "bias_ih": "b_ih",
    "bias_hh": "b_hh",
    "weight_hr": "w_hr",
    "weight_peephole": "peephole",
    "norm_ih": "norm_ih",
    "norm_hh": "norm_hh",
    "norm_c": "norm_c",
    "norm_c_bias": "norm_c_bias",
}
FIRST_VALUES = {"norm_ih": 1.0, "norm_hh": 1.0, "norm_c": 1.0, "norm_c_bias": 0.0}


class Recurrent(Module):
    """Layers of one kind of cell, each run along the sequence in one direction or in both.

    R is the size of h, which is H but for an LSTM with a projection; G the number of gates.

    Args:
        input_size: D.
        hidden_size: H.
        num_layers: L; each layer reads what the one below it puts out.
        bias: whether there are biases.
        dropout: probability of a zero in what a layer reads from the one below, in training.
        bidirectional: whether a second set of weights runs from each row's last step to its first;
            h of both directions stand side by side in what the layer puts out.
        reverse: whether the only direction is from each row's last step to its first.
        layer_norm: whether W x and U h are normalised, each by itself, before they are added, and
            c before it becomes h (Ba, Kiros and Hinton, "Layer normalization", 2016): the gains
            are norm_ih, norm_hh and norm_c, the shifts the biases and norm_c_bias. The norm is
            taken over all gates at once, but in the GRU over r and z together and n by itself;
            1e-5 is added to the variance.
        recurrent_dropout: probability p of a zero, in training, in the mask that multiplies
            h_{t-1} where U h_{t-1} is formed, and is 1/(1-p) elsewhere: one mask for each call,
            row, layer and direction, the same at all its steps (Gal and Ghahramani, "A
            theoretically grounded application of dropout in recurrent neural networks", 2016).
            Streaming draws one at each step.
        zoneout: probability that an element of the state keeps its value over a step, drawn in
            training for each step and element; in evaluation each state is the mean of old and
            new in that proportion (Krueger et al., "Zoneout", 2017).
        checkpoint_every: k > 0 keeps the states of every k-th step alone for the backward pass,
            which computes what lies between again: the same bits, in less memory. 0 keeps all.

    Parameters of layer k: weight_ih_l{k}, (GH,D) at the bottom, above (GH,R), or (GH,2R) if
    bidirectional; weight_hh_l{k} (GH,R); with ``bias`` bias_ih_l{k} and bias_hh_l{k} (GH,); with
    ``layer_norm`` norm_ih_l{k} and norm_hh_l{k} (GH,). The second direction of a bidirectional
    layer has its own, which end in _reverse. Names, shapes and first values, uniform in
    ±1/sqrt(H), are PyTorch's; norms start as ones.

    Raises ValueError when an argument is outside its range, or both ``bidirectional`` and
    ``reverse`` are asked for.
    """

    gates: int
    weight_ih_l0: Tensor

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        num_layers: int,
        bias: bool,
        dropout: float,
        bidirectional: bool,
        reverse: bool,
        layer_norm: bool,
        recurrent_dropout: float,
        zoneout: float | tuple[float, float],
        checkpoint_every: int,
    ) -> None:
        name = type(self).__name__
        check_sizes(name, input_size=input_size, hidden_size=hidden_size, num_layers=num_layers)
        check_rate(name, "dropout", dropout)
        check_rate(name, "recurrent_dropout", recurrent_dropout)
        if bidirectional and reverse:
            raise ValueError(f"{name}: reverse is of one direction, and bidirectional has both")
        check_count(name, "checkpoint_every", checkpoint_every)
        self.input_size = input_size
        self.hidden_size = hidden_size
        self.num_layers = num_layers
        self.bias = bias
        self.dropout = dropout
        self.bidirectional = bidirectional
        self.reverse = reverse
        self.layer_norm = layer_norm
        self.recurrent_dropout = recurrent_dropout
        self.zoneout = zoneout
        self.checkpoint_every = checkpoint_every
        for rate in self._zoneouts():
            check_rate(name, "zoneout", rate)
        self._sides = [("", reverse), ("_reverse", True)][: 2 if bidirectional else 1]
        # For each layer and direction: the op's arguments, by the names of our parameters, and
        # whether it goes backwards.
        self._stream = Stream()
        self._runs: list[tuple[dict[str, str], bool]] = []
        bound = 1.0 / math.sqrt(hidden_size)
        for k in range(num_layers):
            for suffix, backwards in self._sides:
                shapes = self._shapes(k)
                for kind, shape in shapes.items():
                    parameter = new_parameter(*shape)
                    if kind in FIRST_VALUES:
                        init.constant_(parameter, FIRST_VALUES[kind])
                    else:
                        init.uniform_(parameter, -bound, bound)
                    setattr(self, f"{kind}_l{k}{suffix}", parameter)
                names = {ARGUMENTS[kind]: f"{kind}_l{k}{suffix}" for kind in shapes}
                self._runs.append((names, backwards))

    # What each kind of layer says of itself

    def _cell(self) -> tuple[FusedOp, str]:
        """Its op, and the name that kernels have for its cell."""
        raise NotImplementedError

    def _state_sizes(self) -> tuple[int, ...]:
        """The size of each state; the first is h, of size R."""
        return (self.hidden_size,)

    def _zoneouts(self) -> tuple[Any, ...]:
        """The rate of zoneout of each state."""
        return (self.zoneout,)

    def _shapes(self, k: int) -> dict[str, tuple[int, ...]]:
        """By kind, the parameters of layer k in one direction."""
        rows, R = self.gates * self.hidden_size, self._state_sizes()[0]
        shapes: dict[str, tuple[int, ...]] = {
            "weight_ih": (rows, R * len(self._sides) if k else self.input_size),
            "weight_hh": (rows, R),
        }
        if self.bias:
            shapes |= {"bias_ih": (rows,), "bias_hh": (rows,)}
        if self.layer_norm:
            shapes |= {"norm_ih": (rows,), "norm_hh": (rows,)}
        return shapes

    # The run

    def forward(
        self,
        x: Tensor | Array,
        state: Any = None,
        lengths: Any = None,
        return_trace: bool = False,
    ) -> tuple[Any, ...]:
        """Run along a batch of sequences.

        Args:
            x: (B,T,D), Tensor or array in the dtype of the weights; so is each state.
            state: the state before the first step, h (L,B,R) or, of an LSTM, the pair of h (L,B,R)
                and c (L,B,H); zeros when not given. A bidirectional layer has 2L in place of L:
                both directions of layer 0, both of layer 1, and so on. To cut the gradient where
                a window begins, hand on a detached state.
            lengths: the steps of each row that are real, B whole numbers from 0 to T in any order;
                all T when not given. What lies beyond neither changes anything nor gets a gradient.
            return_trace: whether to look inside as well.

        Returns the last layer's h at every step (B,T,R), in a bidirectional layer (B,T,2R), zeros
        past a row's length; and the state after each row's last real step, in the form of
        ``state``. With ``return_trace`` there comes third a list with a `Trace`
        (tinyseq/ops/recurrent.py) for each layer and direction, in the order of the states: every
        gate, every c and, after backward, the norm of the gradient at each step.

        Raises ValueError when a shape, a length or the number of states is another, or when
        ``return_trace`` meets ``checkpoint_every``; TypeError when a dtype is not that of the
        weights, lengths are no whole numbers, or the state of an LSTM is no pair.
        """
        name = type(self).__name__
        x = as_input(name, "x", x, ("B", "T"), self.input_size, self.weight_ih_l0.dtype)
        if return_trace and self.checkpoint_every:
            raise ValueError(f"{name}: return_trace is not for checkpoint_every")
        if lengths is not None:
            lengths = check_lengths(name, lengths, *x.shape[:2])
        traces = [Trace() if return_trace else None for _ in self._runs]
        y, ends = self._walk(x, self._states(state, x), lengths, traces)
        return (y, self._after(ends), traces) if return_trace else (y, self._after(ends))

    def step(self, x_t: Tensor | Array, state: Any = None) -> tuple[Tensor, Any]:
        """Run one step, for sequences that come in bit by bit.

        Args:
            x_t: (B,D), Tensor or array in the dtype of the weights.
            state: what the step before returned; zeros when not given.

        Returns the last layer's h (B,R), and the state to hand to the next step, which may share
        its memory: change neither in place. Step by step the results are those of the whole
        sequence.

        Raises ValueError and TypeError as `forward` does, and ValueError when the layer runs from
        the end.
        """
        name = f"{type(self).__name__}.step"
        if self.bidirectional or self.reverse:
            raise ValueError(f"{name}: a layer that runs from the end needs the whole sequence")
        x = as_input(name, "x_t", x_t, ("B",), self.input_size, self.weight_ih_l0.dtype)
        states = self._states(state, x)
        dropping = self.training and (self.dropout or self.recurrent_dropout)
        if is_grad_enabled() or dropping or self.zoneout:
            x = x.reshape(x.shape[0], 1, self.input_size)
            _, ends = self._walk(x, states, None, [None] * len(self._runs))
            return ends[-1][0], self._after(ends)
        arrays = [getattr(self, name).data for names, _ in self._runs for name in names.values()]
        stepper = self._stream.stepper(self._cell()[1], arrays, self._checked_weights)
        h, c = stepper(x.data, states[0].data, states[1].data if len(states) > 1 else None)
        y, h = Tensor(h[-1]), Tensor(h)
        return y, h if c is None else (h, Tensor(c))

    def _checked_weights(self) -> list[Weights]:
        """The arrays of each layer's weights."""
        checked = []
        R, *H = self._state_sizes()
        for k, (names, _) in enumerate(self._runs):
            weights = Weights(**{field: getattr(self, name).data for field, name in names.items()})
            x, h, *c = (
                np.empty((0, *shape), self.weight_ih_l0.dtype)
                for shape in ((1, R if k else self.input_size), (R,), *((size,) for size in H))
            )
            check_shapes(type(self).__name__, self._cell()[1], x, h, c[0] if c else None, weights)
            checked.append(weights)
        return checked

    def _states(self, state: Any, x: Tensor) -> tuple[Tensor, ...]:
        """The states before the first step, of all layers and directions."""
        layers, B = len(self._runs), len(x.data)
        shapes = [(layers, B, size) for size in self._state_sizes()]
        return as_states(type(self).__name__, state, shapes, x.dtype)

    def _after(self, ends: list[list[Tensor]]) -> Any:
        """The state to return, from where each run ended."""
        states = tuple(map(together, zip(*ends, strict=True)))
        return states if len(states) > 1 else states[0]

    def _walk(
        self,
        x: Tensor,
        states: tuple[Tensor, ...],
        lengths: Array | None,
        traces: list[Any],
    ) -> tuple[Tensor, list[list[Tensor]]]:
        """Layer by layer: the last one's y, and the states where each run ended."""
        starts = zip(*map(apart, states), strict=True)
        ends: list[list[Tensor]] = []
        ys: list[Tensor] = []
        for k in range(0, len(self._runs), len(self._sides)):
            if k:
                x = F.dropout(beside(ys), self.dropout, self.training)
            calls = [
                self._prepare(k + side, x, next(starts), lengths, traces[k + side])
                for side in range(len(self._sides))
            ]
            results = run_both(*calls) if len(calls) == 2 else (run(calls[0]),)
            ys = [y for y, *_ in results]
            ends += [after for _, *after in results]
        return beside(ys), ends

    def _prepare(
        self, which: int, x: Tensor, states: tuple[Tensor, ...], lengths: Any, trace: Any
    ) -> Call:
        """One layer in one direction, with what recurrent dropout and zoneout do to it."""
        (op, cell), (names, reverse), (h0, *c0) = self._cell(), self._runs[which], states
        weights = Weights(**{argument: getattr(self, name) for argument, name in names.items()})
        return prepare(
            op, type(self).__name__, cell, x, h0, c0[0] if c0 else None, weights, lengths=lengths,
            reverse=reverse, checkpoint_every=self.checkpoint_every, trace=trace, **self._noise(x),
        )  # fmt: skip

    def _noise(self, x: Tensor | Array) -> dict[str, Any]:
        """What recurrent dropout and zoneout do: drawn in training, their mean in evaluation."""
        if not (self.recurrent_dropout or self.zoneout):
            return {}
        (B, T, _), noise = x.shape, {}
        if self.training and self.recurrent_dropout:
            ones = Tensor(np.ones((B, self._state_sizes()[0]), x.dtype))
            noise["mask"] = F.dropout(ones, self.recurrent_dropout).data
        zones = zip(("zone_h", "zone_c"), self._zoneouts(), self._state_sizes(), strict=False)
        for name, rate, size in zones:
            if rate and self.training:
                drawn = random.generator().random((B, T, size), np.float32) < rate
                noise[name] = drawn.astype(x.dtype)
            elif rate:
                noise[name] = np.full((1, 1, size), rate, x.dtype)
        return noise

    def extra_repr(self) -> str:
        """The sizes, and every other argument that is not its default."""
        given = signature(type(self)).parameters.items()
        more = [f"{n}={getattr(self, n)!r}" for n, p in given if getattr(self, n) != p.default]
        return ", ".join([f"{self.input_size}, {self.hidden_size}", *more[2:]])
