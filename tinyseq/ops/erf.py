"""The error function, which NumPy lacks."""

import math
from typing import Any

import numpy as np

from tinyseq import backend
from tinyseq.autograd import Array, Tensor, op
from tinyseq.ops.elementwise import exp, square

__all__ = ["erf"]


@op
def erf(x: Array) -> Any:
    """2 / √π ∫₀ˣ exp(-t²) dt."""
    return backend.erf(x if x.dtype.kind == "f" else x.astype(np.float32))


@erf.vjp
def _(g: Tensor, y: Tensor, x: Tensor) -> tuple[Any, ...]:
    return (g * (2 / math.sqrt(math.pi) * exp(-square(x))),)
