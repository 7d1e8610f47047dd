import numpy as np
import pytest

import tinyseq as ts
from tinyseq import nn


def test_linear_is_x_wt_plus_b_on_the_last_axis():
    layer = nn.Linear(3, 2)
    x = np.random.default_rng(0).normal(size=(4, 5, 3)).astype(np.float32)
    expected = x @ layer.weight.data.T + layer.bias.data
    np.testing.assert_allclose(layer(ts.tensor(x)).data, expected, rtol=1e-5, atol=1e-6)
    assert layer(ts.zeros(0, 3)).shape == (0, 2)


def test_first_weights_are_in_pytorchs_range():
    layer = nn.Linear(100, 200)
    for p in layer.parameters():
        assert np.abs(p.data).max() <= 0.1
        assert np.abs(p.data).max() > 0.09
    assert nn.Linear(2, 3, bias=False).bias is None
    assert nn.Embedding(500, 40).weight.data.std() == pytest.approx(1.0, abs=0.05)


def test_linear_names_the_shape_it_wants():
    with pytest.raises(ValueError, match=r"Linear: x must be \(\.\.\., 3\), got \(2, 4\)"):
        nn.Linear(3, 2)(ts.zeros(2, 4))
    for sizes in ((0, 1), (1, -1), (1.5, 2), (True, 2)):
        with pytest.raises(ValueError, match="whole number above 0"):
            nn.Linear(*sizes)


def test_embedding_takes_rows():
    layer = nn.Embedding(5, 3)
    index = np.array([[0, 4], [4, 2]])
    np.testing.assert_array_equal(layer(ts.tensor(index)).data, layer.weight.data[index])
    layer(ts.tensor(index)).sum().backward()
    np.testing.assert_array_equal(layer.weight.grad.data[:, 0], [1, 0, 1, 0, 2])


@pytest.mark.parametrize("padding_idx", [1, -4])
def test_the_padding_row_starts_at_zero_and_gets_no_gradient(padding_idx):
    layer = nn.Embedding(5, 3, padding_idx=padding_idx)
    assert (layer.weight.data[1] == 0).all()
    np.testing.assert_array_equal(layer(np.array([1, 2])).data, layer.weight.data[1:3])
    layer.weight.data[1] = 9
    rows = layer(ts.tensor(np.array([1, 2, 1])))
    assert rows.data[0].tolist() == [9, 9, 9]
    rows.sum().backward()
    np.testing.assert_array_equal(layer.weight.grad.data[:, 0], [0, 0, 1, 0, 0])
    with pytest.raises(ValueError, match="padding_idx"):
        nn.Embedding(5, 3, padding_idx=5)


def test_dropout_is_a_layer_that_evaluation_switches_off():
    layer = nn.Dropout(0.5)
    x = ts.ones(1000)
    assert set(np.unique(layer(x).data)) == {0.0, 2.0}
    assert layer.eval()(x) is x
    with pytest.raises(ValueError, match="Dropout: p must be from 0 to 1"):
        nn.Dropout(1.5)
