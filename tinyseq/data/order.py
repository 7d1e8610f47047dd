"""A random order that takes no memory."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

_TABLE = 1 << 16
_ROUNDS = 6


class Order:
    """The numbers from 0 to n - 1, each once, in a random order: ``order[places]``.

    A short order is a table. A long one is computed at the places asked for by a Feistel network, a
    one-to-one mapping of all numbers of some bits: these are two halves, and each round mixes one
    with a random function of the other. Where it leads out of range it is followed until it is
    back.

    Args:
        n: how many.
        rng: decides the order.

    Source: Luby and Rackoff, "How to construct pseudorandom permutations from pseudorandom
    functions", 1988; Black and Rogaway, "Ciphers with arbitrary finite domains", 2002 (cycle
    walking).
    """

    def __init__(self, n: int, rng: np.random.Generator) -> None:
        self.n = n
        self._table = rng.permutation(n) if n <= _TABLE else None
        self._keys = rng.integers(0, 2**64, _ROUNDS, np.uint64)
        self._half = np.uint64((max(n - 1, 1).bit_length() + 1) // 2)

    def __getitem__(self, places: NDArray[np.int64]) -> NDArray[np.int64]:
        """The numbers at places (m,), each from 0 to n - 1."""
        if self._table is not None:
            return self._table[places]
        numbers = self._network(places.astype(np.uint64))
        while (outside := numbers >= self.n).any():
            numbers[outside] = self._network(numbers[outside])
        return numbers.astype(np.int64)

    def _network(self, numbers: NDArray[np.uint64]) -> NDArray[np.uint64]:
        mask = (np.uint64(1) << self._half) - np.uint64(1)
        left, right = numbers >> self._half, numbers & mask
        for key in self._keys:
            left, right = right, left ^ (_mixed(right ^ key) & mask)
        return (left << self._half) | right


def _mixed(bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Every bit depends on every other (the finaliser of SplitMix64)."""
    bits = (bits ^ (bits >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    bits = (bits ^ (bits >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return bits ^ (bits >> np.uint64(31))
