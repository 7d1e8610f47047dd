"""The norm layers: names, first values, what is refused."""

import numpy as np
import pytest

import tinyseq as ts
from tinyseq import nn


def test_names_and_first_values():
    layer = nn.LayerNorm((2, 3))
    assert {n: p.shape for n, p in layer.named_parameters()} == {"weight": (2, 3), "bias": (2, 3)}
    assert (layer.weight.data == 1).all() and (layer.bias.data == 0).all()
    assert [n for n, _ in nn.LayerNorm(3, bias=False).named_parameters()] == ["weight"]
    assert [n for n, _ in nn.LayerNorm(3, elementwise_affine=False).named_parameters()] == []
    assert [n for n, _ in nn.RMSNorm(3).named_parameters()] == ["weight"]
    assert [n for n, _ in nn.RMSNorm(3, elementwise_affine=False).named_parameters()] == []
    assert repr(nn.LayerNorm(3)) == "LayerNorm((3,), eps=1e-05, bias=True)"


@pytest.mark.parametrize("layer", [nn.LayerNorm(5), nn.RMSNorm(5), nn.RMSNorm(5, eps=0.1)])
def test_they_normalise(layer):
    x = ts.randn(3, 4, 5)
    y = layer(x)
    centre = x.data.mean(-1, keepdims=True) if isinstance(layer, nn.LayerNorm) else 0
    eps = 1.1920929e-07 if layer.eps is None else layer.eps
    distance = x.data - centre
    expected = distance / np.sqrt(np.square(distance).mean(-1, keepdims=True) + eps)
    np.testing.assert_allclose(y.data, expected, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("sizes", [0, (3, -1), (), 2.5, (True,)])
def test_sizes_below_one_are_refused(sizes):
    for kind in (nn.LayerNorm, nn.RMSNorm):
        with pytest.raises(ValueError, match=kind.__name__):
            kind(sizes)


def test_the_norm_of_a_sum_comes_with_the_sum():
    layer = nn.LayerNorm(5, bias=False)
    ts.init.normal_(layer.weight)
    x, residual = ts.randn(3, 5), ts.randn(3, 5)
    y, s = layer.of_sum(x, residual)
    np.testing.assert_array_equal(s.data, x.data + residual.data)
    np.testing.assert_allclose(y.data, layer(s).data, rtol=1e-6, atol=1e-6)
