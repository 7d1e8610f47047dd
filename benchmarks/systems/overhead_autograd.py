"""Graphs of small ops in HIPS autograd."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd.core import make_vjp

from benchmarks.cases.overhead import OverheadCase
from benchmarks.harness import Results


class F:
    """The functions whose names differ."""

    tanh = staticmethod(anp.tanh)
    matmul = staticmethod(anp.matmul)

    @staticmethod
    def sum(y: Any) -> Any:
        return anp.sum(y, 0, keepdims=True)


def work(case: OverheadCase) -> Callable[[], Results]:
    """A function that builds the graph and walks it backward."""
    x, c = case.inputs()

    def once() -> Results:
        vjp, y = make_vjp(lambda leaf: case.graph(leaf, c, F), x)
        return [y, vjp(np.ones_like(y))]

    return once
