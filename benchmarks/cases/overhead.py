"""Graphs of thousands of ops on arrays of four numbers: what an op costs when there is hardly
anything to compute."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

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


GRAPHS: dict[str, tuple[Graph, int]] = {
    "y + c": (chain(lambda y, c, f: y + c), N),
    "y - c": (chain(lambda y, c, f: y - c), N),
    "y * c": (chain(lambda y, c, f: y * c), N),
    "y / c": (chain(lambda y, c, f: y / c), N),
    "-y": (chain(lambda y, c, f: -y), N),
    "y + 0.5": (chain(lambda y, c, f: y + 0.5), N),
    "1.0 - y": (chain(lambda y, c, f: 1.0 - y), N),
    "y * 0.999": (chain(lambda y, c, f: y * 0.999), N),
    "tanh": (chain(lambda y, c, f: f.tanh(y)), N),
    "sum": (chain(lambda y, c, f: f.sum(y)), N),
    "matmul 2x2": (chain(lambda y, c, f: f.matmul(y, c)), N),
    "fan-out": (fan_out, N),
    "ladder": (ladder, N // 3 * 3),
    "recurrence": (cell, N // 5 * 5),
}


@dataclass(frozen=True)
class OverheadCase:
    """A graph, built, walked backward and freed.

    Args:
        kind: of GRAPHS.
        shape: of its arrays.
    """

    kind: str
    shape: tuple[int, ...]
    family: ClassVar[str] = "overhead"
    peers: ClassVar[tuple[str, ...]] = ("torch", "autograd")
    flops: ClassVar[float] = 0.0
    bytes: ClassVar[float] = 0.0
    size: ClassVar[dict[str, float]] = {}

    @property
    def name(self) -> str:
        """As the table shows it."""
        return f"an op of: {self.kind}"

    @property
    def units(self) -> int:
        """The ops in it."""
        return GRAPHS[self.kind][1]

    @property
    def graph(self) -> Graph:
        """What builds it."""
        return GRAPHS[self.kind][0]

    def inputs(self) -> tuple[Any, Any]:
        """The leaf, and factors of about 1, or a rotation, so that values neither vanish nor
        overflow."""
        random = np.random.default_rng(0)
        x, c = (random.uniform(0.999, 1.001, self.shape).astype(np.float32) for _ in range(2))
        if len(self.shape) == 2:
            c = np.array([[0.8, -0.6], [0.6, 0.8]], np.float32)
        return x, c
