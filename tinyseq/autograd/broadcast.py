"""The ops that the engine itself uses: adding gradients up and undoing broadcasts and casts."""

from typing import Any

import numpy as np

from tinyseq.autograd.op import op
from tinyseq.autograd.tensor import Array, Tensor
from tinyseq.backend.quiet import quiet


@op
def add(a: Array, b: Array) -> Any:
    """a + b, broadcast."""
    return quiet.run(np.add, a, b)


@add.vjp
def _(g: Tensor, y: Tensor, a: Tensor, b: Tensor) -> tuple[Any, ...]:
    return g, g


@op
def sum_to(x: Array, *, shape: tuple[int, ...]) -> Any:
    """x summed over the dimensions that broadcasting `shape` to x.shape made or stretched."""
    new = x.ndim - len(shape)
    if new < 0 or any(n not in (1, m) for n, m in zip(shape, x.shape[new:], strict=True)):
        raise ValueError(f"a gradient of shape {x.shape} does not fit a Tensor of shape {shape}")
    stretched = tuple(new + axis for axis, n in enumerate(shape) if n == 1)
    return quiet.run(np.add.reduce, x, (*range(new), *stretched)).reshape(shape)


@sum_to.vjp
def _(g: Tensor, y: Tensor, x: Tensor, *, shape: tuple[int, ...]) -> tuple[Any, ...]:
    return (broadcast_to(g, shape=x.shape),)


@op
def broadcast_to(x: Array, *, shape: tuple[int, ...]) -> Any:
    """x repeated along new dimensions and those of size 1, without copying."""
    if x.size == 1 and 0 not in shape and x.ndim <= len(shape):  # the same, in a tenth of the time
        return np.ndarray(shape, x.dtype, x, 0, (0,) * len(shape))
    return np.broadcast_to(x, shape)


@broadcast_to.vjp
def _(g: Tensor, y: Tensor, x: Tensor, *, shape: tuple[int, ...]) -> tuple[Any, ...]:
    return (g,)  # the engine sums it down


@op
def cast(x: Array, *, dtype: Any) -> Any:
    """x in another dtype."""
    return quiet.run(x.astype, dtype)


@cast.vjp
def _(g: Tensor, y: Tensor, x: Tensor, *, dtype: Any) -> tuple[Any, ...]:
    return (g,)  # the engine casts it back
