"""Softmax, and cross-entropy on top of it."""

from typing import Any

import numpy as np

from tinyseq import backend
from tinyseq.autograd import Array, FusedOp, Tensor, op
from tinyseq.ops.elementwise import exp, where
from tinyseq.ops.indexing import as_index
from tinyseq.ops.reduce import sum
from tinyseq.ops.shape import permute, position, reshape

__all__ = ["cross_entropy", "log_softmax", "softmax"]


def _below_top(x: Array, dim: int) -> Array:
    """x less its maximum, which exp cannot overflow on; NaN where that is infinite."""
    with np.errstate(invalid="ignore"):
        y: Array = x - x.max(axis=dim, keepdims=True, initial=-np.inf)
    return y


@op
def _softmax(x: Array, *, dim: int) -> Any:
    e = backend.exp(_below_top(x, dim))
    return e / e.sum(axis=dim, keepdims=True)


@_softmax.vjp
def _(g: Tensor, y: Tensor, x: Tensor, *, dim: int) -> tuple[Any, ...]:
    return (y * (g - sum(g * y, dim, keepdim=True)),)


def softmax(x: Tensor, dim: int) -> Tensor:
    """exp(x) / Σ exp(x) along dim."""
    return _softmax(x, dim=position(x, dim))


@op
def _log_softmax(x: Array, *, dim: int) -> Any:
    shifted = _below_top(x, dim)
    return shifted - np.log(backend.exp(shifted).sum(axis=dim, keepdims=True))


@_log_softmax.vjp
def _(g: Tensor, y: Tensor, x: Tensor, *, dim: int) -> tuple[Any, ...]:
    return (g - exp(y) * sum(g, dim, keepdim=True),)


def log_softmax(x: Tensor, dim: int) -> Tensor:
    """x - log Σ exp(x) along dim."""
    return _log_softmax(x, dim=position(x, dim))


def _cross_entropy_forward(
    logits: Array, *, targets: Array, ignore_index: int
) -> tuple[Array, Array]:
    return backend.cross_entropy_forward(logits, targets, ignore_index)


def _backward(
    gradients: list[Any], saved: tuple[Array, Array], logits: Array, *, targets: Array,
    ignore_index: int,
) -> tuple[Any, ...]:  # fmt: skip
    return (backend.cross_entropy_backward(gradients[0], logits, saved[1], targets, ignore_index),)


def _reference(logits: Tensor, *, targets: Array, ignore_index: int) -> tuple[Tensor]:
    kept = targets != ignore_index
    picked = log_softmax(logits, 1)[np.arange(len(targets)), np.where(kept, targets, 0)]
    return (where(kept, -picked, 0.0),)


_cross_entropy = FusedOp(_cross_entropy_forward, _backward, _reference, results=1)


def cross_entropy(
    input: Tensor, target: Any, ignore_index: int = -100, reduction: str = "mean"
) -> Tensor:
    """loss = -log softmax(input)[target], for classes given by their number.

    Args:
        input: logits, (N, V) or (N, V, ...).
        target: whole numbers in [0, V), of shape (N,) or (N, ...).
        ignore_index: a target with this number counts for nothing.
        reduction: "mean" over the targets that count, "sum" or "none".

    Returns:
        A scalar, or the target's shape for "none". The mean over no targets is NaN.

    Raises:
        ValueError: if the shapes do not fit, or for another reduction.
        TypeError: if the targets are not whole numbers.
        IndexError: if a target is out of range.
    """
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"cross_entropy: reduction must be mean, sum or none, got {reduction!r}")
    shape = np.shape(target.data if isinstance(target, Tensor) else target)
    if input.ndim < 2 or shape != (input.shape[0], *input.shape[2:]):
        raise ValueError(
            "cross_entropy: input must be (N, V, ...) and target (N, ...), "
            f"got {input.shape} and {shape}"
        )
    classes = input.shape[1]
    targets = as_index(target, "cross_entropy", classes, except_for=ignore_index).reshape(-1)
    if input.ndim > 2:
        input = permute(input, (0, *range(2, input.ndim), 1))
    rows = reshape(input, (targets.size, classes))
    (losses,) = _cross_entropy.run(rows, targets=targets, ignore_index=ignore_index)
    if reduction == "none":
        return reshape(losses, shape)
    return sum(losses) if reduction == "sum" else sum(losses) / int(np.sum(targets != ignore_index))
