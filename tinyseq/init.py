"""Ways to fill a Tensor with its first values; each changes it in place and returns it."""

from __future__ import annotations

import math

import numpy as np

from tinyseq import random
from tinyseq.autograd import Tensor


def uniform_(tensor: Tensor, low: float = 0.0, high: float = 1.0) -> Tensor:
    """Independent draws from U(low, high)."""
    tensor.data[...] = random.generator().uniform(low, high, tensor.shape)
    return tensor


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0) -> Tensor:
    """Independent draws from N(mean, std²)."""
    tensor.data[...] = random.generator().normal(mean, std, tensor.shape)
    return tensor


def constant_(tensor: Tensor, value: float) -> Tensor:
    """One value everywhere."""
    tensor.data[...] = value
    return tensor


def xavier_uniform_(tensor: Tensor, gain: float = 1.0) -> Tensor:
    """U(-a, a) with a = gain sqrt(6 / (fan_in + fan_out)), for a weight (fan_out, fan_in).

    Raises ValueError when the tensor is not a matrix.

    Source: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural
    networks", 2010, equation 16.
    """
    fan_out, fan_in = _fans(tensor)
    bound = gain * math.sqrt(6.0 / (fan_in + fan_out))
    return uniform_(tensor, -bound, bound)


def orthogonal_(tensor: Tensor, gain: float = 1.0) -> Tensor:
    """gain times a matrix whose rows, or columns if fewer, are orthonormal, uniformly drawn.

    Raises ValueError when the tensor is not a matrix.

    Source: Saxe, McClelland and Ganguli, "Exact solutions to the nonlinear dynamics of learning in
    deep linear neural networks", 2013.
    """
    rows, columns = _fans(tensor)
    drawn = random.generator().normal(size=(max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(drawn)
    q *= np.sign(np.diagonal(r))  # QR alone prefers some signs: this makes the draw uniform
    tensor.data[...] = gain * (q if rows >= columns else q.T)
    return tensor


def _fans(tensor: Tensor) -> tuple[int, int]:
    if tensor.ndim != 2:
        raise ValueError(f"init: expected a matrix (fan_out, fan_in), got {tensor.shape}")
    fan_out, fan_in = tensor.shape
    return fan_out, fan_in
