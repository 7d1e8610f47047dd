"""LayerNorm and RMSNorm."""

from __future__ import annotations

from collections.abc import Sequence

from tinyseq import init
from tinyseq.autograd import Tensor
from tinyseq.nn import functional as F
from tinyseq.nn.layers import check_sizes, new_parameter
from tinyseq.nn.module import Module


class LayerNorm(Module):
    """y = weight (x - mean(x)) / sqrt(var(x) + eps) + bias over the last dimensions.

    Args:
        normalized_shape: their size or sizes.
        eps: what is added to the variance.
        elementwise_affine: whether there are a weight and a bias.
        bias: whether there is a bias beside the weight.

    Parameters: weight, ones at first, and bias, zeros, of normalized_shape, float32.

    Raises ValueError when a size is below 1, or, when called, x does not end in these sizes.

    Source: Ba, Kiros and Hinton, "Layer normalization", 2016.
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float = 1e-5,
        elementwise_affine: bool = True,
        bias: bool = True,
    ) -> None:
        self.normalized_shape = _checked("LayerNorm", normalized_shape)
        self.eps = eps
        self.weight = new_parameter(*self.normalized_shape) if elementwise_affine else None
        self.bias = new_parameter(*self.normalized_shape) if elementwise_affine and bias else None
        if self.weight is not None:
            init.constant_(self.weight, 1.0)
        if self.bias is not None:
            init.constant_(self.bias, 0.0)

    def forward(self, x: Tensor) -> Tensor:
        """(..., *normalized_shape) in, the same shape out."""
        return F.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)

    def of_sum(self, x: Tensor, residual: Tensor) -> tuple[Tensor, Tensor]:
        """The norm of x + residual, both (..., E) with E all that is normalised, and that sum; see
        `F.add_layer_norm`."""
        return F.add_layer_norm(x, residual, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}, bias={self.bias is not None}"


class RMSNorm(Module):
    """y = weight x / sqrt(mean(x²) + eps) over the last dimensions.

    Args:
        normalized_shape: their size or sizes.
        eps: what is added to the mean; None for the epsilon of x's dtype.
        elementwise_affine: whether there is a weight.

    Parameters: weight, ones at first, of normalized_shape, float32.

    Raises ValueError as `LayerNorm` does.

    Source: Zhang and Sennrich, "Root mean square layer normalization", 2019.
    """

    def __init__(
        self,
        normalized_shape: int | Sequence[int],
        eps: float | None = None,
        elementwise_affine: bool = True,
    ) -> None:
        self.normalized_shape = _checked("RMSNorm", normalized_shape)
        self.eps = eps
        self.weight = new_parameter(*self.normalized_shape) if elementwise_affine else None
        if self.weight is not None:
            init.constant_(self.weight, 1.0)

    def forward(self, x: Tensor) -> Tensor:
        """(..., *normalized_shape) in, the same shape out."""
        return F.rms_norm(x, self.normalized_shape, self.weight, self.eps)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}"


def _checked(layer: str, normalized_shape: int | Sequence[int]) -> tuple[int, ...]:
    sizes = normalized_shape if isinstance(normalized_shape, Sequence) else (normalized_shape,)
    for size in sizes:
        check_sizes(layer, normalized_shape=size)
    if not sizes:
        raise ValueError(f"{layer}: normalized_shape must name at least one size")
    return tuple(sizes)
