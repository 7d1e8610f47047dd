"""The layers' functions without their parameters."""

from __future__ import annotations

import numpy as np

from tinyseq import random
from tinyseq.autograd import Tensor
from tinyseq.ops import (
    binary_cross_entropy_with_logits,
    cross_entropy,
    elu,
    embedding,
    gelu,
    huber_loss,
    kl_div,
    l1_loss,
    leaky_relu,
    linear,
    log_softmax,
    logsigmoid,
    mse_loss,
    nll_loss,
    normalize,
    one_hot,
    pad,
    relu,
    sigmoid,
    silu,
    softmax,
    softplus,
    tanh,
)

__all__ = [
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "dropout",
    "elu",
    "embedding",
    "gelu",
    "huber_loss",
    "kl_div",
    "l1_loss",
    "leaky_relu",
    "linear",
    "log_softmax",
    "logsigmoid",
    "mse_loss",
    "nll_loss",
    "normalize",
    "one_hot",
    "pad",
    "relu",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "tanh",
]


def dropout(x: Tensor, p: float = 0.5, training: bool = True) -> Tensor:
    """x m / (1 - p) with m drawn 0 with probability p, else 1; x itself when not training.

    Args:
        x: any shape.
        p: the probability of a zero, from 0 to 1.
        training: False switches it off.

    Raises ValueError when p is outside its range.

    Source: Srivastava et al., "Dropout", 2014, the variant that scales while training.
    """
    check_probability("dropout", p)
    if not training or p == 0.0:
        return x
    kept = random.generator().random(x.shape, np.float32) >= np.float32(p)
    scale = 0.0 if p == 1.0 else 1.0 / (1.0 - p)
    return x * Tensor(np.multiply(kept, scale, dtype=x.dtype))


def check_probability(function: str, p: float) -> None:
    """Raise ValueError, naming the function, when p is not from 0 to 1."""
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"{function}: p must be from 0 to 1, got {p}")
