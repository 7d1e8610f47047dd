"""The yardstick: an interpolated n-gram model with modified Kneser-Ney smoothing."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class _Level:
    """The n-grams of one order, numbered in the order of their codes context * V + symbol."""

    codes: Ints  # (G,) sorted
    kept: Floats  # (G,) discounted count over the context's total count
    passed_on: Floats  # (C,) per context, the weight of the next shorter context's probability


class NGram:
    """Predicts a symbol from the n-1 before it, falling back on shorter contexts.

    For a context h, its shorter h' without the oldest symbol, and a symbol w::

        p(w | h) = max(c(hw) - D(c(hw)), 0) / c(h)  +  lambda(h) p(w | h')

    where the discounts D(1), D(2), D(3+) are estimated per order from the number of n-grams seen
    once to four times, lambda(h) is the weight that the discounts set free, and the recursion ends
    in the uniform 1/V, which gives symbols never seen their share. The longest order counts
    occurrences; shorter orders count in how many different symbols' company an n-gram occurs.

    Args:
        ids: the training sequence, (N,) int64 in [0, V).
        vocab_size: number of symbols, V.
        order: the n of n-gram, at least 1.

    Raises ValueError when ``order`` is below 1 or the sequence is empty.

    Source: Chen and Goodman, "An empirical study of smoothing techniques for language modeling",
    1999, section 3: modified Kneser-Ney, interpolated.
    """

    def __init__(self, ids: Ints, vocab_size: int, order: int = 5) -> None:
        if order < 1:
            raise ValueError(f"NGram: order must be at least 1, got {order}")
        if len(ids) == 0:
            raise ValueError("NGram: expected a training sequence, got an empty one")
        self.vocab_size = vocab_size
        tables: list[tuple[Ints, Ints]] = []  # per order: codes (G,), occurrences (G,)
        endings: list[Ints] = []  # per order: number of the n-gram that ends at each position
        context = np.zeros(len(ids), np.int64)
        for n in range(1, min(order, len(ids)) + 1):
            codes, numbers, occurrences = np.unique(
                (context * vocab_size + ids)[n - 1 :], return_inverse=True, return_counts=True
            )
            ending = np.full(len(ids), -1, np.int64)
            ending[n - 1 :] = numbers
            tables.append((codes, occurrences))
            endings.append(ending)
            context = np.concatenate(([0], ending[:-1]))
        self._levels = []
        for n, (codes, occurrences) in enumerate(tables):
            counts = occurrences
            if n + 1 < len(tables):
                longer, shorter = endings[n + 1], endings[n]
                _, where = np.unique(longer, return_index=True)
                suffix = shorter[where[longer[where] >= 0]]
                # The n-gram that opens the text has no left neighbour: it counts as having one.
                counts = np.maximum(np.bincount(suffix, minlength=len(codes)), 1)
            contexts = len(tables[n - 1][0]) if n else 1
            self._levels.append(_level(codes, counts, codes // vocab_size, contexts))

    def probabilities(self, ids: Ints) -> Floats:
        """The probability of each symbol of a sequence (T,) given those before it, (T,) float64.

        The first symbols, with fewer than n-1 before them, are predicted from what there is.
        """
        p = np.full(len(ids), 1.0 / self.vocab_size)
        context = np.zeros(len(ids), np.int64)  # number of the context, -1 where never seen
        for level in self._levels:
            usable = context >= 0
            known = np.where(usable, context, 0)
            codes = known * self.vocab_size + ids
            place = np.minimum(np.searchsorted(level.codes, codes), len(level.codes) - 1)
            seen = usable & (level.codes[place] == codes)
            shorter = p
            p = np.where(usable, level.passed_on[known] * shorter, shorter)
            p = p + np.where(seen, level.kept[place], 0.0)
            context = np.concatenate(([-1], np.where(seen, place, -1)[:-1]))
        return p

    def bits(self, ids: Ints) -> float:
        """Mean bits per symbol over a sequence, its first symbol given, not predicted.

        Raises ValueError when there are fewer than two symbols.
        """
        if len(ids) < 2:
            raise ValueError(f"NGram.bits: expected at least 2 symbols, got {len(ids)}")
        return float(-np.log2(self.probabilities(ids)[1:]).mean())


def _level(codes: Ints, counts: Ints, contexts: Ints, number_of_contexts: int) -> _Level:
    discount = _discounts(counts)[np.minimum(counts, 3)]
    total = np.bincount(contexts, weights=counts, minlength=number_of_contexts)
    freed = np.bincount(contexts, weights=discount, minlength=number_of_contexts)
    # A context that occurs only at the very end of the text is followed by nothing (total 0): it
    # hands everything on to the shorter one.
    passed_on = np.divide(freed, total, out=np.ones_like(total), where=total > 0)
    return _Level(codes, (counts - discount) / total[contexts], passed_on)


def _discounts(counts: Ints) -> Floats:
    """D(0..3) of modified Kneser-Ney from how many n-grams have counts 1 to 4."""
    n1, n2, n3, n4 = (float(np.count_nonzero(counts == k)) for k in (1, 2, 3, 4))
    # A small text may lack some of these counts; the bounds keep every n-gram's own count positive
    # and leave every context something to pass on, so no symbol ever gets probability zero.
    y = n1 / (n1 + 2 * n2) if n1 else 0.5
    d1 = 1 - 2 * y * n2 / n1 if n1 else 0.5
    d2 = 2 - 3 * y * n3 / n2 if n2 else 1.0
    d3 = 3 - 4 * y * n4 / n3 if n3 else 1.5
    upper = np.array([0.0, 0.99, 1.99, 2.99])
    return np.clip([0.0, d1, d2, d3], np.minimum(upper, 0.05), upper)
