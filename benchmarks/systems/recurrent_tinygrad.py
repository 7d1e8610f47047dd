"""Matrix products in tinygrad, captured by its own jit."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from tinygrad import Tensor, TinyJit

from benchmarks.cases.recurrent import Case
from benchmarks.harness import Results


def work(case: Case) -> Callable[[], Results]:
    """A function that does the case's work once and returns its results."""
    a, b = (Tensor(np.ascontiguousarray(array)).realize() for array in case.inputs().values())
    product = TinyJit(lambda a, b: (a @ b).realize())
    return lambda: [product(a, b).numpy()]
