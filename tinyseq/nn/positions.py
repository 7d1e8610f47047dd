"""Where in time something stands: positions added to the input, turned into it, or into scores.

Every one takes an ``offset``, the position of the first step: one number, or one for each row of
the batch, as a `KeyValueCache` has them in ``position``.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tinyseq import init, ops
from tinyseq.autograd import Array, Tensor
from tinyseq.nn import functional as F
from tinyseq.nn.checks import as_numbers
from tinyseq.nn.layers import check_sizes, new_parameter
from tinyseq.nn.module import Module


class SinusoidalPositions(Module):
    """x plus waves of wavelengths from 2π to 2π base::

        y[p, 2i]     = x[p, 2i]     + sin(p / base^(2i/E))
        y[p, 2i + 1] = x[p, 2i + 1] + cos(p / base^(2i/E))

    Args:
        embed_dim: size of x's last axis, E.
        base: of the wavelengths, above 1.

    Raises ValueError when an argument is outside its range.

    Source: Vaswani et al., "Attention is all you need", 2017, section 3.5.
    """

    def __init__(self, embed_dim: int, base: float = 10000.0) -> None:
        check_sizes("SinusoidalPositions", embed_dim=embed_dim)
        self.embed_dim = embed_dim
        self.base = base
        self._angles = Angles("SinusoidalPositions", -(-embed_dim // 2), embed_dim, base)

    def forward(self, x: Tensor | Array, offset: Any = 0) -> Tensor:
        """x (B,T,E) at positions offset, offset + 1, ... -> (B,T,E).

        Raises ValueError for another shape or an offset below 0, TypeError for one that is no
        whole number.
        """
        name = "SinusoidalPositions"
        x = as_sequence(name, x, self.embed_dim)
        cos, sin = self._angles.at(as_positions(name, offset, *x.shape[:2]), x.dtype)
        waves = np.stack((sin, cos), -1).reshape(*sin.shape[:-1], 2 * sin.shape[-1])
        return x + Tensor(waves[..., : self.embed_dim])

    def extra_repr(self) -> str:
        return f"{self.embed_dim}, base={self.base}"


class LearnedPositions(Module):
    """x plus a learned row for each position: y[p] = x[p] + weight[p].

    Rows start normal, mean 0 and deviation 0.02, as in GPT-2.

    Args:
        num_positions: how many there are, P.
        embed_dim: size of x's last axis, E.

    Parameters: weight (P,E), float32.

    Raises ValueError when a size is below 1.

    Source: Radford et al., "Language models are unsupervised multitask learners", 2019.
    """

    def __init__(self, num_positions: int, embed_dim: int) -> None:
        check_sizes("LearnedPositions", num_positions=num_positions, embed_dim=embed_dim)
        self.num_positions = num_positions
        self.embed_dim = embed_dim
        self.weight = new_parameter(num_positions, embed_dim)
        init.normal_(self.weight, std=0.02)

    def forward(self, x: Tensor | Array, offset: Any = 0) -> Tensor:
        """x (B,T,E) at positions offset, offset + 1, ... -> (B,T,E).

        Raises ValueError for another shape, or when a position is below 0 or not below P; TypeError
        for an offset that is no whole number.
        """
        name = "LearnedPositions"
        x = as_sequence(name, x, self.embed_dim)
        positions = as_positions(name, offset, *x.shape[:2])
        if positions.size and positions.max() >= self.num_positions:
            raise ValueError(
                f"{name}: positions must be below {self.num_positions}, got {positions.max()}"
            )
        return x + F.embedding(positions, self.weight)

    def extra_repr(self) -> str:
        return f"{self.num_positions}, {self.embed_dim}"


class RotaryEmbedding(Module):
    """Queries or keys turned so that their products depend on how far apart they stand::

        θ[p, i] = p / base^(2i/r)
        (a, b)  -> (a cos θ - b sin θ, b cos θ + a sin θ)    for pair i of r/2

    Args:
        dim: how many features of each head turn, r, even; the others stay as they are.
        base: of the wavelengths, above 1.
        interleaved: whether pairs are neighbours, features 2i and 2i + 1, as in the paper; else
            they are features i and i + r/2, as in GPT-NeoX and Llama.

    Raises ValueError when an argument is outside its range or ``dim`` is odd.

    Source: Su et al., "RoFormer: enhanced transformer with rotary position embedding", 2021.
    """

    def __init__(self, dim: int, base: float = 10000.0, interleaved: bool = False) -> None:
        check_sizes("RotaryEmbedding", dim=dim)
        if dim % 2:
            raise ValueError(f"RotaryEmbedding: dim must be even, got {dim}")
        self.dim = dim
        self.base = base
        self.interleaved = interleaved
        self._angles = Angles("RotaryEmbedding", dim // 2, dim, base)

    def forward(self, x: Tensor | Array, offset: Any = 0, heads: int | None = None) -> Tensor:
        """x (B,N,T,d), with d >= r, at positions offset, offset + 1, ... -> (B,N,T,d), of which
        only the first ``heads`` are turned, if that is given.

        Raises ValueError for another shape, an offset below 0 or heads not from 0 to N; TypeError
        for an offset that is no whole number.
        """
        name = "RotaryEmbedding"
        x = as_numbers(name, "x", x)
        if x.ndim != 4 or x.shape[3] < self.dim:
            raise ValueError(f"{name}: x must be (B, N, T, d >= {self.dim}), got {x.shape}")
        positions = as_positions(name, offset, x.shape[0], x.shape[2])
        cos, sin = self._angles.at(positions, x.dtype)
        return F.rotary_embedding(x, cos, sin, self.interleaved, heads)

    def packed(self, qkv: Tensor, heads: int, kv_heads: int) -> Tensor:
        """Queries, keys and values side by side, (B,T,(N + 2 M) d), as one linear layer made them,
        at positions 0, 1, ...: queries and keys are turned."""
        B, T, width = qkv.shape
        N, M = heads, kv_heads
        apart = ops.reshape(qkv, (B, T, N + 2 * M, width // (N + 2 * M)))
        turned = self.forward(ops.transpose(apart, 1, 2), heads=N + M)
        return ops.reshape(ops.transpose(turned, 1, 2), (B, T, width))

    def extra_repr(self) -> str:
        return f"{self.dim}, base={self.base}, interleaved={self.interleaved}"


def alibi_slopes(num_heads: int) -> Tensor:
    """How fast the scores of each head fall with distance, for ``alibi_slopes=`` of attention::

        slope[n] = 2^(-8 (n + 1) / N)

    for N a power of 2. For another N: those of the power P below it, then every second of those
    of 2P, from the first on.

    Args:
        num_heads: N.

    Returns float32 (N,).

    Raises ValueError when N is below 1.

    Source: Press et al., "Train short, test long", 2022; other N as in its authors' code.
    """
    check_sizes("alibi_slopes", num_heads=num_heads)
    P = 2 ** (int(num_heads).bit_length() - 1)
    exponents = np.concatenate(
        (np.arange(1, P + 1) / P, (np.arange(0, P) + 0.5)[: num_heads - P] / P)
    )
    return Tensor((2.0 ** (-8.0 * exponents)).astype(np.float32))


class Angles:
    """Cosines and sines of p / base^(2i/size) for each position p and i < count.

    They are worked out in float64. The last ones are kept: all layers of a model, and training step
    after step, ask for the same.
    """

    def __init__(self, name: str, count: int, size: int, base: float) -> None:
        if not (math.isfinite(base) and base > 1):
            raise ValueError(f"{name}: base must be a number above 1, got {base!r}")
        self._steps = float(base) ** (-2.0 * np.arange(count) / size)
        self._last: tuple[Array, Array, Array] | None = None

    def at(self, positions: Array, dtype: Any) -> tuple[Array, Array]:
        """Cosines and sines (*positions.shape, count) in a dtype."""
        last = self._last
        if last is None or last[1].dtype != dtype or not np.array_equal(last[0], positions):
            angles = positions[..., None] * self._steps
            last = positions, np.cos(angles).astype(dtype), np.sin(angles).astype(dtype)
            self._last = last
        return last[1:]


def as_sequence(name: str, x: Any, size: int) -> Tensor:
    """x as a Tensor (B,T,size)."""
    tensor = as_numbers(name, "x", x)
    if tensor.ndim != 3 or tensor.shape[2] != size:
        raise ValueError(f"{name}: x must be (B, T, {size}), got {tensor.shape}")
    return tensor


def as_positions(name: str, offset: Any, B: int, T: int) -> Array:
    """The positions of T steps from an offset on: (T,), or (B,T) if each row has its own."""
    first = np.asarray(offset)
    if first.dtype.kind not in "iu" and first.size:
        raise TypeError(f"{name}: offset must be whole numbers, got {first.dtype}")
    if first.shape not in ((), (B,)):
        raise ValueError(f"{name}: offset must be a number or ({B},), got {first.shape}")
    if first.min(initial=0) < 0:
        raise ValueError(f"{name}: offset must be from 0 up, got {first.min()}")
    return first.astype(np.int64)[..., None] + np.arange(T)
