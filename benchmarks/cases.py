"""The cases: matrix products and the LSTM, in tinyseq's two backends and, if asked, in PyTorch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import tinyseq as ts
from benchmarks.harness import Case, Results

LSTM_SHAPES = [(32, 16, 64, 64), (64, 32, 256, 256), (1000, 8, 64, 128), (100, 64, 512, 512)]
MATMUL_SHAPES = [
    (64, 64, 64), (128, 128, 128), (256, 256, 256), (512, 512, 512), (1024, 1024, 1024),
    (1, 1024, 1024), (3, 1000, 1000), (16, 512, 512), (129, 100, 333), (1000, 7, 1000),
    (1024, 1024, 7),
]  # fmt: skip

random = np.random.default_rng(0)


def normal(*shape: int) -> Any:
    """Standard normal numbers in float32."""
    return random.standard_normal(shape, np.float32)


def on(backend: str, work: Callable[[], Results]) -> Callable[[], Results]:
    """The same work on one of the two backends; switching takes microseconds."""

    def run() -> Results:
        ts.backend.use(backend)
        return work()

    return run


def matmul(m: int, n: int, k: int, turned: str, peers: list[str]) -> Case:
    """C = A B, each factor as it lies or stored transposed: "nn", "nt", "tn", "tt"."""
    a = normal(k, m).T if turned[0] == "t" else normal(m, k)
    b = normal(n, k).T if turned[1] == "t" else normal(k, n)
    c_matmul, numpy_matmul = (kernel(name) for name in ("c", "numpy"))
    systems: dict[str, Callable[[], Results]] = {
        "numpy": lambda: [numpy_matmul(a, b)],
        "c": lambda: [c_matmul(a, b)],
    }
    if "torch" in peers:
        import torch

        ta, tb = torch.from_numpy(a), torch.from_numpy(b)
        systems["torch"] = lambda: [(ta @ tb).numpy()]
    return Case(f"matmul {m}x{n}x{k} {turned}", 2.0 * m * n * k, systems)


def kernel(backend: str) -> Callable[..., Any]:
    """The matmul of one backend, so that switching is not timed with the smallest products."""
    ts.backend.use(backend)
    return ts.backend.matmul


def lstm(shape: tuple[int, int, int, int], train: bool, peers: list[str]) -> Case:
    """One layer over a sequence: forward alone, or with the gradients of x and all weights."""
    T, B, D, H = shape
    layer = ts.nn.LSTM(D, H)
    x, dy = normal(B, T, D), normal(B, T, H)
    systems = {name: on(name, lambda: tinyseq_lstm(layer, x, dy, train)) for name in ("numpy", "c")}
    if "torch" in peers:
        from benchmarks.torch_lstm import torch_lstm

        systems["torch"] = torch_lstm(layer, x, dy, train)
    # A product forward, two backward: the gate functions are not counted.
    flops = 8.0 * T * B * H * (D + H) * (3 if train else 1)
    kind = "train" if train else "forward"
    return Case(f"lstm {kind} T={T} B={B} D={D} H={H}", flops, systems)


def tinyseq_lstm(layer: ts.nn.LSTM, x: Any, dy: Any, train: bool) -> Results:
    """Through the public interface, as a user's program would."""
    if not train:
        with ts.no_grad():
            return [layer(ts.Tensor(x))[0].data]
    layer.zero_grad()
    input = ts.Tensor(x, requires_grad=True)
    y, _ = layer(input)
    y.backward(dy)
    return [y.data, input.grad.data, *(p.grad.data for p in layer.parameters())]


def cases(quick: bool, peers: list[str]) -> Iterator[Case]:
    """All of them, made one at a time since the large ones take memory."""
    for shape in MATMUL_SHAPES[:3] if quick else MATMUL_SHAPES:
        yield matmul(*shape, "nn", peers)
    for turned in ("nt", "tn", "tt"):
        yield matmul(*((256,) * 3 if quick else (512,) * 3), turned, peers)
    if not quick:
        yield matmul(1, 1024, 1024, "nt", peers)
    for lstm_shape in LSTM_SHAPES[:1] if quick else LSTM_SHAPES:
        for train in (False, True):
            yield lstm(lstm_shape, train, peers)
