"""Rotary positions: pairs of features turned by an angle that goes with their place in time."""

from typing import Any

import numpy as np

from tinyseq.autograd import Array, Tensor, op
from tinyseq.ops.creation import as_tensor

__all__ = ["rotary_embedding"]


def _pairs(x: Array, size: int, interleaved: bool) -> tuple[Array, Array]:
    """The first and the second member of each pair, as views (..., size / 2)."""
    if interleaved:
        return x[..., 0:size:2], x[..., 1:size:2]
    return x[..., : size // 2], x[..., size // 2 : size]


@op
def _rotary(x: Array, *, cos: Array, sin: Array, interleaved: bool) -> Any:
    size = 2 * cos.shape[-1]
    y = np.empty_like(x)
    y[..., size:] = x[..., size:]
    (a, b), (turned_a, turned_b) = (_pairs(z, size, interleaved) for z in (x, y))
    np.multiply(a, cos, out=turned_a)
    turned_a -= b * sin
    np.multiply(b, cos, out=turned_b)
    turned_b += a * sin
    return y


@_rotary.vjp
def _(
    g: Tensor, y: Tensor, x: Tensor, *, cos: Array, sin: Array, interleaved: bool
) -> tuple[Any, ...]:
    return (_rotary(g, cos=cos, sin=-sin, interleaved=interleaved),)  # turned back


def rotary_embedding(x: Any, cos: Any, sin: Any, interleaved: bool = False) -> Tensor:
    """Turn pairs of features by the angles θ of their position::

        (a, b) -> (a cos θ - b sin θ, b cos θ + a sin θ)

    Args:
        x: (B,N,T,d), floats.
        cos, sin: (T,r/2) or, when rows stand at different positions, (B,T,r/2), with r <= d. They
            are constants, taken in x's dtype. Features from r on stay as they are.
        interleaved: whether pairs are neighbours, features 2i and 2i + 1; else they are features i
            and i + r/2.

    Returns:
        (B,N,T,d).

    Raises:
        ValueError: if the shapes do not fit.

    Source: Su et al., "RoFormer", 2021, equation 34; in halves as GPT-NeoX has it.
    """
    x = as_tensor(x)
    turns = [np.asarray(as_tensor(t).data, x.dtype) for t in (cos, sin)]
    shape = turns[0].shape
    fits = x.ndim == 4 and turns[1].shape == shape and 2 * shape[-1] <= x.shape[-1]
    if not fits or shape[:-1] not in ((x.shape[2],), (x.shape[0], x.shape[2])):
        raise ValueError(
            "rotary_embedding: x must be (B, N, T, d) and cos and sin (T, r/2) or (B, T, r/2) with "
            f"r <= d, got {x.shape}, {shape} and {turns[1].shape}"
        )
    if len(shape) == 3:
        turns = [t[:, None] for t in turns]
    return _rotary(x, cos=turns[0], sin=turns[1], interleaved=interleaved)
