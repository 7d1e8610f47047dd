"""Softmax and its logarithm."""

from typing import Any

import numpy as np
import numpy.typing as npt

from tinyseq import backend
from tinyseq.autograd import Array, Tensor, op
from tinyseq.backend.quiet import quiet
from tinyseq.ops.creation import as_tensor
from tinyseq.ops.elementwise import exp, to
from tinyseq.ops.reduce import sum
from tinyseq.ops.shape import along

__all__ = ["log_softmax", "softmax"]


def _below_top(x: Array, dim: int) -> Array:
    """x less its maximum, which exp cannot overflow on; NaN where that is infinite."""
    y: Array = quiet.run(np.subtract, x, x.max(axis=dim, keepdims=True, initial=-np.inf))
    return y


@op
def _softmax(x: Array, *, dim: int) -> Any:
    e = backend.exp(_below_top(x, dim))
    return e / e.sum(axis=dim, keepdims=True)


@_softmax.vjp
def _(g: Tensor, y: Tensor, x: Tensor, *, dim: int) -> tuple[Any, ...]:
    return (y * (g - sum(g * y, dim, keepdim=True)),)


def softmax(x: Tensor, dim: int, *, dtype: npt.DTypeLike | None = None) -> Tensor:
    """exp(x) / Σ exp(x) along dim, of x in dtype if one is given."""
    x = as_tensor(x) if dtype is None else to(x, dtype)
    return _softmax(x, dim=along(x, dim, "softmax"))


@op
def _log_softmax(x: Array, *, dim: int) -> Any:
    shifted = _below_top(x, dim)
    return shifted - quiet.run(np.log, backend.exp(shifted).sum(axis=dim, keepdims=True))


@_log_softmax.vjp
def _(g: Tensor, y: Tensor, x: Tensor, *, dim: int) -> tuple[Any, ...]:
    return (g - exp(y) * sum(g, dim, keepdim=True),)


def log_softmax(x: Tensor, dim: int, *, dtype: npt.DTypeLike | None = None) -> Tensor:
    """x - log Σ exp(x) along dim, of x in dtype if one is given."""
    x = as_tensor(x) if dtype is None else to(x, dtype)
    return _log_softmax(x, dim=along(x, dim, "log_softmax"))
