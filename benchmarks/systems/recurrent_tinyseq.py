"""The cases in tinyseq, through its public interface, as a user's program would."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import tinyseq as ts
from benchmarks.cases.recurrent import Case
from benchmarks.harness import Results

STATES = ("h0", "c0")
CONSTANTS = ("lengths", "mask", "zone_h", "zone_c", "checkpoint_every")  # not learnt


def work(case: Case) -> Callable[[], Results]:
    """A function that does the case's work once and returns its results."""
    inputs: dict[str, Any] = case.inputs()
    if case.kind == "matmul":
        # The kernel, as NumPy's and PyTorch's `@` are: no graph is asked for.
        a, b = inputs["a"], inputs["b"]
        return lambda: [ts.backend.matmul(a, b)]
    op = getattr(ts.ops, case.cell)
    x, dy = inputs.pop("x"), inputs.pop("dy")
    states = [ts.Tensor(inputs.pop(name)) for name in STATES if name in inputs]
    options = {name: inputs.pop(name) for name in CONSTANTS if name in inputs}
    weights = {name: ts.Tensor(array, requires_grad=True) for name, array in inputs.items()}

    def forward() -> Results:
        with ts.no_grad():
            return [op(ts.Tensor(x), *states, **weights, **options)[0].data]

    def train() -> Results:
        for weight in weights.values():
            weight.grad = None
        input = ts.Tensor(x, requires_grad=True)
        y = op(input, *states, **weights, **options)[0]
        y.backward(dy)
        return [y.data, input.grad.data, *(weight.grad.data for weight in weights.values())]

    if case.asked == "step":
        return step(case, x, states, weights)
    return train if case.asked == "train" else forward


def step(
    case: Case, x: Any, states: list[ts.Tensor], weights: dict[str, ts.Tensor]
) -> Callable[[], Results]:
    """One step of the stream through the layer's own method."""
    layer = getattr(ts.nn, case.cell.upper())(*case.shape[2:])
    names = (f"{part}_l0" for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
    layer.load_state_dict(dict(zip(names, weights.values(), strict=True)))
    x_t = ts.Tensor(np.ascontiguousarray(x[:, 0]))
    before = [ts.Tensor(state.data[None]) for state in states]
    state = before[0] if len(before) == 1 else tuple(before)

    def once() -> Results:
        with ts.no_grad():
            return [layer.step(x_t, state)[0].data]

    return once
