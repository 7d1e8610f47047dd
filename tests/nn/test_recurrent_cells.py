import numpy as np
import pytest

import tinyseq as ts
from tinyseq import nn
from tinyseq.testing import check_grads

PAIRS = {
    "rnn": (nn.RNNCell, nn.RNN, {}),
    "rnn, relu": (nn.RNNCell, nn.RNN, {"nonlinearity": "relu"}),
    "lstm": (nn.LSTMCell, nn.LSTM, {}),
    "gru": (nn.GRUCell, nn.GRU, {}),
    "gru, reset before": (nn.GRUCell, nn.GRU, {"reset_after": False}),
}


def states_of(cell, *shape):
    states = tuple(ts.randn(*shape) for _ in range(cell.states))
    return states if len(states) > 1 else states[0]


def listed(state):
    return state if isinstance(state, tuple) else (state,)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("which", PAIRS)
def test_a_cell_is_one_step_of_the_layer(which, bias):
    kind, layer_kind, options = PAIRS[which]
    cell, layer = kind(4, 5, bias, **options), layer_kind(4, 5, bias=bias, **options)
    layer.load_state_dict({f"{name}_l0": p for name, p in cell.state_dict().items()})
    x, state = ts.randn(3, 4), states_of(cell, 3, 5)
    above = tuple(s[None] for s in listed(state))
    _, wanted = layer(x[:, None], above if len(above) > 1 else above[0])
    after = listed(cell(x, state))
    for got, whole in zip(after, listed(wanted), strict=True):
        np.testing.assert_array_equal(got.data, whole.data[0])
    own = tuple(s[1] for s in listed(state))
    alone = listed(cell(x[1], own if len(own) > 1 else own[0]))
    for got, one in zip(after, alone, strict=True):
        assert one.shape == (5,)
        np.testing.assert_allclose(got.data[1], one.data, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("which", PAIRS)
def test_without_a_state_it_starts_from_zeros(which):
    kind, _, options = PAIRS[which]
    cell = kind(4, 5, **options)
    zeros = (ts.zeros(3, 5),) * cell.states
    x = ts.randn(3, 4)
    for a, b in zip(
        listed(cell(x)), listed(cell(x, zeros if len(zeros) > 1 else zeros[0])), strict=True
    ):
        np.testing.assert_array_equal(a.data, b.data)
    assert listed(cell(ts.zeros(0, 4)))[0].shape == (0, 5)
    assert listed(cell(ts.zeros(4)))[0].shape == (5,)


@pytest.mark.parametrize("which", PAIRS)
def test_gradients_of_first_and_second_order(which):
    kind, _, options = PAIRS[which]
    cell = kind(2, 2, **options).to(np.float64)
    names = [name for name, _ in cell.named_parameters()]

    def run(x, h, c, *weights):
        for name, weight in zip(names, weights, strict=True):
            vars(cell)[name] = weight
        after = cell(x, (h, c) if cell.states == 2 else h)
        return after if cell.states == 2 else (after, c * c)

    x, h, c = np.random.default_rng(0).normal(size=(3, 2, 2))
    check_grads(run, x, h, c, *(p.data.copy() for p in cell.parameters()), order=2)


def test_names_and_range_of_the_weights():
    cell = nn.GRUCell(7, 25)
    assert {name: p.shape for name, p in cell.named_parameters()} == {
        "weight_ih": (75, 7),
        "weight_hh": (75, 25),
        "bias_ih": (75,),
        "bias_hh": (75,),
    }
    assert 0.19 < max(np.abs(p.data).max() for p in cell.parameters()) <= 0.2
    assert repr(nn.LSTMCell(2, 3, False)) == "LSTMCell(2, 3, bias=False)"


def test_bad_input_is_named():
    cell = nn.LSTMCell(4, 5)
    for match, arguments in [
        (r"x must be \(B, 4\), got \(2, 3\)", (ts.zeros(2, 3),)),
        (r"x must be \(4\), got \(3,\)", (ts.zeros(3),)),
        (r"x must be \(B, 4\), got \(1, 2, 4\)", (ts.zeros(1, 2, 4),)),
        (r"h0 must be \(2, 5\), got \(5,\)", (ts.zeros(2, 4), (ts.zeros(5), ts.zeros(5)))),
        (r"c0 must be \(5,\), got \(1, 5\)", (ts.zeros(4), (ts.zeros(5), ts.zeros(1, 5)))),
    ]:
        with pytest.raises(ValueError, match=f"^LSTMCell: {match}"):
            cell(*arguments)
    with pytest.raises(TypeError, match=r"^LSTMCell: state must be a pair \(h0, c0\), got Tensor"):
        cell(ts.zeros(2, 4), ts.zeros(2, 5))
    with pytest.raises(TypeError, match=r"^RNNCell: x must be an array of numbers, got NoneType"):
        nn.RNNCell(4, 5)(None)
    with pytest.raises(TypeError, match=r"^GRUCell: h0 must be float32"):
        nn.GRUCell(4, 5)(ts.zeros(2, 4), ts.zeros(2, 5, dtype=np.float64))
    with pytest.raises(ValueError, match=r"^RNNCell: input_size must be"):
        nn.RNNCell(0, 5)
