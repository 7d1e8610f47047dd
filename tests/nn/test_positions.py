"""Positions: added, turned, or as slopes of the scores."""

import math

import numpy as np
import pytest

import tinyseq as ts
from tinyseq import nn


@pytest.mark.parametrize("embed_dim", [1, 2, 7, 8])
def test_sinusoids_are_those_of_the_paper(embed_dim):
    x = np.random.default_rng(0).normal(size=(2, 9, embed_dim))
    y = nn.SinusoidalPositions(embed_dim)(x, offset=3).data
    for t in range(9):
        for i in range(embed_dim):
            angle = (3 + t) / 10000 ** ((i - i % 2) / embed_dim)
            wave = math.cos(angle) if i % 2 else math.sin(angle)
            np.testing.assert_allclose(y[:, t, i], x[:, t, i] + wave, rtol=1e-12)


def test_learned_positions_add_their_rows():
    layer = nn.LearnedPositions(10, 4)
    assert list(layer.state_dict()) == ["weight"]
    assert nn.LearnedPositions(500, 40).weight.data.std() == pytest.approx(0.02, rel=0.05)
    x = ts.zeros(2, 3, 4)
    np.testing.assert_array_equal(layer(x).data, np.stack([layer.weight.data[:3]] * 2))
    y = layer(x, offset=[7, 2])
    np.testing.assert_array_equal(y.data[0], layer.weight.data[7:])
    y.sum().backward()
    np.testing.assert_array_equal(layer.weight.grad.data[:, 0], [0, 0, 1, 1, 1, 0, 0, 1, 1, 1])
    with pytest.raises(ValueError, match="LearnedPositions: positions must be below 10, got 10"):
        layer(x, offset=8)


@pytest.mark.parametrize("interleaved", [False, True])
def test_turned_products_depend_on_the_distance_alone(interleaved):
    layer = nn.RotaryEmbedding(6, base=50.0, interleaved=interleaved)
    rng = np.random.default_rng(0)
    q, k = rng.normal(size=(2, 1, 1, 1, 8))

    def product(p, j):
        return (layer(q, offset=p).data * layer(k, offset=j).data).sum()

    assert product(9, 4) == pytest.approx(product(105, 100), rel=1e-12)
    assert abs(product(9, 4) - product(9, 5)) > 1e-3
    # The first pair turns by 1 for each step, whatever the base.
    one = np.zeros((1, 1, 1, 8))
    one[..., 0] = 1.0
    second = 1 if interleaved else 3
    y = layer(one, offset=2).data[0, 0, 0]
    assert (y[0], y[second]) == pytest.approx((math.cos(2), math.sin(2)))


MAKERS = {
    "SinusoidalPositions": (lambda: nn.SinusoidalPositions(6), (3, 5, 6)),
    "LearnedPositions": (lambda: nn.LearnedPositions(40, 6), (3, 5, 6)),
    "RotaryEmbedding": (lambda: nn.RotaryEmbedding(4), (3, 2, 5, 6)),
}


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_an_offset_cuts_a_sequence_without_a_trace(kind, dtype):
    make, shape = MAKERS[kind]
    layer = make().to(dtype)
    x = np.random.default_rng(0).normal(size=shape).astype(dtype)
    whole = layer(x, offset=20).data
    assert whole.dtype == dtype
    for t in range(5):
        np.testing.assert_array_equal(layer(x[..., t:, :], 20 + t).data, whole[..., t:, :])
    rows = layer(x, offset=np.array([0, 20, 7])).data
    np.testing.assert_array_equal(rows[1], whole[1])
    np.testing.assert_array_equal(rows[2:], layer(x[2:], offset=7).data)


@pytest.mark.parametrize("kind", MAKERS)
def test_bad_input_is_named(kind):
    make, shape = MAKERS[kind]
    layer, x = make(), ts.zeros(shape)
    assert layer(x[:0]).shape == (0, *shape[1:])
    assert layer(x[..., :0, :]).shape == (*shape[:-2], 0, 6)
    for error, match, arguments in [
        (ValueError, r"x must be \(B, .*, got \(5, 6\)", (ts.zeros(5, 6),)),
        (ValueError, r"x must be \(B, .*, 3\)", (ts.zeros(*shape[:-1], 3),)),
        (TypeError, "x must be an array of numbers", (None,)),
        (TypeError, "offset must be whole numbers, got float64", (x, 1.0)),
        (ValueError, r"offset must be a number or \(3,\), got \(2,\)", (x, [1, 2])),
        (ValueError, "offset must be from 0 up, got -1", (x, [0, -1, 2])),
    ]:
        with pytest.raises(error, match=f"^{kind}: {match}"):
            layer(*arguments)


def test_bad_sizes_are_named():
    for make, match in [
        (lambda: nn.SinusoidalPositions(0), "SinusoidalPositions: embed_dim must be"),
        (lambda: nn.SinusoidalPositions(4, 1.0), "SinusoidalPositions: base must be .* got 1.0"),
        (lambda: nn.LearnedPositions(0, 4), "LearnedPositions: num_positions must be"),
        (lambda: nn.RotaryEmbedding(3), "RotaryEmbedding: dim must be even, got 3"),
        (lambda: nn.RotaryEmbedding(4, base=math.nan), "RotaryEmbedding: base must be"),
        (lambda: nn.alibi_slopes(0), "alibi_slopes: num_heads must be"),
    ]:
        with pytest.raises(ValueError, match=match):
            make()


def test_slopes_are_those_published():
    """The paper's for 8 heads, and what its authors' code gives for 3 and for 12."""
    np.testing.assert_array_equal(nn.alibi_slopes(8).data, 0.5 ** np.arange(1, 9))
    np.testing.assert_allclose(nn.alibi_slopes(3).data, [0.0625, 0.00390625, 0.25])
    halves = 0.5 ** np.array([0.5, 1.5, 2.5, 3.5])
    np.testing.assert_allclose(nn.alibi_slopes(12).data[8:], halves, rtol=1e-6)
    np.testing.assert_array_equal(nn.alibi_slopes(1).data, np.float32(2.0**-8))
    assert nn.alibi_slopes(40).dtype == np.float32
