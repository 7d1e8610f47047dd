"""The layers' functions without their parameters."""

from __future__ import annotations

from tinyseq import ops, random
from tinyseq.autograd import Tensor
from tinyseq.ops import (
    add_layer_norm,
    add_rms_norm,
    binary_cross_entropy_with_logits,
    cross_entropy,
    elu,
    embedding,
    gelu,
    huber_loss,
    kl_div,
    l1_loss,
    layer_norm,
    leaky_relu,
    linear,
    linear_cross_entropy,
    log_softmax,
    logsigmoid,
    mse_loss,
    nll_loss,
    normalize,
    one_hot,
    pad,
    relu,
    rms_norm,
    rotary_embedding,
    scaled_dot_product_attention,
    sigmoid,
    silu,
    softmax,
    softplus,
    tanh,
)

__all__ = [
    "add_layer_norm",
    "add_rms_norm",
    "binary_cross_entropy_with_logits",
    "cross_entropy",
    "dropout",
    "elu",
    "embedding",
    "gelu",
    "huber_loss",
    "kl_div",
    "l1_loss",
    "layer_norm",
    "leaky_relu",
    "linear",
    "linear_cross_entropy",
    "log_softmax",
    "logsigmoid",
    "mse_loss",
    "nll_loss",
    "normalize",
    "one_hot",
    "pad",
    "relu",
    "rms_norm",
    "rotary_embedding",
    "scaled_dot_product_attention",
    "sigmoid",
    "silu",
    "softmax",
    "softplus",
    "tanh",
]


def dropout(x: Tensor, p: float = 0.5, training: bool = True) -> Tensor:
    """x / (1 - p), in which each element is 0 with probability p; x itself when not training.

    Args:
        x: any shape.
        p: the probability of a zero, from 0 to 1.
        training: False switches it off.

    Raises:
        ValueError: when p is outside its range.
        TypeError: when x does not hold floats.

    Source: Srivastava et al., "Dropout", 2014, the variant that scales while training. Which
    elements are dropped depends on the generator alone, not on the backend or the threads.
    """
    check_probability("dropout", p)
    if not training or p == 0.0:
        return x
    if x.dtype.kind != "f":
        raise TypeError(f"dropout: expected floating-point data, got {x.dtype}")
    return ops.dropout(x, p=p, key=random.next_key())


def check_probability(function: str, p: float) -> None:
    """Raise ValueError, naming the function, when p is not from 0 to 1."""
    if not 0.0 <= p <= 1.0:
        raise ValueError(f"{function}: p must be from 0 to 1, got {p}")
