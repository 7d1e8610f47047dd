"""Layer norm and RMS norm in plain NumPy."""

from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

__all__ = ["norm_backward", "norm_forward"]


@np.errstate(all="ignore")
def norm_forward(
    x: Array, residual: Array | None, weight: Array | None, bias: Array | None, *,
    dims: int, eps: float, centred: bool,
) -> tuple[Array, Array, Array | None, Array]:  # fmt: skip
    """Over the last `dims` dimensions together::

        s = x + residual
        y = weight (s - mean) / sqrt(mean((s - mean)²) + eps) + bias

    with 0 for the mean unless it is centred (RMS norm).

    Args:
        x, residual: any shape, the same one; without a residual s is x.
        weight, bias: the shape of the last dims, or None for ones and zeros.

    Returns:
        y; s; the mean, None unless centred; and 1 / sqrt(...). The last two have x's shape, with
        dims of size 1.
    """
    s = x if residual is None else x + residual
    mean = _mean(s, dims) if centred else None
    distance = s if mean is None else s - mean
    scale = 1 / np.sqrt(_mean(np.square(distance), dims) + s.dtype.type(eps))
    y = distance * scale
    if weight is not None:
        y *= weight
    if bias is not None:
        y += bias
    return y, s, mean, scale


@np.errstate(all="ignore")
def norm_backward(
    g: Array, g_sum: Array | None, s: Array, weight: Array | None, mean: Array | None, scale: Array,
    *, dims: int, wanted_weight: bool, wanted_bias: bool,
) -> tuple[Array, Array | None, Array | None]:  # fmt: skip
    """The gradients of s (and so of x and the residual), weight and bias::

        hat = scale (s - mean),  h = weight g
        ds = g_sum + scale (h - mean(h) - hat mean(h hat))      without mean(h) unless centred
        dweight = Σ g hat,  dbias = Σ g

    Args:
        g: of y.
        g_sum: of s, if it was a result too, else None.
        s, weight, mean, scale: as norm_forward had and gave them.
        wanted_weight, wanted_bias: whether these gradients are computed, else they are None.
    """
    rows = tuple(range(s.ndim - dims))
    hat = (s if mean is None else s - mean) * scale
    h = g if weight is None else g * weight
    ds = h - hat * _mean(h * hat, dims)
    if mean is not None:
        ds -= _mean(h, dims)
    ds *= scale
    if g_sum is not None:
        ds += g_sum
    dweight = (g * hat).sum(rows) if wanted_weight else None
    return ds, dweight, g.sum(rows) if wanted_bias else None


def _mean(x: Array, dims: int) -> Array:
    """Over the last dims; of nothing it is NaN, without NumPy's warning."""
    axes = tuple(range(-dims, 0))
    y: Array = x.sum(axes, keepdims=True) / x.dtype.type(np.prod(x.shape[-dims:]))
    return y
