import numpy as np
import pytest

import tinyseq as ts
from tinyseq.nn import functional as F


@pytest.mark.parametrize("interleaved", [False, True])
def test_each_pair_is_a_complex_number_times_a_unit_one(interleaved):
    rng = np.random.default_rng(0)
    x, angles = rng.normal(size=(2, 3, 5, 7)), rng.normal(size=(2, 5, 2))
    y = F.rotary_embedding(x, np.cos(angles), np.sin(angles), interleaved).data
    first, second = ([0, 2], [1, 3]) if interleaved else ([0, 1], [2, 3])
    turned = (x[..., first] + 1j * x[..., second]) * np.exp(1j * angles)[:, None]
    np.testing.assert_allclose(y[..., first], turned.real, rtol=1e-13)
    np.testing.assert_allclose(y[..., second], turned.imag, rtol=1e-13)
    np.testing.assert_array_equal(y[..., 4:], x[..., 4:])


def test_sizes_that_do_not_fit_are_named():
    x = ts.zeros(2, 3, 4, 6)
    for turns in [((4, 4), (4, 4)), ((4, 2), (4, 3)), ((3, 2), (3, 2)), ((1, 4, 2), (1, 4, 2))]:
        with pytest.raises(ValueError, match=r"rotary_embedding: x must be .* got"):
            F.rotary_embedding(x, *map(ts.zeros, turns))
    with pytest.raises(ValueError, match=r"got \(3, 4, 6\), \(4, 2\) and \(4, 2\)"):
        F.rotary_embedding(x[0], ts.zeros(4, 2), ts.zeros(4, 2))


def test_only_so_many_heads_turn_as_are_asked_for():
    x, angles = ts.randn(2, 4, 5, 6), np.random.default_rng(0).normal(size=(5, 3))
    whole, some = (
        F.rotary_embedding(x, np.cos(angles), np.sin(angles), heads=heads).data
        for heads in (None, 3)
    )
    np.testing.assert_array_equal(some[:, :3], whole[:, :3])
    np.testing.assert_array_equal(some[:, 3:], x.data[:, 3:])
    for heads in (-1, 5):
        with pytest.raises(ValueError, match=f"heads must be from 0 to 4, got {heads}"):
            F.rotary_embedding(x, np.cos(angles), np.sin(angles), heads=heads)


def test_nothing_and_no_pairs():
    assert F.rotary_embedding(ts.zeros(0, 3, 0, 4), np.zeros((0, 2)), np.zeros((0, 2))).shape == (
        0,
        3,
        0,
        4,
    )
    x = ts.randn(1, 1, 2, 3)
    assert (F.rotary_embedding(x, np.zeros((2, 0)), np.zeros((2, 0))).data == x.data).all()
