"""Random bits that are a function of where they are used: Philox4x32-10 (Salmon et al., "Parallel
random numbers: as easy as 1, 2, 3", 2011).

A key of 64 bits and a counter give four words, so each element's bits can be had without the
others': in any order, on any thread, and again when the gradient asks.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

__all__ = ["dropout", "dropout_factors", "philox"]

Array = npt.NDArray[Any]

ROUNDS = 10
MULTIPLIERS = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
STEPS = 0x9E3779B9, 0xBB67AE85  # of the key's halves, from round to round
LOW, HALF = np.uint64(0xFFFFFFFF), np.uint64(32)
BLOCK = 1 << 14  # counters at a time: what is worked on then stays in the cache


def philox(counter: tuple[Array, Array, Array, Array], key: int) -> tuple[Array, ...]:
    """Four words for each counter.

    Args:
        counter: four arrays, the words of each counter from the lowest; uint64 that hold 32 bits.
        key: 64 bits.
    """
    w0, w1, w2, w3 = counter
    halves = key & 0xFFFFFFFF, key >> 32
    for r in range(ROUNDS):
        k0, k1 = (
            np.uint64((k + r * step) & 0xFFFFFFFF) for k, step in zip(halves, STEPS, strict=True)
        )
        p, q = w0 * MULTIPLIERS[0], w2 * MULTIPLIERS[1]
        w0, w1, w2, w3 = (q >> HALF) ^ w1 ^ k0, q & LOW, (p >> HALF) ^ w3 ^ k1, p & LOW
    return w0, w1, w2, w3


def dropout_factors(
    key: int, first: int, n: int, p: float, dtype: npt.DTypeLike = np.float32
) -> Array:
    """What dropout multiplies the elements first, ..., first + n - 1 by.

    Element e is dropped when its word, number e mod 4 of the counter ⌊e / 4⌋, is less than p 2³²,
    rounded.

    Args:
        key: 64 bits.
        p: the probability of a zero, from 0 to 1.

    Returns:
        (n,): 0 where the element is dropped, else 1 / (1 - p).
    """
    threshold = int(p * 2**32 + 0.5)
    start, stop = first // 4, -(-(first + n) // 4)
    words = np.empty((stop - start, 4), np.uint64)
    for i in range(start, stop, BLOCK):
        counters = np.arange(i, min(i + BLOCK, stop), dtype=np.uint64)
        zero = np.zeros_like(counters)
        block = words[i - start : i - start + BLOCK]
        for w, word in enumerate(philox((counters & LOW, counters >> HALF, zero, zero), key)):
            block[:, w] = word
    kept = words.reshape(-1)[first % 4 : first % 4 + n] >= threshold
    scale = 0.0 if threshold == 2**32 else 1.0 / (1.0 - p)
    return np.multiply(kept, scale, dtype=dtype)


@np.errstate(all="ignore")
def dropout(x: Array, p: float, key: int) -> Array:
    """x / (1 - p), and 0, whatever x holds, where `dropout_factors` drops it; elements are counted
    in the order of their indices, the last varying fastest."""
    factors = dropout_factors(key, 0, x.size, p, x.dtype).reshape(x.shape)
    return np.where(factors > 0, x * factors, x.dtype.type(0))
