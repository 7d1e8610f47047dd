import itertools
from collections import Counter

import numpy as np
import pytest

from tinyseq.models import NGram


def distribution(model, context):
    """p(every symbol | context), one call per symbol."""
    return np.array(
        [model.probabilities(np.array([*context, w]))[-1] for w in range(model.vocab_size)]
    )


@pytest.mark.parametrize("length", [1, 2, 4, 7, 50, 2000])
@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_probabilities_sum_to_one_after_every_context(length, order):
    rng = np.random.default_rng(length)
    ids = rng.choice(4, length, p=[0.6, 0.25, 0.1, 0.05])
    model = NGram(ids, 6, order)  # symbols 4 and 5 never occur
    contexts = [c for n in range(3) for c in itertools.product(range(6), repeat=n)]
    contexts += [tuple(ids[i : i + 4]) for i in range(0, length - 4, 97)]
    contexts.append(tuple(ids[-4:]))  # the text's end, which nothing follows
    for context in contexts:
        p = distribution(model, context)
        assert abs(p.sum() - 1.0) < 1e-12, context
        assert (p > 0).all(), context


def modified_kneser_ney(ids, vocab_size, order):
    """The same by the book, with dictionaries: a function of context and symbol."""
    grams = [[tuple(ids[i : i + n]) for i in range(len(ids) - n + 1)] for n in range(1, order + 1)]
    levels = []
    for n in range(order):
        counts = Counter(grams[n] if n == order - 1 else (g[1:] for g in set(grams[n + 1])))
        for gram in set(grams[n]) - set(counts):  # the one that opens the text
            counts[gram] = 1
        n1, n2, n3, n4 = (sum(c == k for c in counts.values()) for k in (1, 2, 3, 4))
        y = n1 / (n1 + 2 * n2)
        d = [0, 1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3]
        assert 0.05 < d[1] < 0.99 and 0.05 < d[2] < 1.99 and 0.05 < d[3] < 2.99
        levels.append((counts, d))

    def probability(context, w):
        p = 1.0 / vocab_size
        for n, (counts, d) in enumerate(levels):
            h = tuple(context[len(context) - n :])
            after = {g[-1]: c for g, c in counts.items() if g[:-1] == h}
            if after:
                total = sum(after.values())
                freed = sum(d[min(c, 3)] for c in after.values())
                c = after.get(w, 0)
                p = (c - d[min(c, 3)]) / total + freed / total * p
        return p

    return probability


def test_agrees_with_the_formula_written_with_dictionaries():
    rng = np.random.default_rng(1)
    ids = np.minimum(rng.zipf(1.3, 3000), 200)  # few common symbols and many rare ones
    model = NGram(ids, 202, 3)
    by_the_book = modified_kneser_ney(ids.tolist(), 202, 3)
    for context in ([1, 1], [2, 1], [1, 7], [90, 1], [1, 90], [201, 1], [1, 201], [0, 0]):
        for w in (0, 1, 2, 9, 60, 150, 201):
            p = model.probabilities(np.array([*context, w]))[2]
            assert p == pytest.approx(by_the_book(context, w), rel=1e-9)


def test_a_text_of_one_repeated_pattern_costs_next_to_nothing():
    ids = np.tile([1, 2, 3], 500)
    assert NGram(ids, 4).bits(ids[:300]) < 0.05
    assert NGram(ids, 4).bits(np.array([3, 2, 1, 3, 2, 1])) > 1.9


def test_random_text_costs_its_entropy():
    rng = np.random.default_rng(0)
    ids = rng.integers(0, 8, 50_000)
    assert NGram(ids[:40_000], 8, 2).bits(ids[40_000:]) == pytest.approx(3.0, abs=0.01)


def test_huge_vocabularies_do_not_overflow():
    rng = np.random.default_rng(0)
    ids = rng.integers(0, 1_000_000, 5_000)
    p = NGram(ids, 1_000_000).probabilities(ids)
    assert ((p > 0) & (p <= 1)).all()


def test_bad_arguments_are_named():
    with pytest.raises(ValueError, match="order"):
        NGram(np.array([1]), 2, 0)
    with pytest.raises(ValueError, match="empty"):
        NGram(np.array([], np.int64), 2)
    with pytest.raises(ValueError, match="at least 2"):
        NGram(np.array([1]), 2).bits(np.array([1]))
