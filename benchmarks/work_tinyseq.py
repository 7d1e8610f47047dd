"""The cases in tinyseq, through its public interface, as a user's program would."""

from __future__ import annotations

from collections.abc import Callable

import tinyseq as ts
from benchmarks.cases import Case
from benchmarks.harness import Results


def setup(backend: str, threads: int) -> str:
    """Once per process; returns what the header says."""
    ts.backend.use(backend)
    ts.set_num_threads(threads)
    return f"tinyseq {ts.__version__}, {ts.backend.info()['isa']}"


def work(case: Case) -> Callable[[], Results]:
    """A function that does the case's work once and returns its results."""
    inputs = case.inputs()
    if case.kind == "matmul":
        # The kernel, as NumPy's and PyTorch's `@` are: no graph is asked for.
        a, b = inputs["a"], inputs["b"]
        return lambda: [ts.backend.matmul(a, b)]
    x, dy = inputs.pop("x"), inputs.pop("dy")
    layer = ts.nn.LSTM(*case.shape[2:])
    layer.load_state_dict({name: ts.Tensor(array) for name, array in inputs.items()})

    def forward() -> Results:
        with ts.no_grad():
            return [layer(ts.Tensor(x))[0].data]

    def train() -> Results:
        layer.zero_grad()
        input = ts.Tensor(x, requires_grad=True)
        y, _ = layer(input)
        y.backward(dy)
        return [y.data, input.grad.data, *(p.grad.data for p in layer.parameters())]

    return train if case.kind == "lstm train" else forward
