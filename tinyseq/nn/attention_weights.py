"""The weights of attention in plain ops, for who wants to see them."""

from __future__ import annotations

import numpy as np

from tinyseq.autograd import Tensor
from tinyseq.nn.attention_masks import Visible
from tinyseq.ops.attention import softmax_of_seen


def attention_weights(
    q: Tensor, k: Tensor, seen: Visible, window: int = 0, slopes: Tensor | None = None
) -> Tensor:
    """softmax(q kᵀ / sqrt(d)), what `scaled_dot_product_attention` weights values with.

    Args:
        q: (B,N,T,d), at the places that end with the last key's.
        k: (B,M,S,d).
        seen: which keys each query sees.
        window: W > 0 where it sees only what is less than W away.
        slopes: (N,), ALiBi's.

    Returns (B,N,T,S), zeros where a query sees no key.
    """
    (B, N, T, d), (M, S) = q.shape, k.shape[1:3]
    groups = q.reshape(B, M, N // M, T, d)
    products = groups @ k.reshape(B, M, 1, S, d).transpose(3, 4)
    scores = products.reshape(B, N, T, S) / d**0.5
    ahead = np.arange(S - T, S)[:, None] - np.arange(S)
    allowed = np.ones((1, 1, T, S), bool)
    if seen.causal:
        allowed &= ahead >= 0
    if window:
        allowed &= abs(ahead) < window
    if seen.absent is not None:
        allowed = allowed & ~seen.absent[:, None, None]
    if slopes is not None:
        scores = scores - Tensor((slopes.data[:, None, None] * abs(ahead)).astype(scores.dtype))
    if seen.mask is not None and seen.mask.dtype == bool:
        allowed = allowed & seen.mask.data
    elif seen.mask is not None:
        allowed = allowed & ~np.isneginf(seen.mask.data)
        scores = scores + seen.mask
    return softmax_of_seen(scores, np.broadcast_to(allowed, scores.shape))
