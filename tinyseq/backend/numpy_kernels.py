"""Every kernel in plain NumPy: the specification, and what runs where there is no C.

Arrays in, arrays out, in the dtype that came in. Nothing is changed in place except by the
kernels whose names end in an underscore. Shapes were checked by the callers. As in C, infinities
and NaN are answers, of which nobody is warned.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyseq.backend.numpy_attention import (
    attention_backward,
    attention_backward_with_mask,
    attention_forward,
)
from tinyseq.backend.numpy_cross_entropy import (
    cross_entropy_backward,
    cross_entropy_forward,
    linear_cross_entropy,
)
from tinyseq.backend.numpy_elementwise import exp, sigmoid, tanh
from tinyseq.backend.numpy_gelu import erf, gelu, gelu_backward, sum_rows
from tinyseq.backend.numpy_norm import norm_backward, norm_forward
from tinyseq.backend.numpy_recurrent import (
    recurrent_backward,
    recurrent_backward_pair,
    recurrent_forward,
    recurrent_forward_pair,
    recurrent_stepper,
)
from tinyseq.backend.numpy_rotary import rotary
from tinyseq.backend.philox import dropout
from tinyseq.backend.quiet import quiet

Array = npt.NDArray[Any]

__all__ = [
    "adam_",
    "attention_backward",
    "attention_backward_with_mask",
    "attention_forward",
    "cross_entropy_backward",
    "cross_entropy_forward",
    "dropout",
    "embedding",
    "embedding_scatter",
    "erf",
    "exp",
    "gelu",
    "gelu_backward",
    "linear",
    "linear_cross_entropy",
    "linear_gelu",
    "matmul",
    "norm_backward",
    "norm_forward",
    "recurrent_backward",
    "recurrent_backward_pair",
    "recurrent_forward",
    "recurrent_forward_pair",
    "recurrent_stepper",
    "rotary",
    "scale_",
    "sigmoid",
    "sum_of_squares",
    "sum_rows",
    "tanh",
]


def matmul(a: Array, b: Array) -> Array:
    """C = A B for a (..., M, K) and b (..., K, N), batch dimensions broadcast."""
    y: Array = quiet.run(np.matmul, a, b)
    return y


def linear(x: Array, weight: Array, bias: Array | None, activation: str) -> Array:
    """y = activation(x Wᵀ + b).

    Args:
        x: (..., K).
        weight: (N, K).
        bias: (N,) or None.
        activation: "none", "relu", "tanh" or "sigmoid".
    """
    y: Array = quiet.run(np.matmul, x, weight.T)
    if bias is not None:
        quiet.run(np.add, y, bias, y)
    return ACTIVATIONS[activation](y)


def linear_gelu(
    x: Array, weight: Array, bias: Array | None, approximate: str, keep: bool
) -> tuple[Array, Array | None]:
    """GELU of a linear layer.

    Args:
        x, weight, bias: as for `linear`.
        approximate: as for `gelu`.
        keep: whether what GELU is taken of is returned beside the result, else None is.
    """
    before = linear(x, weight, bias, "none")
    return gelu(before, approximate), before if keep else None


def _relu(x: Array) -> Array:
    y: Array = np.maximum(x, 0)
    return y


ACTIVATIONS: dict[str, Callable[[Array], Array]] = {
    "none": lambda y: y,
    "relu": _relu,
    "tanh": tanh,
    "sigmoid": sigmoid,
}


def embedding(weight: Array, index: Array) -> Array:
    """The rows weight[index]: (V, D) and (...) give (..., D)."""
    return weight[index]


@np.errstate(all="ignore")
def embedding_scatter(g: Array, index: Array, rows: int) -> Array:
    """(rows, D) zeros, to which the rows of g (..., D) are added where index says, in its order."""
    out = np.zeros((rows, g.shape[-1]), g.dtype)
    np.add.at(out, index.reshape(-1), g.reshape(-1, g.shape[-1]))
    return out


@np.errstate(all="ignore")
def sum_of_squares(arrays: list[Array]) -> float:
    """The sum of the squares of all elements of all arrays, in float64."""
    return sum(float(np.sum(np.square(a, dtype=np.float64))) for a in arrays)


@np.errstate(all="ignore")
def scale_(arrays: list[Array], factor: float) -> None:
    """Multiplies every element in place."""
    for a in arrays:
        a *= factor


@np.errstate(all="ignore")
def adam_(
    params: list[Array], grads: list[Array], m: list[Array], v: list[Array], *,
    lr: float, beta1: float, beta2: float, eps: float, weight_decay: float, decoupled: bool,
    step: int,
) -> None:  # fmt: skip
    """One Adam step in place on params, m and v, step counted from 1::

        m ← β₁ m + (1 - β₁) g,  v ← β₂ v + (1 - β₂) g²
        p ← p - lr / (1 - β₁ᵗ) · m / (√v / √(1 - β₂ᵗ) + ε)

    Weight decay λ adds λ p to g, or, decoupled, multiplies p by 1 - lr λ beforehand.
    """
    step_size, v_scale = lr / (1 - beta1**step), (1 - beta2**step) ** -0.5
    for p, g, mean, square in zip(params, grads, m, v, strict=True):
        if weight_decay and decoupled:
            p *= 1 - lr * weight_decay
        elif weight_decay:
            g = g + weight_decay * p
        mean *= beta1
        mean += (1 - beta1) * g
        square *= beta2
        square += (1 - beta2) * g * g
        p -= step_size * mean / (np.sqrt(square) * v_scale + eps)
