"""SwiGLU, a feed-forward layer with a gate."""

from __future__ import annotations

from tinyseq.autograd import Tensor
from tinyseq.nn import functional as F
from tinyseq.nn.layers import Linear, check_sizes
from tinyseq.nn.module import Module
from tinyseq.ops.creation import as_tensor


class SwiGLU(Module):
    """y = W2 (silu(W1 x) ⊙ W3 x), with a bias added to each product if wanted.

    Args:
        in_features: size of x's last axis and of y's, E.
        hidden_features: size of the gate and of what it is multiplied by, H. With 2/3 of the
            size of a plain feed-forward layer, the parameters are as many.
        bias: whether the three products have biases.

    Parameters: w1.weight and w3.weight (H,E), w2.weight (E,H), and with biases w1.bias and
    w3.bias (H,), w2.bias (E,), float32, which start as those of `Linear`.

    Raises ValueError when a size is below 1, or, when called, x's last axis is not E.

    Source: Shazeer, "GLU variants improve Transformer", 2020; the parameters' names are Llama's.
    """

    def __init__(self, in_features: int, hidden_features: int, bias: bool = False) -> None:
        check_sizes("SwiGLU", in_features=in_features, hidden_features=hidden_features)
        self.in_features = in_features
        self.w1 = Linear(in_features, hidden_features, bias)
        self.w2 = Linear(hidden_features, in_features, bias)
        self.w3 = Linear(in_features, hidden_features, bias)

    def forward(self, x: Tensor) -> Tensor:
        """(..., E) in, the same shape out."""
        x = as_tensor(x)
        if x.ndim == 0 or x.shape[-1] != self.in_features:
            raise ValueError(f"SwiGLU: x must be (..., {self.in_features}), got {x.shape}")
        y: Tensor = self.w2(F.silu(self.w1(x)) * self.w3(x))
        return y
