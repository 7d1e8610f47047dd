"""Rotary positions: pairs of features turned by an angle that goes with their place in time."""

from typing import Any

import numpy as np

from tinyseq import backend
from tinyseq.autograd import Array, Tensor, op
from tinyseq.ops.creation import as_tensor

__all__ = ["rotary_embedding"]


@op
def _rotary(x: Array, *, cos: Array, sin: Array, interleaved: bool, heads: int) -> Any:
    return backend.rotary(x, cos, sin, interleaved, heads)


@_rotary.vjp
def _(
    g: Tensor, y: Tensor, x: Tensor, *, cos: Array, sin: Array, interleaved: bool, heads: int
) -> tuple[Any, ...]:
    return (_rotary(g, cos=cos, sin=-sin, interleaved=interleaved, heads=heads),)  # turned back


def rotary_embedding(
    x: Any, cos: Any, sin: Any, interleaved: bool = False, heads: int | None = None
) -> Tensor:
    """Turn pairs of features by the angles θ of their position::

        (a, b) -> (a cos θ - b sin θ, b cos θ + a sin θ)

    Args:
        x: (B,N,T,d), floats.
        cos, sin: (T,r/2) or, when rows stand at different positions, (B,T,r/2), with r <= d. They
            are constants, taken in x's dtype. Features from r on stay as they are.
        interleaved: whether pairs are neighbours, features 2i and 2i + 1; else they are features i
            and i + r/2.
        heads: how many of the N turn, the first ones; all when not given. The others stay.

    Returns:
        (B,N,T,d).

    Raises:
        ValueError: if the shapes do not fit, or heads is none of 0 to N.

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
    N = x.shape[1]
    heads = N if heads is None else heads
    if not 0 <= heads <= N:
        raise ValueError(f"rotary_embedding: heads must be from 0 to {N}, got {heads}")
    return _rotary(x, cos=turns[0], sin=turns[1], interleaved=interleaved, heads=heads)
