"""SwiGLU: names, values, gradients, what is refused."""

import numpy as np
import pytest

import tinyseq as ts
from tinyseq import nn
from tinyseq.testing import check_grads


def test_names_and_shapes():
    shapes = {name: p.shape for name, p in nn.SwiGLU(3, 5, bias=True).named_parameters()}
    assert shapes == {
        "w1.weight": (5, 3), "w1.bias": (5,), "w2.weight": (3, 5), "w2.bias": (3,),
        "w3.weight": (5, 3), "w3.bias": (5,),
    }  # fmt: skip
    assert [n for n, _ in nn.SwiGLU(3, 5).named_parameters()] == [
        "w1.weight", "w2.weight", "w3.weight",
    ]  # fmt: skip


@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 4, 3), (0, 3)])
@pytest.mark.parametrize("bias", [True, False])
def test_it_is_the_equation(shape, bias):
    layer = nn.SwiGLU(3, 5, bias=bias)
    x = ts.randn(*shape).data.astype(np.float64)

    def product(linear, x):
        y = x @ linear.weight.data.astype(np.float64).T
        return y if linear.bias is None else y + linear.bias.data

    gate = product(layer.w1, x)
    expected = product(layer.w2, gate / (1 + np.exp(-gate)) * product(layer.w3, x))
    y = layer(ts.tensor(x.astype(np.float32)))
    assert y.shape == shape
    np.testing.assert_allclose(y.data, expected, rtol=1e-5, atol=1e-6)


def test_gradients_to_second_order():
    layer = nn.SwiGLU(3, 4, bias=True)
    for p in layer.parameters():
        p.data = p.data.astype(np.float64)
    x = ts.tensor(np.random.default_rng(0).standard_normal((2, 3)), requires_grad=True)
    check_grads(layer, x, order=2)


def test_wrong_sizes_are_refused():
    with pytest.raises(ValueError, match=r"SwiGLU.*hidden_features"):
        nn.SwiGLU(3, 0)
    with pytest.raises(ValueError, match=r"SwiGLU: x must be \(\.\.\., 3\), got \(2, 4\)"):
        nn.SwiGLU(3, 5)(ts.randn(2, 4))
