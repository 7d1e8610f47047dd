"""What the attention op and its kernels tell each other.

Shapes: B batch, N query heads, M heads of keys and values (N is a multiple of M: heads n G to
n G + G - 1 share one, G = N / M), T queries, S keys, d the size of a query, dv that of a value.
"""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]

KEY_TILE = (
    64  # keys that the C kernels work on at a time, counted from key 0; see csrc/attention.inc
)


class Pattern(NamedTuple):
    """Who attends to whom, and how a score is made.

    The query with index i stands at position p = start[b] + i, the key with index j at j.

    scale: scores are scale q·k.
    causal: a query sees only keys j <= p.
    window: W > 0: only keys with |p - j| < W; 0 for all.
    lengths: int64 (B,), each in [0, S]: only keys j < lengths[b]; None for S.
    start: int64 (B,): the position of a row's first query; None for S - T, so that the last query
        stands at the last key.
    slopes: (N,) or None: slopes[n] |p - j| is subtracted from a score (ALiBi).
    softcap: c > 0: a score s becomes c tanh(s / c) before anything is subtracted or added; 0: not.
    dropout: the probability that a weight becomes 0; the others are divided by 1 - dropout.
    key: of the bits that choose those (see philox): a weight's place is its index in (B, N, T, S).
    """

    scale: float
    causal: bool = False
    window: int = 0
    lengths: Array | None = None
    start: Array | None = None
    slopes: Array | None = None
    softcap: float = 0.0
    dropout: float = 0.0
    key: int = 0


def distances(pattern: Pattern, T: int, S: int, first: int = 0, last: int | None = None) -> Array:
    """p - j for the queries first to last of T and all S keys: int64 (B or 1, 1, queries, S)."""
    i = np.arange(first, T if last is None else last)
    start = np.array([S - T]) if pattern.start is None else pattern.start
    return (start[:, None] + i)[:, None, :, None] - np.arange(S)


def visible(pattern: Pattern, distance: Array) -> Array | None:
    """Which keys the pattern, without a mask, lets the queries at these distances see: bool,
    broadcastable to (B, N, queries, S); None for all."""
    seen = []
    if pattern.causal:
        seen.append(distance >= 0)
    if pattern.window:
        seen.append(np.abs(distance) < pattern.window)
    if pattern.lengths is not None:
        keys = np.arange(distance.shape[-1])
        seen.append((keys < pattern.lengths[:, None])[:, None, None, :])
    return both(*seen)


def both(*conditions: Array | None) -> Array | None:
    """Where all of them hold, None being one that always does."""
    found = None
    for condition in conditions:
        if condition is not None:
            found = condition if found is None else found & condition
    return found
