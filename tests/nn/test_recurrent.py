import pickle

import numpy as np
import pytest

import tinyseq as ts
from tinyseq import nn
from tinyseq.testing import check_grads

KINDS = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def cell(kind, x, h, c, w_ih, w_hh, b_ih, b_hh):
    """One step in NumPy, from the equations."""
    a, b = x @ w_ih.T + b_ih, h @ w_hh.T + b_hh
    if kind == "rnn":
        return np.tanh(a + b), c
    if kind == "lstm":
        i, f, g, o = np.split(a + b, 4, axis=1)
        c = sigmoid(f) * c + sigmoid(i) * np.tanh(g)
        return sigmoid(o) * np.tanh(c), c
    (ar, az, an), (br, bz, bn) = np.split(a, 3, axis=1), np.split(b, 3, axis=1)
    z, n = sigmoid(az + bz), np.tanh(an + sigmoid(ar + br) * bn)
    return (1 - z) * n + z * h, c


def states(kind, layers=2, batch=3, hidden=5):
    rng = np.random.default_rng(1)
    h, c = rng.normal(size=(2, layers, batch, hidden))
    return h, c, (ts.tensor(h), ts.tensor(c)) if kind == "lstm" else ts.tensor(h)


@pytest.mark.parametrize("kind", KINDS)
def test_two_layers_follow_the_equations(kind):
    layer = KINDS[kind](4, 5, num_layers=2).to(np.float64)
    x = np.random.default_rng(0).normal(size=(3, 6, 4))
    h, c, state = states(kind)
    y, after = layer(ts.tensor(x), state)
    expected = x
    for k in range(2):
        weights = [
            layer.state_dict()[f"{n}_l{k}"].data
            for n in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        ]
        hk, ck, hs = h[k], c[k], []
        for t in range(6):
            hk, ck = cell(kind, expected[:, t], hk, ck, *weights)
            hs.append(hk)
        expected = np.stack(hs, 1)
        last_h = after[0] if kind == "lstm" else after
        np.testing.assert_allclose(last_h.data[k], hk, rtol=1e-10)
        if kind == "lstm":
            np.testing.assert_allclose(after[1].data[k], ck, rtol=1e-10)
    np.testing.assert_allclose(y.data, expected, rtol=1e-10)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bias", [True, False])
def test_gradients_of_first_and_second_order(kind, bias):
    layer = KINDS[kind](2, 2, num_layers=2, bias=bias).to(np.float64)
    names = [name for name, _ in layer.named_parameters()]

    def run(x, h, c, *weights):
        for name, weight in zip(names, weights, strict=True):
            vars(layer)[name] = weight
        y, after = layer(x, (h, c) if kind == "lstm" else h)
        return (y * y).sum() + sum((s * s * s).sum() for s in after)

    rng = np.random.default_rng(0)
    x, h, c = rng.normal(size=(2, 2, 2)), rng.normal(size=(2, 2, 2)), rng.normal(size=(2, 2, 2))
    weights = [p.data.copy() for p in layer.parameters()]
    if kind != "lstm":
        check_grads(lambda x, h, *w: run(x, h, None, *w), x, h, *weights, order=2)
    else:
        check_grads(run, x, h, c, *weights, order=2)


@pytest.mark.parametrize("kind", KINDS)
def test_state_carried_over_gives_the_same_as_one_long_run(kind):
    layer = KINDS[kind](4, 5, num_layers=2)
    x = ts.randn(3, 9, 4)
    whole, end = layer(x)
    first, state = layer(x[:, :4])
    second, state = layer(x[:, 4:], state)
    pieces = np.concatenate([first.data, second.data], 1)
    np.testing.assert_allclose(pieces, whole.data, rtol=1e-5, atol=1e-6)
    for a, b in zip(state, end, strict=True):
        np.testing.assert_allclose(a.data, b.data, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_empty_batches_and_sequences(kind):
    layer = KINDS[kind](4, 5, num_layers=2)
    assert layer(ts.zeros(0, 3, 4))[0].shape == (0, 3, 5)
    _, _, state = states(kind)
    y, after = layer.to(np.float64)(ts.tensor(np.zeros((3, 0, 4))), state)
    assert y.shape == (3, 0, 5)
    for a, b in zip(after, state, strict=True):
        np.testing.assert_array_equal(a.data, b.data)


@pytest.mark.parametrize("kind", KINDS)
def test_weights_have_pytorchs_names_shapes_and_range(kind):
    gates = {"rnn": 1, "lstm": 4, "gru": 3}[kind]
    layer = KINDS[kind](7, 25, num_layers=2)
    assert {name: p.shape for name, p in layer.named_parameters()} == {
        "weight_ih_l0": (gates * 25, 7),
        "weight_hh_l0": (gates * 25, 25),
        "bias_ih_l0": (gates * 25,),
        "bias_hh_l0": (gates * 25,),
        "weight_ih_l1": (gates * 25, 25),
        "weight_hh_l1": (gates * 25, 25),
        "bias_ih_l1": (gates * 25,),
        "bias_hh_l1": (gates * 25,),
    }
    largest = max(np.abs(p.data).max() for p in layer.parameters())
    assert 0.19 < largest <= 0.2
    assert len(list(KINDS[kind](7, 25, bias=False).parameters())) == 2


@pytest.mark.parametrize("kind", KINDS)
def test_dropout_lies_between_layers_and_only_in_training(kind):
    ts.manual_seed(0)
    x = ts.randn(2, 3, 4)
    two = KINDS[kind](4, 5, num_layers=2, dropout=0.5)
    assert (two(x)[0].data != two(x)[0].data).any()
    two.eval()
    np.testing.assert_array_equal(two(x)[0].data, two(x)[0].data)
    one = KINDS[kind](4, 5, dropout=0.5)
    np.testing.assert_array_equal(one(x)[0].data, one(x)[0].data)


def test_bad_shapes_are_named():
    layer = nn.LSTM(4, 5)
    with pytest.raises(ValueError, match=r"LSTM: x must be \(B, T, 4\), got \(2, 3, 5\)"):
        layer(ts.zeros(2, 3, 5))
    with pytest.raises(ValueError, match=r"LSTM: x must be \(B, T, 4\), got \(3, 4\)"):
        layer(ts.zeros(3, 4))
    with pytest.raises(ValueError, match=r"LSTM: c0 must be \(1, 2, 5\), got \(2, 5\)"):
        layer(ts.zeros(2, 3, 4), (ts.zeros(1, 2, 5), ts.zeros(2, 5)))
    with pytest.raises(ValueError, match=r"GRU: h0 must be"):
        nn.GRU(4, 5)(ts.zeros(2, 3, 4), ts.zeros(1, 1, 5))
    with pytest.raises(ValueError, match="LSTM: hidden_size"):
        nn.LSTM(4, 0)
    with pytest.raises(ValueError, match="nonlinearity must be tanh or relu"):
        nn.RNN(4, 5, nonlinearity="sigmoid")


@pytest.mark.parametrize("kind", KINDS)
def test_arrays_and_pickles(kind):
    layer = KINDS[kind](3, 5)
    x = np.random.default_rng(0).normal(size=(2, 4, 3)).astype(np.float32)
    expected = layer(ts.tensor(x))[0].data
    np.testing.assert_array_equal(layer(x)[0].data, expected)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(layer))(x)[0].data, expected)


def test_a_state_that_is_no_pair_is_named():
    h = ts.zeros(1, 2, 5)
    for state in (h, (h,), (h, h, h)):
        with pytest.raises(TypeError, match=r"LSTM: state must be a pair \(h0, c0\)"):
            nn.LSTM(3, 5)(ts.zeros(2, 4, 3), state)
