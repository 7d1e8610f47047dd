"""Linear, Embedding and Dropout."""

from __future__ import annotations

import math

import numpy as np

from tinyseq import init, ops
from tinyseq.autograd import Tensor
from tinyseq.nn import functional as F
from tinyseq.nn.module import Module, Parameter
from tinyseq.ops.creation import as_tensor


class Linear(Module):
    """y = x Wᵀ + b on the last axis.

    Weights and bias start uniform in ±1/sqrt(in_features), as in PyTorch.

    Args:
        in_features: size of x's last axis, K.
        out_features: size of y's last axis, N.
        bias: whether there is a b.

    Parameters: weight (N,K) and bias (N,), float32.

    Raises ValueError when a size is below 1, or, when called, x's last axis is not K.
    """

    def __init__(self, in_features: int, out_features: int, bias: bool = True) -> None:
        check_sizes("Linear", in_features=in_features, out_features=out_features)
        self.in_features = in_features
        self.out_features = out_features
        bound = 1.0 / math.sqrt(in_features)
        self.weight = new_parameter(out_features, in_features)
        init.uniform_(self.weight, -bound, bound)
        self.bias = new_parameter(out_features) if bias else None
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def forward(self, x: Tensor) -> Tensor:
        """x (..., K) -> y (..., N)."""
        x = as_tensor(x)
        if x.ndim == 0 or x.shape[-1] != self.in_features:
            raise ValueError(f"Linear: x must be (..., {self.in_features}), got {x.shape}")
        return F.linear(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        return f"{self.in_features}, {self.out_features}, bias={self.bias is not None}"


class Embedding(Module):
    """A row of a table for each whole number.

    Rows start normal, mean 0 and deviation 1, as in PyTorch.

    Args:
        num_embeddings: rows, V.
        embedding_dim: size of a row, D.
        padding_idx: a row that starts as zeros and never gets a gradient.

    Parameters: weight (V,D), float32.

    Raises ValueError when a size is below 1 or ``padding_idx`` is not a row.
    """

    def __init__(
        self, num_embeddings: int, embedding_dim: int, padding_idx: int | None = None
    ) -> None:
        check_sizes("Embedding", num_embeddings=num_embeddings, embedding_dim=embedding_dim)
        if padding_idx is not None and not -num_embeddings <= padding_idx < num_embeddings:
            raise ValueError(
                f"Embedding: padding_idx must be a row of {num_embeddings}, got {padding_idx}"
            )
        self.num_embeddings = num_embeddings
        self.embedding_dim = embedding_dim
        self.padding_idx = None if padding_idx is None else padding_idx % num_embeddings
        self.weight = new_parameter(num_embeddings, embedding_dim)
        init.normal_(self.weight)
        if self.padding_idx is not None:
            self.weight.data[self.padding_idx] = 0.0

    def forward(self, index: Tensor) -> Tensor:
        """index (...) of whole numbers in [0, V) -> rows (..., D)."""
        index = as_tensor(index)
        rows = F.embedding(index, self.weight)
        if self.padding_idx is None:
            return rows
        padding = (index.data == self.padding_idx)[..., None]
        return ops.where(padding, rows.detach(), rows)

    def extra_repr(self) -> str:
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"


class Dropout(Module):
    """In training, each element is zero with probability p, else divided by 1 - p.

    Args:
        p: the probability, from 0 to 1.

    Raises ValueError when p is outside that range.
    """

    def __init__(self, p: float = 0.5) -> None:
        F.check_probability("Dropout", p)
        self.p = p

    def forward(self, x: Tensor) -> Tensor:
        """Any shape in, the same shape out."""
        return F.dropout(x, self.p, self.training)

    def extra_repr(self) -> str:
        return f"p={self.p}"


def new_parameter(*shape: int) -> Parameter:
    """A float32 parameter whose values are still to be filled in."""
    return Parameter(np.empty(shape, np.float32))


def check_sizes(layer: str, **sizes: int) -> None:
    """Raise ValueError, naming layer and argument, when a size is not a whole number above 0."""
    for name, size in sizes.items():
        if isinstance(size, bool) or not isinstance(size, (int, np.integer)) or size < 1:
            raise ValueError(f"{layer}: {name} must be a whole number above 0, got {size!r}")
