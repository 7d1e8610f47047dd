"""Softmax with cross-entropy, alone and behind a linear layer, in plain NumPy."""

from typing import Any

import numpy as np
import numpy.typing as npt

from tinyseq.backend.numpy_elementwise import exp

__all__ = ["cross_entropy_backward", "cross_entropy_forward", "linear_cross_entropy"]

Array = npt.NDArray[Any]

ROWS = 128  # of the logits, that are held at a time


@np.errstate(all="ignore")
def cross_entropy_forward(logits: Array, targets: Array, ignore_index: int) -> tuple[Array, Array]:
    """The loss logsumexp(logits) - logits[target] of each row, and that logsumexp.

    Args:
        logits: (R, V).
        targets: (R,) int64, in [0, V) or equal to ignore_index, where the loss is 0.
    """
    top = logits.max(1, initial=-np.inf)
    # An infinite row keeps its infinity: subtracting it from itself would make a NaN.
    shift = np.where(np.isinf(top), 0, top).astype(logits.dtype)
    logsumexp = np.log(exp(logits - shift[:, None]).sum(1)) + shift
    losses = np.zeros(len(logits), logits.dtype)
    rows = np.flatnonzero(targets != ignore_index)
    losses[rows] = logsumexp[rows] - logits[rows, targets[rows]]
    return losses, logsumexp


@np.errstate(all="ignore")
def cross_entropy_backward(
    g: Array, logits: Array, logsumexp: Array, targets: Array, ignore_index: int
) -> Array:
    """g (softmax(logits) - one hot of the target), row by row; zeros in ignored rows."""
    softmax = exp(logits - logsumexp[:, None])
    rows = np.flatnonzero(targets != ignore_index)
    softmax[rows, targets[rows]] -= 1
    softmax *= g[:, None]
    softmax[targets == ignore_index] = 0
    return softmax


@np.errstate(all="ignore")
def linear_cross_entropy(
    x: Array, weight: Array, bias: Array | None, targets: Array, ignore_index: int, g: Array | None
) -> tuple[Array, Array | None, Array | None, Array | None]:
    """The losses of the logits x Wᵀ + b, of which a block of rows is held at a time; and, unless g
    is None, the gradients of Σ_r g[r] losses[r], finished with the same block.

    Args:
        x: (R, E).
        weight: (V, E).
        bias: (V,) or None.
        targets, ignore_index: as for `cross_entropy_forward`.
        g: (R,) or None.

    Returns:
        losses (R,), and what belongs to x, weight and bias in their shapes, or None.
    """
    losses = np.empty(len(x), x.dtype)
    dx, dweight = (None, None) if g is None else (np.empty_like(x), np.zeros_like(weight))
    dbias = None if g is None or bias is None else np.zeros_like(bias)
    share = None if g is None else np.empty(weight.shape, weight.dtype)
    for r in range(0, len(x), ROWS):
        block = slice(r, r + ROWS)
        logits = x[block] @ weight.T
        if bias is not None:
            logits += bias
        losses[block], logsumexp = cross_entropy_forward(logits, targets[block], ignore_index)
        if g is not None and dx is not None and dweight is not None:
            dlogits = cross_entropy_backward(
                g[block], logits, logsumexp, targets[block], ignore_index
            )
            np.matmul(dlogits, weight, out=dx[block])
            dweight += np.matmul(dlogits.T, x[block], out=share)
            if dbias is not None:
                dbias += dlogits.sum(0)
    return losses, dx, dweight, dbias
