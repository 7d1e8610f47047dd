"""Dropout by a key: the same elements each time, and so in the gradient."""

from tinyseq import backend
from tinyseq.autograd import Array, Tensor, op

__all__ = ["dropout"]


@op
def dropout(x: Array, *, p: float, key: int) -> Array:
    """x / (1 - p), and 0 for the elements, each with probability p, that the key's bits drop."""
    return backend.dropout(x, p, key)


@dropout.vjp
def _(g: Tensor, y: Tensor, x: Tensor, *, p: float, key: int) -> tuple[Tensor]:
    return (dropout(g, p=p, key=key),)
