"""GELU, with a kernel forward and one backward."""

import math
from typing import Any

from tinyseq import backend
from tinyseq.autograd import Array, FusedOp, Tensor
from tinyseq.ops.creation import as_tensor
from tinyseq.ops.elementwise import square, tanh
from tinyseq.ops.erf import erf

__all__ = ["gelu"]


def _gelu_forward(x: Array, *, approximate: str) -> tuple[Array]:
    return (backend.gelu(x, approximate),)


def _gelu_backward(
    gradients: list[Any], saved: tuple[Any, ...], x: Array, *, approximate: str
) -> tuple[Any, ...]:
    return (backend.gelu_backward(gradients[0], x, approximate, False)[0],)


def _gelu_reference(x: Tensor, *, approximate: str) -> tuple[Tensor]:
    if approximate == "none":
        return (0.5 * x * (1 + erf(x * math.sqrt(0.5))),)
    # x² is written as a factor so that a large x does not overflow before its tanh is taken.
    return (0.5 * x * (1 + tanh(x * (math.sqrt(2 / math.pi) * (1 + 0.044715 * square(x))))),)


_gelu = FusedOp(_gelu_forward, _gelu_backward, _gelu_reference, results=1)


def gelu(x: Tensor, approximate: str = "none") -> Tensor:
    """x Φ(x), where Φ is the normal distribution: Φ(x) = ½ (1 + erf(x / √2)).

    Args:
        x: any shape.
        approximate: "none", or "tanh" for Φ(x) ≈ ½ (1 + tanh(√(2/π) (x + 0.044715 x³))).

    Raises:
        ValueError: for another approximation.

    Source: Hendrycks and Gimpel, "Gaussian Error Linear Units", 2016.
    """
    x = as_tensor(x)
    if approximate not in ("none", "tanh"):
        raise ValueError(f"gelu: approximate must be none or tanh, got {approximate!r}")
    return _gelu.run(x if x.dtype.kind == "f" else x.float(), approximate=approximate)[0]
