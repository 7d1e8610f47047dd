"""Rotary positions in plain NumPy."""

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]


def _pairs(x: Array, size: int, interleaved: bool) -> tuple[Array, Array]:
    """The first and the second member of each pair, as views (..., size / 2)."""
    if interleaved:
        return x[..., 0:size:2], x[..., 1:size:2]
    return x[..., : size // 2], x[..., size // 2 : size]


def rotary(x: Array, cos: Array, sin: Array, interleaved: bool, heads: int) -> Array:
    """x (B,N,T,d), in whose first heads pairs of features (a, b) are turned by the angles of their
    position, to (a cos - b sin, b cos + a sin); see ops.rotary.

    cos and sin are (T,r/2) or (B,T,r/2). What is returned lies in memory as x does.
    """
    if cos.ndim == 3:
        cos, sin = cos[:, None], sin[:, None]
    size = 2 * cos.shape[-1]
    y = np.empty_like(x)
    y[:, heads:] = x[:, heads:]
    x, turned = x[:, :heads], y[:, :heads]
    turned[..., size:] = x[..., size:]
    (a, b), (turned_a, turned_b) = (_pairs(z, size, interleaved) for z in (x, turned))
    np.multiply(a, cos, out=turned_a)
    turned_a -= b * sin
    np.multiply(b, cos, out=turned_b)
    turned_b += a * sin
    return y
