"""A linear layer and the cross-entropy of its logits, which are never all there."""

from typing import Any

import numpy as np

from tinyseq import backend
from tinyseq.autograd import Array, FusedOp, Tensor, is_grad_enabled
from tinyseq.backend.quiet import quiet
from tinyseq.ops.creation import as_tensor
from tinyseq.ops.cross_entropy import over_classes, picked
from tinyseq.ops.elementwise import to
from tinyseq.ops.indexing import as_index
from tinyseq.ops.matmul import linear
from tinyseq.ops.reduce import sum
from tinyseq.ops.shape import reshape
from tinyseq.ops.softmax import log_softmax

__all__ = ["linear_cross_entropy"]


def _losses_forward(
    x: Array, weight: Array, bias: Array | None, *, targets: Array, ignore_index: int
) -> tuple[Any, ...]:
    return backend.linear_cross_entropy(x, weight, bias, targets, ignore_index, None)


def _losses_backward(
    gradients: list[Any], saved: tuple[Any, ...], x: Array, weight: Array, bias: Array | None, *,
    targets: Array, ignore_index: int,
) -> tuple[Any, ...]:  # fmt: skip
    g = gradients[0]
    return backend.linear_cross_entropy(x, weight, bias, targets, ignore_index, g)[1:]


def _losses_reference(
    x: Tensor, weight: Tensor, bias: Tensor | None, *, targets: Array, ignore_index: int
) -> tuple[Tensor]:
    return (picked(log_softmax(linear(x, weight, bias), 1), targets, ignore_index),)


_losses = FusedOp(_losses_forward, _losses_backward, _losses_reference, results=1)


# Where all rows' losses become one, what will reach each row is known beforehand but for a factor:
# the forward kernel finds the gradients while it has the logits, and none is computed twice.


def _loss_forward(
    x: Array, weight: Array, bias: Array | None, *, targets: Array, ignore_index: int, over: int
) -> tuple[Any, ...]:
    g = np.full(len(x), 1 / max(over, 1), x.dtype)
    losses, *gradients = backend.linear_cross_entropy(x, weight, bias, targets, ignore_index, g)
    return quiet.run(np.divide, losses.sum(), over), *gradients


def _loss_backward(
    gradients: list[Any], saved: tuple[Any, ...], *inputs: Any, **params: Any
) -> tuple[Any, ...]:
    return tuple(
        None if share is None else quiet.run(np.multiply, share, gradients[0])
        for share in saved[1:]
    )


def _loss_reference(
    x: Tensor, weight: Tensor, bias: Tensor | None, *, targets: Array, ignore_index: int, over: int
) -> tuple[Tensor]:
    losses = _losses_reference(x, weight, bias, targets=targets, ignore_index=ignore_index)
    return (sum(losses[0]) / over,)


_loss = FusedOp(_loss_forward, _loss_backward, _loss_reference, results=1)


def linear_cross_entropy(
    x: Any,
    weight: Tensor,
    bias: Tensor | None,
    target: Any,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Tensor:
    """cross_entropy(linear(x, weight, bias), target), without ever holding all the logits::

        loss = -log softmax(W x + b)[target]

    They are made for a block of rows, used for the loss and its gradients, and forgotten. Where
    that is to be differentiated, "mean" and "sum" find the gradients with the loss; "none", and
    gradients of gradients, compute logits once more, and the latter all of them.

    Args:
        x: (..., E).
        weight: (V, E).
        bias: (V,) or None.
        target: classes, whole numbers in [0, V), of shape (...).
        ignore_index: a target with this number counts for nothing.
        reduction: "mean" over the targets that count; "sum" or "none".

    Returns:
        A scalar, or (...) for "none". The mean over no targets is NaN.

    Raises:
        ValueError: if the shapes do not fit, or for another reduction.
        TypeError: if the targets are not whole numbers.
        IndexError: if a class is out of range.
    """
    where = "linear_cross_entropy"
    x, target = as_tensor(x), as_tensor(target)
    if weight.ndim != 2 or not x.ndim or x.shape[-1] != weight.shape[1]:
        raise ValueError(
            f"{where}: x must be (..., E) and weight (V, E), got {x.shape} and {weight.shape}"
        )
    if bias is not None and bias.shape != weight.shape[:1]:
        raise ValueError(f"{where}: bias must be ({len(weight)},), got {bias.shape}")
    shape = x.shape[:-1]
    if target.shape != shape:
        raise ValueError(f"{where}: target must be {shape}, got {target.shape}")
    if reduction not in ("mean", "sum", "none"):
        raise ValueError(f"{where}: reduction must be mean, sum or none, got {reduction!r}")
    targets = as_index(target, where, len(weight), except_for=ignore_index).reshape(-1)
    rows = x if x.ndim == 2 else reshape(x, (targets.size, weight.shape[1]))
    inputs = [rows, weight, bias]
    dtypes = {a.dtype for a in inputs if a is not None}
    if len(dtypes) > 1:
        dtype = np.result_type(*dtypes)
        inputs = [a if a is None or a.dtype == dtype else to(a, dtype) for a in inputs]
    known = {"targets": targets, "ignore_index": ignore_index}
    if (
        reduction != "none"
        and is_grad_enabled()
        and any(a is not None and a.requires_grad for a in inputs)
    ):
        over = int(np.count_nonzero(targets != ignore_index)) if reduction == "mean" else 1
        return _loss.run(*inputs, **known, over=over)[0]
    (losses,) = _losses.run(*inputs, **known)
    return over_classes(losses, shape, targets, None, ignore_index, reduction, where)
