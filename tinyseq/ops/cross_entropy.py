"""Cross-entropy, of logits and of log-probabilities."""

import math
from typing import Any

import numpy as np

from tinyseq import backend
from tinyseq.autograd import Array, FusedOp, Tensor
from tinyseq.backend.quiet import quiet
from tinyseq.ops.creation import as_tensor
from tinyseq.ops.elementwise import to, where
from tinyseq.ops.indexing import as_index, put, take
from tinyseq.ops.losses import reduced
from tinyseq.ops.reduce import sum
from tinyseq.ops.shape import permute, reshape
from tinyseq.ops.softmax import log_softmax

__all__ = ["cross_entropy", "nll_loss"]


def picked(rows: Tensor, targets: Array, ignore_index: int) -> Tensor:
    """-rows[r, targets[r]] of each row, 0 where the target is to be ignored."""
    kept = np.flatnonzero(targets != ignore_index)
    return put(-take(rows, key=(kept, targets[kept])), shape=targets.shape, key=kept)


def _cross_entropy_forward(
    logits: Array, *, targets: Array, ignore_index: int
) -> tuple[Array, Array]:
    return backend.cross_entropy_forward(logits, targets, ignore_index)


def _cross_entropy_backward(
    gradients: list[Any], saved: tuple[Array, Array], logits: Array, *, targets: Array,
    ignore_index: int,
) -> tuple[Any, ...]:  # fmt: skip
    return (backend.cross_entropy_backward(gradients[0], logits, saved[1], targets, ignore_index),)


def _cross_entropy_reference(logits: Tensor, *, targets: Array, ignore_index: int) -> tuple[Tensor]:
    return (picked(log_softmax(logits, 1), targets, ignore_index),)


_cross_entropy = FusedOp(
    _cross_entropy_forward, _cross_entropy_backward, _cross_entropy_reference, results=1
)


# Where all rows' losses become one, that is done here too: on a small vocabulary the two ops behind
# it would take as long as the kernel.


def _mean_cross_entropy_forward(
    logits: Array, *, targets: Array, ignore_index: int, over: int
) -> tuple[Array, Array]:
    losses, logsumexp = backend.cross_entropy_forward(logits, targets, ignore_index)
    return quiet.run(np.divide, losses.sum(), over), logsumexp


def _mean_cross_entropy_backward(
    gradients: list[Any], saved: tuple[Array, Array], logits: Array, *, targets: Array,
    ignore_index: int, over: int,
) -> tuple[Any, ...]:  # fmt: skip
    g = np.full(len(logits), quiet.run(np.divide, gradients[0], over), logits.dtype)
    return (backend.cross_entropy_backward(g, logits, saved[1], targets, ignore_index),)


def _mean_cross_entropy_reference(
    logits: Tensor, *, targets: Array, ignore_index: int, over: int
) -> tuple[Tensor]:
    losses = _cross_entropy_reference(logits, targets=targets, ignore_index=ignore_index)
    return (sum(losses[0]) / over,)


_mean_cross_entropy = FusedOp(
    _mean_cross_entropy_forward,
    _mean_cross_entropy_backward,
    _mean_cross_entropy_reference,
    results=1,
)


def cross_entropy(
    input: Tensor,
    target: Any,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
    label_smoothing: float = 0.0,
) -> Tensor:
    """The cross-entropy between targets and softmax(input)::

        loss = -Σ_v w[v] t[v] log softmax(input)[v]

    where t is 1 for the target's class and 0 for the others, or the target's probabilities.
    Smoothing by ε takes t (1 - ε) + ε / V in their place.

    Args:
        input: logits, (N, V), (N, V, ...) or (V,).
        target: classes, whole numbers in [0, V), of shape (N,), (N, ...) or (); or
            probabilities, floats in the input's shape.
        weight: (V,), w; None for ones.
        ignore_index: a target class with this number counts for nothing.
        reduction: "mean" over the targets that count, each class weighing w (of probabilities,
            over all); "sum" or "none".
        label_smoothing: ε, from 0 to 1.

    Returns:
        A scalar, or the shape of the classes for "none". The mean over no targets is NaN.

    Raises:
        ValueError: if the shapes do not fit, for another reduction or ε out of range.
        TypeError: if the targets are neither whole numbers nor probabilities.
        IndexError: if a class is out of range.
    """
    input, wanted = as_tensor(input), as_tensor(target)
    if not 0.0 <= label_smoothing <= 1.0:
        raise ValueError(
            f"cross_entropy: label_smoothing must be from 0 to 1, got {label_smoothing}"
        )
    if wanted.dtype.kind == "f" and wanted.shape == input.shape and input.ndim:
        V = input.shape[1 if input.ndim > 1 else 0]
        rows = _rows(input)
        share = _rows(wanted)
        if label_smoothing:
            share = share * (1 - label_smoothing) + label_smoothing / max(V, 1)
        terms = share * log_softmax(rows, 1)
        if weight is not None:
            terms = terms * _weights(weight, rows, "cross_entropy")
        losses = reshape(-sum(terms, 1), input.shape[:1] * (input.ndim > 1) + input.shape[2:])
        return reduced(losses, reduction, "cross_entropy")
    rows, targets, shape = _classes(input, target, ignore_index, "cross_entropy")
    if weight is None and not label_smoothing:
        known = {"targets": targets, "ignore_index": ignore_index}
        if reduction in ("mean", "sum"):
            over = int(np.count_nonzero(targets != ignore_index)) if reduction == "mean" else 1
            return _mean_cross_entropy.run(rows, **known, over=over)[0]
        (losses,) = _cross_entropy.run(rows, **known)
        return over_classes(losses, shape, targets, None, ignore_index, reduction, "cross_entropy")
    w = None if weight is None else _weights(weight, rows, "cross_entropy")
    scores = log_softmax(rows, 1)
    scores = scores if w is None else scores * w
    losses = picked(scores, targets, ignore_index)
    if label_smoothing:
        spread = where(targets != ignore_index, -sum(scores, 1), 0.0)
        losses = losses * (1 - label_smoothing) + spread * (label_smoothing / max(rows.shape[1], 1))
    return over_classes(losses, shape, targets, w, ignore_index, reduction, "cross_entropy")


def nll_loss(
    input: Tensor,
    target: Any,
    weight: Any = None,
    ignore_index: int = -100,
    reduction: str = "mean",
) -> Tensor:
    """loss = -w[target] input[target], for log-probabilities: see `cross_entropy`.

    Args:
        input: log-probabilities, (N, V), (N, V, ...) or (V,).
        target, weight, ignore_index, reduction: as for `cross_entropy`; only classes.

    Raises:
        As `cross_entropy`.
    """
    rows, targets, shape = _classes(as_tensor(input), target, ignore_index, "nll_loss")
    w = None if weight is None else _weights(weight, rows, "nll_loss")
    losses = picked(rows if w is None else rows * w, targets, ignore_index)
    return over_classes(losses, shape, targets, w, ignore_index, reduction, "nll_loss")


def _rows(x: Tensor) -> Tensor:
    """(N, V, ...) or (V,) as (R, V)."""
    if x.ndim > 2:
        x = permute(x, (0, *range(2, x.ndim), 1))
    return x if x.ndim == 2 else reshape(x, (math.prod(x.shape[:-1]), x.shape[-1]))


def _classes(
    input: Tensor, target: Any, ignore_index: int, where: str
) -> tuple[Tensor, Array, tuple[int, ...]]:
    """The input as (R, V), the checked targets as (R,), and their shape."""
    shape = as_tensor(target).shape
    if not input.ndim or shape != input.shape[:1] * (input.ndim > 1) + input.shape[2:]:
        raise ValueError(
            f"{where}: input must be (N, V, ...) and target (N, ...), got {input.shape} and {shape}"
        )
    rows = _rows(input)
    targets = as_index(target, where, rows.shape[1], except_for=ignore_index).reshape(-1)
    return rows, targets, shape


def _weights(weight: Any, rows: Tensor, where: str) -> Tensor:
    """The classes' weights in the dtype of the rows."""
    w, classes = as_tensor(weight), rows.shape[1]
    if w.shape != (classes,):
        raise ValueError(f"{where}: weight must be ({classes},), got {w.shape}")
    return to(w, rows.dtype)


def over_classes(
    losses: Tensor,
    shape: tuple[int, ...],
    targets: Array,
    weight: Tensor | None,
    ignore_index: int,
    reduction: str,
    where: str,
) -> Tensor:
    """The reduction; a mean is over the weights of the targets that count."""
    if reduction != "mean":
        return reduced(reshape(losses, shape), reduction, where)
    kept = targets != ignore_index
    if weight is None:
        return sum(losses) / int(np.count_nonzero(kept))
    return sum(losses) / sum(take(weight, key=targets[kept]))
