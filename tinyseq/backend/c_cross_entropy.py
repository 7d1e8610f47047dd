"""The kernels of numpy_cross_entropy in C, for float32."""

from typing import Any

import numpy as np
import numpy.typing as npt

from tinyseq.backend import numpy_cross_entropy
from tinyseq.backend.c_arrays import check, is_float32, lib, read, read_index

__all__ = ["cross_entropy_backward", "cross_entropy_forward", "linear_cross_entropy"]

Array = npt.NDArray[Any]


def cross_entropy_forward(logits: Array, targets: Array, ignore_index: int) -> tuple[Array, Array]:
    """-log softmax(logits)[target]; see numpy_cross_entropy.cross_entropy_forward."""
    if not is_float32(logits):
        return numpy_cross_entropy.cross_entropy_forward(logits, targets, ignore_index)
    rows, classes = logits.shape
    losses, logsumexp = np.empty(rows, np.float32), np.empty(rows, np.float32)
    check(
        lib.ts_cross_entropy_forward(
            rows, classes, read(logits), read_index(targets), ignore_index,
            read(losses), read(logsumexp),
        )
    )  # fmt: skip
    return losses, logsumexp


def cross_entropy_backward(
    g: Array, logits: Array, logsumexp: Array, targets: Array, ignore_index: int
) -> Array:
    """g (softmax - one hot); see numpy_cross_entropy.cross_entropy_backward."""
    if not is_float32(g, logits, logsumexp):
        return numpy_cross_entropy.cross_entropy_backward(
            g, logits, logsumexp, targets, ignore_index
        )
    rows, classes = logits.shape
    dlogits = np.empty((rows, classes), np.float32)
    check(
        lib.ts_cross_entropy_backward(
            rows, classes, read(g), read(logits), read(logsumexp), read_index(targets),
            ignore_index, read(dlogits),
        )
    )  # fmt: skip
    return dlogits


def linear_cross_entropy(
    x: Array, weight: Array, bias: Array | None, targets: Array, ignore_index: int, g: Array | None
) -> tuple[Array, Array | None, Array | None, Array | None]:
    """Cross-entropy behind a linear layer; see numpy_cross_entropy.linear_cross_entropy."""
    if not is_float32(x, weight, bias, g):
        return numpy_cross_entropy.linear_cross_entropy(x, weight, bias, targets, ignore_index, g)
    rows, width = x.shape
    losses = np.empty(rows, np.float32)
    dx, dweight, dbias = (
        None if g is None or a is None else np.empty(a.shape, np.float32) for a in (x, weight, bias)
    )
    check(
        lib.ts_linear_cross_entropy(
            rows, width, len(weight), read(x), read(weight), read(bias), read_index(targets),
            ignore_index, read(g), read(losses), read(dx), read(dweight), read(dbias),
        )
    )  # fmt: skip
    return losses, dx, dweight, dbias
