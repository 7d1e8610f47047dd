"""python -m benchmarks.overhead: what an op costs when there is hardly anything to compute.

Chains and wide graphs of thousands of ops on arrays of four numbers are built, walked backward and
freed: in tinyseq, and, where they are installed, in PyTorch and in HIPS autograd. The results are
compared before anything is timed, and the systems take turns.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
from collections.abc import Callable
from typing import Any

N = 2000  # ops in a graph, at least

# A graph is given as a function of the leaf x, a constant c of its shape, and three functions in
# which the systems' names differ: tanh, sum (all elements, dimensions kept) and matmul.
Graph = Callable[[Any, Any, Any], Any]


def chain(step: Graph) -> Graph:
    """One op after another."""

    def build(x: Any, c: Any, f: Any) -> Any:
        y = x
        for _ in range(N):
            y = step(y, c, f)
        return y

    return build


def fan_out(x: Any, c: Any, f: Any) -> Any:
    """One Tensor used by a thousand ops, their results added up pair by pair."""
    parts = [x * c for _ in range(N // 2)]
    while len(parts) > 1:
        parts = [a + b for a, b in zip(parts[::2], parts[1::2], strict=False)] + (
            parts[-1:] if len(parts) % 2 else []
        )
    return parts[0]


def ladder(x: Any, c: Any, f: Any) -> Any:
    """Every result used twice: the gradients' shares meet again and again."""
    y = x
    for _ in range(N // 3):
        y = (y + y) * c - y  # c is nearly 1, and so the values stay about as they are
    return y


def cell(x: Any, c: Any, f: Any) -> Any:
    """A recurrence in small ops, as a gated cell has them."""
    h = x
    for _ in range(N // 5):
        gate = f.tanh(h * c - x)
        h = h - gate * c
    return h


VECTOR, MATRIX = (4,), (2, 2)
GRAPHS: dict[str, tuple[Graph, tuple[int, ...], int]] = {
    "y + c": (chain(lambda y, c, f: y + c), VECTOR, N),
    "y - c": (chain(lambda y, c, f: y - c), VECTOR, N),
    "y * c": (chain(lambda y, c, f: y * c), VECTOR, N),
    "y / c": (chain(lambda y, c, f: y / c), VECTOR, N),
    "-y": (chain(lambda y, c, f: -y), VECTOR, N),
    "y + 0.5": (chain(lambda y, c, f: y + 0.5), VECTOR, N),
    "1.0 - y": (chain(lambda y, c, f: 1.0 - y), VECTOR, N),
    "y * 0.999": (chain(lambda y, c, f: y * 0.999), VECTOR, N),
    "tanh": (chain(lambda y, c, f: f.tanh(y)), VECTOR, N),
    "sum": (chain(lambda y, c, f: f.sum(y)), VECTOR, N),
    "matmul 2x2": (chain(lambda y, c, f: f.matmul(y, c)), MATRIX, N),
    "fan-out": (fan_out, VECTOR, N),
    "ladder": (ladder, VECTOR, N // 3 * 3),
    "recurrence": (cell, VECTOR, N // 5 * 5),
}


def tinyseq_system(graph: Graph, x: Any, c: Any) -> Callable[[], list[Any]]:
    """Forward and backward in tinyseq."""
    import tinyseq as ts

    class F:
        tanh = staticmethod(ts.tanh)
        matmul = staticmethod(ts.matmul)

        @staticmethod
        def sum(y: Any) -> Any:
            return ts.sum(y, 0, True)

    constant, ones = ts.Tensor(c), ts.Tensor(x * 0 + 1)

    def run() -> list[Any]:
        leaf = ts.Tensor(x, requires_grad=True)
        y = graph(leaf, constant, F)
        y.backward(ones if y.shape == ones.shape else None)
        return [y.data, leaf.grad.data]

    return run


def torch_system(graph: Graph, x: Any, c: Any) -> Callable[[], list[Any]]:
    """Forward and backward in PyTorch."""
    import torch

    class F:
        tanh = torch.tanh
        matmul = torch.matmul

        @staticmethod
        def sum(y: Any) -> Any:
            return torch.sum(y, 0, True)

    start, constant = torch.from_numpy(x), torch.from_numpy(c)
    ones = torch.ones_like(start)

    def run() -> list[Any]:
        leaf = start.detach().requires_grad_()
        y = graph(leaf, constant, F)
        y.backward(ones if y.shape == ones.shape else None)
        return [y.detach().numpy(), leaf.grad.numpy()]

    return run


def hips_system(graph: Graph, x: Any, c: Any) -> Callable[[], list[Any]]:
    """Forward and backward in HIPS autograd."""
    import autograd.numpy as anp
    import numpy as np
    from autograd.core import make_vjp

    class F:
        tanh = staticmethod(anp.tanh)
        matmul = staticmethod(anp.matmul)

        @staticmethod
        def sum(y: Any) -> Any:
            return anp.sum(y, 0, keepdims=True)

    def run() -> list[Any]:
        vjp, y = make_vjp(lambda leaf: graph(leaf, c, F), x)
        return [y, vjp(np.ones_like(y))]

    return run


SYSTEMS = {"tinyseq": tinyseq_system, "torch": torch_system, "autograd": hips_system}


def main() -> int:
    """Print microseconds per op; 1 if a result was wrong or a limit not kept."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.overhead", description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, metavar="N", help="default: 15")
    parser.add_argument("--only", default="", metavar="TEXT", help="graphs whose name contains it")
    asked = parser.parse_args()
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
    import numpy as np

    from benchmarks.harness import Here, System, run

    names = [s for s in SYSTEMS if importlib.util.find_spec(s)]
    limits = {"torch": 1.3, "autograd": 1 / 3}
    random = np.random.default_rng(0)
    failed = False
    print(
        "µs per op, forward and backward: best (median) of the rounds; /X: tinyseq's best over X's"
    )
    print(
        f"{'graph':<14}"
        + "".join(f"{n:>16}" for n in names)
        + "".join(f"  /{n}" for n in names[1:])
    )
    for graph_name, (graph, shape, ops) in GRAPHS.items():
        if asked.only not in graph_name:
            continue
        # Factors of about 1, and a rotation, so that values neither vanish nor overflow.
        x, c = (random.uniform(0.999, 1.001, shape).astype(np.float32) for _ in range(2))
        if shape == MATRIX:
            c = np.array([[0.8, -0.6], [0.6, 0.8]], np.float32)
        systems: dict[str, System] = {name: Here(SYSTEMS[name](graph, x, c)) for name in names}
        outcome = run(graph_name, systems, asked.rounds, tolerance=1e-2)
        if outcome.wrong:
            failed = True
            print(f"{graph_name:<14}WRONG: {outcome.wrong}; not timed")
            continue
        row = f"{graph_name:<14}"
        for name in names:
            best, middle = outcome.best(name) / ops * 1e6, outcome.median(name) / ops * 1e6
            row += f"{f'{best:.2f} ({middle:.2f})':>16}"
        for name in names[1:]:
            ratio = outcome.best("tinyseq") / outcome.best(name)
            over = ratio > limits[name]
            failed = failed or over
            row += f"  {ratio:.2f}{'!' if over else ' '}".ljust(len(name) + 3)
        print(row, flush=True)
    print(
        "limits: " + ", ".join(f"/{n} at most {limits[n]:.2f}" for n in names[1:]) + "; ! is over"
    )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
