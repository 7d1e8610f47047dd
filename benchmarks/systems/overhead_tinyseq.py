"""Graphs of small ops in tinyseq."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tinyseq as ts
from benchmarks.cases.overhead import OverheadCase
from benchmarks.harness import Results


class F:
    """The functions whose names differ."""

    tanh = staticmethod(ts.tanh)
    matmul = staticmethod(ts.matmul)

    @staticmethod
    def sum(y: Any) -> Any:
        return ts.sum(y, 0, True)


def work(case: OverheadCase) -> Callable[[], Results]:
    """A function that builds the graph, walks it backward and frees it."""
    x, c = case.inputs()
    constant, ones, graph = ts.Tensor(c), ts.Tensor(x * 0 + 1), case.graph

    def once() -> Results:
        leaf = ts.Tensor(x, requires_grad=True)
        y = graph(leaf, constant, F)
        y.backward(ones if y.shape == ones.shape else None)
        return [y.data, leaf.grad.data]

    return once
