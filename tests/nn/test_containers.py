import numpy as np
import pytest

import tinyseq as ts
from tinyseq import nn


def test_sequential_calls_in_order_and_numbers_its_parts():
    model = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.0), nn.Linear(4, 2))
    names = [name for name, _ in model.named_parameters()]
    assert names == ["0.weight", "0.bias", "2.weight", "2.bias"]
    x = ts.ones(5, 3)
    np.testing.assert_array_equal(model(x).data, model[2](model[0](x)).data)
    assert len(model) == 3
    assert nn.Sequential()(x) is x


def test_module_list_grows_and_is_walked():
    layers = nn.ModuleList([nn.Linear(1, 1)])
    layers.append(nn.Linear(2, 2))
    assert [layer.in_features for layer in layers] == [1, 2]
    assert layers[-1].in_features == 2
    assert "1.weight" in layers.state_dict()
    with pytest.raises(TypeError, match="expected a Module, got int"):
        layers.append(3)
    with pytest.raises(NotImplementedError):
        layers(1)


def test_a_slice_is_a_container_of_the_same_modules():
    model = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.0), nn.Linear(4, 2))
    head = model[:2]
    assert type(head) is nn.Sequential and len(head) == 2 and head[0] is model[0]
    assert head(ts.ones(5, 3)).shape == (5, 4)
    assert [name for name, _ in model[2:].named_parameters()] == ["0.weight", "0.bias"]
    assert type(nn.ModuleList([nn.Linear(1, 1)])[:0]) is nn.ModuleList
    with pytest.raises(IndexError):
        model[3]


@pytest.mark.parametrize("kind", [nn.RNN, nn.LSTM, nn.GRU])
def test_recurrent_layers_hand_on_their_output_and_lengths(kind):
    embed, first, second, head = nn.Embedding(9, 3), kind(3, 4), kind(4, 5), nn.Linear(5, 2)
    ids = np.array([[1, 2, 3, 4], [5, 6, 0, 0], [0, 0, 0, 0]])
    lengths = [4, 2, 0]
    model = nn.Sequential(embed, first, nn.Dropout(0.0), second, nn.LastStep(), head)
    y = model(ids, lengths=lengths)
    h, _ = second(first(embed(ids), lengths=lengths)[0], lengths=lengths)
    zeros = ts.zeros(5)
    expected = [head(row).data for row in (h[0, 3], h[1, 1], zeros)]
    np.testing.assert_allclose(y.data, expected, rtol=1e-6)
    ids[1, 2:] = 7  # padding is not looked at
    np.testing.assert_array_equal(model(ids, lengths=lengths).data, y.data)
    np.testing.assert_array_equal(
        nn.Sequential(first, second)(embed(ids), lengths=lengths).data, h.data
    )
    whole = nn.Sequential(embed, first, second, nn.LastStep())(ids)
    np.testing.assert_array_equal(whole.data, second(first(embed(ids))[0])[0].data[:, -1])


def test_nested_sequences_hand_lengths_in_and_end_them():
    class Counts(nn.Module):
        def forward(self, x, lengths=None):
            self.got = lengths
            return x

    inner, after, last = Counts(), Counts(), Counts()
    encoder = nn.Sequential(nn.Sequential(inner), nn.LastStep(), after)
    x = ts.ones(2, 3, 4)
    nn.Sequential(encoder, last)(x, lengths=[3, 1])
    assert inner.got == [3, 1]
    assert after.got is None and last.got is None


def test_last_step_and_its_gradient():
    x = ts.tensor(np.arange(24.0).reshape(3, 4, 2), requires_grad=True)
    y = nn.LastStep()(x, lengths=[3, 0, 4])
    np.testing.assert_array_equal(y.data, [x.data[0, 2], [0, 0], x.data[2, 3]])
    y.sum().backward()
    expected = np.zeros((3, 4, 2))
    expected[0, 2] = expected[2, 3] = 1
    np.testing.assert_array_equal(x.grad.data, expected)
    np.testing.assert_array_equal(nn.LastStep()(x).data, x.data[:, -1])
    assert nn.LastStep()(np.zeros((2, 5))).shape == (2,)
    np.testing.assert_array_equal(nn.LastStep()(ts.ones(2, 0, 3)).data, np.zeros((2, 3)))
    np.testing.assert_array_equal(nn.LastStep()(x, lengths=[0, 0, 0]).data, np.zeros((3, 2)))
    assert nn.LastStep()(ts.ones(0, 4, 3), lengths=[]).shape == (0, 3)


def test_last_step_says_what_is_wrong():
    last = nn.LastStep()
    with pytest.raises(ValueError, match=r"LastStep: x must be \(B, T, ...\), got \(3,\)"):
        last(ts.ones(3))
    with pytest.raises(ValueError, match="LastStep: lengths must be from 0 to 2, got 3"):
        last(ts.ones(1, 2, 3), lengths=[3])
    with pytest.raises(TypeError, match="LastStep: lengths must be whole numbers"):
        last(ts.ones(1, 2, 3), lengths=[1.0])
