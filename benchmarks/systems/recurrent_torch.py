"""The cases in PyTorch."""

from __future__ import annotations

from collections.abc import Callable

import torch

from benchmarks.cases.recurrent import Case, Inputs
from benchmarks.harness import Results

NAMES = {"w_ih": "weight_ih", "w_hh": "weight_hh", "b_ih": "bias_ih", "b_hh": "bias_hh"}


def work(case: Case) -> Callable[[], Results]:
    """A function that does the case's work once and returns its results."""
    if case.kind == "matmul":
        a, b = (torch.from_numpy(array) for array in case.inputs().values())
        return lambda: [(a @ b).numpy()]
    return step(case) if case.asked == "step" else sequence(case)


def weights(inputs: Inputs, suffix: str) -> dict[str, torch.Tensor]:
    """By PyTorch's names."""
    return {f"{name}{suffix}": torch.from_numpy(inputs[ours]) for ours, name in NAMES.items()}


def sequence(case: Case) -> Callable[[], Results]:
    """A layer along a sequence."""
    inputs = case.inputs()
    x, dy = torch.from_numpy(inputs["x"]), torch.from_numpy(inputs["dy"])
    layer = getattr(torch.nn, case.cell.upper())(*case.shape[2:], batch_first=True)
    layer.load_state_dict(weights(inputs, "_l0"))

    def forward() -> Results:
        with torch.no_grad():
            return [layer(x)[0].numpy()]

    def train() -> Results:
        layer.zero_grad()
        input = x.detach().requires_grad_()
        y, _ = layer(input)
        y.backward(dy)
        return [
            y.detach().numpy(), input.grad.numpy(), *(p.grad.numpy() for p in layer.parameters())
        ]  # fmt: skip

    return train if case.asked == "train" else forward


def step(case: Case) -> Callable[[], Results]:
    """One step of the cell: faster here than a layer along a sequence of one."""
    inputs = case.inputs()
    cell = getattr(torch.nn, f"{case.cell.upper()}Cell")(*case.shape[2:])
    cell.load_state_dict(weights(inputs, ""))
    x = torch.from_numpy(inputs["x"])[:, 0]
    states = tuple(torch.from_numpy(inputs[name]) for name in ("h0", "c0") if name in inputs)
    state = states if len(states) > 1 else states[0]

    def once() -> Results:
        with torch.no_grad():
            after = cell(x, state)
        return [(after[0] if len(states) > 1 else after).numpy()]

    return once
