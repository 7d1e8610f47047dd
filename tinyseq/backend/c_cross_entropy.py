"""The kernels of numpy_cross_entropy in C, for float32."""

from typing import Any

import numpy as np
import numpy.typing as npt

from tinyseq.backend import numpy_cross_entropy
from tinyseq.backend.c_arrays import FLOAT32, check, lib, read, read_all, read_index

__all__ = ["cross_entropy_backward", "cross_entropy_forward", "linear_cross_entropy"]

Array = npt.NDArray[Any]


def cross_entropy_forward(logits: Array, targets: Array, ignore_index: int) -> tuple[Array, Array]:
    """-log softmax(logits)[target]; see numpy_cross_entropy.cross_entropy_forward."""
    rows, classes = logits.shape
    losses, logsumexp = np.empty(rows, FLOAT32), np.empty(rows, FLOAT32)
    pointers = read_all(logits, losses, logsumexp)
    if pointers is None:
        return numpy_cross_entropy.cross_entropy_forward(logits, targets, ignore_index)
    x, y, z = pointers
    check(lib.ts_cross_entropy_forward(rows, classes, x, read_index(targets), ignore_index, y, z))
    return losses, logsumexp


def cross_entropy_backward(
    g: Array, logits: Array, logsumexp: Array, targets: Array, ignore_index: int
) -> Array:
    """g (softmax - one hot); see numpy_cross_entropy.cross_entropy_backward."""
    rows, classes = logits.shape
    dlogits = np.empty((rows, classes), FLOAT32)
    pointers = read_all(g, logits, logsumexp, dlogits)
    if pointers is None:
        return numpy_cross_entropy.cross_entropy_backward(
            g, logits, logsumexp, targets, ignore_index
        )
    *read, written = pointers
    check(
        lib.ts_cross_entropy_backward(
            rows, classes, *read, read_index(targets), ignore_index, written
        )
    )
    return dlogits


def linear_cross_entropy(
    x: Array, weight: Array, bias: Array | None, targets: Array, ignore_index: int, g: Array | None
) -> tuple[Array, Array | None, Array | None, Array | None]:
    """Cross-entropy behind a linear layer; see numpy_cross_entropy.linear_cross_entropy."""
    given = read_all(x, weight, bias, g)
    if given is None:
        return numpy_cross_entropy.linear_cross_entropy(x, weight, bias, targets, ignore_index, g)
    rows, width = x.shape
    losses, dx, dweight, dbias = np.empty(rows, FLOAT32), None, None, None
    if g is not None:
        dx, dweight = np.empty(x.shape, FLOAT32), np.empty(weight.shape, FLOAT32)
        dbias = None if bias is None else np.empty(bias.shape, FLOAT32)
    check(
        lib.ts_linear_cross_entropy(
            rows, width, len(weight), *given[:3], read_index(targets), ignore_index, given[3],
            read(losses), read(dx), read(dweight), read(dbias),
        )
    )  # fmt: skip
    return losses, dx, dweight, dbias
