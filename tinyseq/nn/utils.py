"""Gradient clipping."""

from __future__ import annotations

import math
from collections.abc import Iterable

from tinyseq import backend
from tinyseq.autograd import Tensor


def clip_grad_norm_(parameters: Tensor | Iterable[Tensor], max_norm: float) -> float:
    """Scale all gradients by min(1, max_norm / (norm + 1e-6)), the norm taken over all together.

    Args:
        parameters: a Tensor or several; those without a gradient do not count.
        max_norm: the largest norm to let through, above 0.

    Returns the norm before scaling, accumulated in double precision. When it is infinite or NaN the
    gradients are left as they are: it is for the caller to look.

    Raises ValueError when ``max_norm`` is not above 0.
    """
    if not max_norm > 0:
        raise ValueError(f"clip_grad_norm_: max_norm must be above 0, got {max_norm}")
    several: Iterable[Tensor] = [parameters] if isinstance(parameters, Tensor) else parameters
    gradients = [p.grad.data for p in several if p.grad is not None]
    norm = math.sqrt(backend.sum_of_squares(gradients))
    scale = max_norm / (norm + 1e-6)
    if math.isfinite(norm) and scale < 1.0:
        backend.scale_(gradients, scale)
    return norm
