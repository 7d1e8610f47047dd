"""Graphs of small ops in PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from benchmarks.cases.overhead import OverheadCase
from benchmarks.harness import Results


class F:
    """The functions whose names differ."""

    tanh = torch.tanh
    matmul = torch.matmul

    @staticmethod
    def sum(y: Any) -> Any:
        return torch.sum(y, 0, True)


def work(case: OverheadCase) -> Callable[[], Results]:
    """A function that builds the graph, walks it backward and frees it."""
    x, c = case.inputs()
    start, constant, graph = torch.from_numpy(x), torch.from_numpy(c), case.graph
    ones = torch.ones_like(start)

    def once() -> Results:
        leaf = start.detach().requires_grad_()
        y = graph(leaf, constant, F)
        y.backward(ones if y.shape == ones.shape else None)
        return [y.detach().numpy(), leaf.grad.numpy()]

    return once
