"""The cases in PyTorch."""

from __future__ import annotations

from collections.abc import Callable

import torch

from benchmarks.cases import Case
from benchmarks.harness import Results


def setup(threads: int) -> str:
    """Once per process; returns what the header says."""
    torch.set_num_threads(threads)
    return f"PyTorch {torch.__version__}"


def work(case: Case) -> Callable[[], Results]:
    """A function that does the case's work once and returns its results."""
    inputs = {name: torch.from_numpy(array) for name, array in case.inputs().items()}
    if case.kind == "matmul":
        a, b = inputs["a"], inputs["b"]
        return lambda: [(a @ b).numpy()]
    x, dy = inputs.pop("x"), inputs.pop("dy")
    layer = torch.nn.LSTM(*case.shape[2:], batch_first=True)
    layer.load_state_dict(inputs)

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

    return train if case.kind == "lstm train" else forward
