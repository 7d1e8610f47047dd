"""Philox against the published numbers, and dropout by its bits on every kernel."""

import numpy as np
import pytest

from tinyseq import backend
from tinyseq.backend import numpy_kernels
from tinyseq.backend.philox import dropout_factors, philox

try:
    from tinyseq.backend import c_kernels
except ImportError:
    c_kernels = None
needs_c = pytest.mark.skipif(c_kernels is None, reason="the C extension is not built")

KEY = 0x299F31D0A4093822

# The lines "philox4x32 10" of kat_vectors in Random123: counter, key, words.
PUBLISHED = [
    ("00000000 00000000 00000000 00000000", "00000000 00000000",
     "6627e8d5 e169c58d bc57ac4c 9b00dbd8"),
    ("ffffffff ffffffff ffffffff ffffffff", "ffffffff ffffffff",
     "408f276d 41c83b0e a20bc7c6 6d5451fd"),
    ("243f6a88 85a308d3 13198a2e 03707344", "a4093822 299f31d0",
     "d16cfe09 94fdcceb 5001e420 24126ea1"),
]  # fmt: skip


def whole(text):
    return [int(word, 16) for word in text.split()]


def words(key, first, n):
    """The words of n elements, one counter at a time."""
    made = []
    for e in range(first, first + n):
        counter = (e // 4 & 0xFFFFFFFF, e // 4 >> 32, 0, 0)
        made.append(philox(tuple(np.array([w], np.uint64) for w in counter), key)[e % 4][0])
    return np.array(made)


@pytest.mark.parametrize("counter, key, expected", PUBLISHED)
def test_the_published_numbers(counter, key, expected):
    low, high = whole(key)
    arrays = tuple(np.full(3, w, np.uint64) for w in whole(counter))
    for got, wanted in zip(philox(arrays, high << 32 | low), whole(expected), strict=True):
        np.testing.assert_array_equal(got, [wanted] * 3)


@pytest.mark.parametrize("first", [0, 1, 6, 4 * 2**32 - 5, 2**40 + 3])
@pytest.mark.parametrize("n", [0, 1, 3, 40])
def test_an_element_is_dropped_by_its_word(first, n):
    expected = np.where(words(KEY, first, n) < 0.3 * 2**32, 0, 1 / 0.7)
    np.testing.assert_array_equal(dropout_factors(KEY, first, n, 0.3, np.float64), expected)


def test_blocks_make_no_difference():
    n = 4 * (1 << 14) + 30
    whole = dropout_factors(KEY, 3, n, 0.5)
    np.testing.assert_array_equal(whole[-40:], dropout_factors(KEY, 3 + n - 40, 40, 0.5))


@pytest.mark.parametrize("p", [0.0, 2.0**-32, 0.1, 0.5, 0.999, 1 - 2.0**-33, 1.0])
def test_the_share_of_zeros(p):
    n = 1 << 18
    factors = dropout_factors(KEY, 0, n, p)
    # Six standard deviations of a binomial share.
    assert abs((factors == 0).mean() - p) <= 6 * np.sqrt(p * (1 - p) / n) + 1e-9
    assert np.isin(factors, [0, np.float32(1 / (1 - p)) if p < 1 else 0]).all()


def test_neither_neighbours_nor_keys_agree_more_often_than_by_chance():
    n = 1 << 18
    dropped = dropout_factors(KEY, 0, n, 0.5) == 0
    other = dropout_factors(KEY + 1, 0, n, 0.5) == 0
    for a, b in ((dropped[1:], dropped[:-1]), (dropped[4:], dropped[:-4]), (dropped, other)):
        assert abs((a == b).mean() - 0.5) < 6 * 0.5 / np.sqrt(n)


def test_a_dropped_element_is_zero_whatever_it_held():
    x = np.full(100, np.inf, np.float32)
    x[::2] = np.nan
    for kernel in [numpy_kernels.dropout, backend.dropout]:
        y = kernel(x, 0.5, KEY)
        kept = dropout_factors(KEY, 0, 100, 0.5) > 0
        assert (y[~kept] == 0).all() and not np.isfinite(y[kept]).any()


def test_one_choice_for_every_dtype():
    x = np.ones((30, 7))
    y = numpy_kernels.dropout(x, 0.4, KEY)
    assert y.dtype == np.float64 and set(y.flat) == {0, 1 / 0.6}
    np.testing.assert_array_equal(numpy_kernels.dropout(x.astype(np.float32), 0.4, KEY) > 0, y > 0)


@needs_c
@pytest.mark.parametrize("n", [0, 1, 3, 4, 63, 64, 65, 1000, 1024, 5001, 300_001])
def test_c_gives_the_bits_of_numpy_on_any_threads(isa, n):
    x = np.random.default_rng(0).standard_normal(n, np.float32)
    for p, key in ((0.1, 0), (0.5, 2**64 - 1), (0.25, KEY), (0.0, 1), (1.0, 1), (2.0**-33, 1)):
        expected = numpy_kernels.dropout(x, p, key)
        for threads in (1, 2, 5):
            backend.set_num_threads(threads)
            y = c_kernels.dropout(x, p, key)
            assert y.dtype == np.float32 and y.tobytes() == expected.tobytes()


@needs_c
def test_c_counts_the_elements_of_any_layout_in_the_order_of_their_indices(isa):
    big = np.random.default_rng(0).standard_normal((20, 9, 14), np.float32)
    scalar = np.float32(2).reshape(())
    for x in (big[::-2, :, ::3], big.T, np.broadcast_to(big[0, 0], (5, 14)), scalar, big[:0]):
        y = c_kernels.dropout(x, 0.5, KEY)
        np.testing.assert_array_equal(y, numpy_kernels.dropout(x, 0.5, KEY))
        assert y.shape == x.shape and y.flags.c_contiguous
    x = big[0].astype(np.float64)
    np.testing.assert_array_equal(
        c_kernels.dropout(x, 0.5, KEY), numpy_kernels.dropout(x, 0.5, KEY)
    )
