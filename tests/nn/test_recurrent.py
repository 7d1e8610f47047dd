"""Recurrent layers: what they compute, what they hold, what they refuse."""

import pickle

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import tinyseq as ts
from tests.nn.plain_recurrence import run_plain
from tests.nn.recurrent_kinds import (
    KINDS,
    VARIANTS,
    gradients,
    make,
    randn,
    results,
    run_and_look,
    same,
    states_of,
)
from tinyseq import nn
from tinyseq.testing import check_grads


@st.composite
def layers(draw, most):
    kind = draw(st.sampled_from(list(KINDS)))
    D, H, L = (draw(st.integers(1, n)) for n in (most, most, 3))
    both = draw(st.booleans())
    rate = st.sampled_from([0.0, 0.0, 0.3, 1.0])
    options = {
        "bias": draw(st.booleans()),
        "bidirectional": both,
        "reverse": not both and draw(st.booleans()),
        "layer_norm": draw(st.booleans()),
        "recurrent_dropout": draw(rate),
        "zoneout": draw(rate),
        "checkpoint_every": draw(st.integers(0, 4)),
    }
    if kind == "rnn":
        options["nonlinearity"] = draw(st.sampled_from(["tanh", "relu"]))
    if kind == "gru":
        options["reset_after"] = draw(st.booleans())
    if kind == "lstm":
        options["peephole"] = draw(st.booleans())
        options["proj_size"] = draw(st.integers(0, H - 1))
        options["zoneout"] = draw(rate), draw(rate)
    return KINDS[kind](D, H, L, **options).train(draw(st.booleans()))


@st.composite
def batches(draw):
    B, T = draw(st.integers(0, 3)), draw(st.integers(0, 5))
    return B, T, draw(st.none() | st.lists(st.integers(0, T), min_size=B, max_size=B))


@settings(deadline=None, max_examples=100)
@given(layers(5), batches())
def test_any_options_follow_the_equations(layer, batch):
    B, T, lengths = batch
    layer.to(np.float64)
    x = randn(B, T, layer.input_size, dtype=np.float64)
    state, (h0, *c0) = states_of(layer, B)
    got, noise = run_and_look(layer, ts.tensor(x), state, lengths=lengths)
    c0 = c0[0].data if c0 else np.zeros(h0.shape)
    wanted = run_plain(layer, x, h0.data, c0, [T] * B if lengths is None else lengths, noise)
    for ours, theirs in zip(got, wanted, strict=False):
        np.testing.assert_allclose(ours.data, theirs, rtol=1e-9, atol=1e-9)


@settings(deadline=None, max_examples=100)
@given(layers(40), batches())
def test_any_options_in_float32_come_near_float64(layer, batch):
    B, T, lengths = batch
    # Two values in a norm that nearly agree would make it as steep as 300.
    assume(not layer.layer_norm or layer.hidden_size > 5)
    x, found = randn(B, T, layer.input_size), []
    for dtype in (np.float32, np.float64):
        ts.manual_seed(0)
        inputs = ts.tensor(x.astype(dtype), requires_grad=True)
        state, first = states_of(layer.to(dtype), B)
        out = results(layer, inputs, state, lengths=lengths)
        # Where a relu bends, rounding may decide the slope.
        bends = getattr(layer, "nonlinearity", "") == "relu"
        found.append((*out, *(() if bends else gradients(layer, out, inputs, *first))))
    for ours, exact in zip(*found, strict=True):
        assert ours.dtype == np.float32
        scale = np.abs(exact.data).max(initial=1.0)
        np.testing.assert_allclose(ours.data, exact.data, rtol=1e-3, atol=1e-4 * scale)


@pytest.mark.parametrize("variant", VARIANTS)
def test_gradients_of_first_and_second_order(variant):
    rates = {"dropout": 0.2, "recurrent_dropout": 0.2, "zoneout": 0.2}
    layer = make(variant, 2, 3, 2, dtype=np.float64, bidirectional=True, **rates)
    _, states = states_of(layer, 2)
    values = [*(s.data for s in states), *(p.data.copy() for p in layer.parameters())]
    names = [name for name, _ in layer.named_parameters()]
    ways = [randn(*v.shape, seed=i, dtype=np.float64) for i, v in enumerate(values)]

    # Each weight by itself is checked for the ops; here all are moved along one way at once.
    def run(x, step):
        moved = [ts.tensor(v) + step * way for v, way in zip(values, ways, strict=True)]
        first, weights = moved[: len(states)], moved[len(states) :]
        vars(layer).update(zip(names, weights, strict=True))
        ts.manual_seed(3)
        return results(layer, x, first if len(first) > 1 else first[0], lengths=[1, 2])

    check_grads(run, randn(2, 2, 2), np.zeros(()), order=2)


@pytest.mark.parametrize("variant", VARIANTS)
def test_second_order_in_float32_comes_near_float64(variant):
    layer, found = make(variant, 4, 19, 2), []
    for dtype in (np.float32, np.float64):
        x = ts.tensor(randn(2, 3, 4).astype(dtype), requires_grad=True)
        (dx,) = ts.grad(layer.to(dtype)(x)[0].square().sum(), [x], create_graph=True)
        found.append(ts.grad(dx.square().sum(), [x, *layer.parameters()], allow_unused=True))
    for ours, exact in zip(*found, strict=True):
        assert (ours is None) == (exact is None)  # the last relu's biases only shift it
        if ours is not None:
            assert ours.dtype == np.float32
            scale = np.abs(exact.data).max(initial=1.0)
            np.testing.assert_allclose(ours.data, exact.data, rtol=1e-3, atol=1e-4 * scale)


# Parameters


@pytest.mark.parametrize("kind", KINDS)
def test_weights_have_pytorchs_names_shapes_and_range(kind):
    rows = {"rnn": 1, "lstm": 4, "gru": 3}[kind] * 25
    layer = KINDS[kind](7, 25, num_layers=2, bidirectional=True)
    shapes = {
        "weight_ih": (rows, 7),
        "weight_hh": (rows, 25),
        "bias_ih": (rows,),
        "bias_hh": (rows,),
    }
    wanted = [
        (f"{name}_l{k}{side}", (rows, 50) if k and name == "weight_ih" else shape)
        for k in (0, 1)
        for side in ("", "_reverse")
        for name, shape in shapes.items()
    ]
    assert [(name, p.shape) for name, p in layer.named_parameters()] == wanted
    largest = max(np.abs(p.data).max() for p in layer.parameters())
    assert 0.19 < largest <= 0.2
    assert len(list(KINDS[kind](7, 25, bias=False).parameters())) == 2
    backwards = KINDS[kind](7, 25, reverse=True)
    assert list(backwards.state_dict()) == list(KINDS[kind](7, 25).state_dict())


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_state_dict_makes_another_layer_the_same(variant):
    one = make(variant, num_layers=2, bidirectional=True)
    two = make(variant, num_layers=2, bidirectional=True)
    two.load_state_dict(one.state_dict())
    x = ts.randn(2, 3, 4)
    same(results(one, x), results(two, x), exact=True)


def test_norms_begin_as_ones_and_zeros():
    layer = nn.LSTM(3, 4, layer_norm=True)
    for name, p in layer.named_parameters():
        if name.startswith("norm"):
            assert (p.data == (0 if name == "norm_c_bias_l0" else 1)).all()
    assert layer.norm_ih_l0.shape == layer.norm_hh_l0.shape == (16,)
    assert layer.norm_c_l0.shape == layer.norm_c_bias_l0.shape == (4,)


def test_the_arguments_stand_in_pytorchs_order():
    rnn = nn.RNN(2, 3, 2, "relu", False, 0.25, True)
    assert repr(rnn) == (
        "RNN(2, 3, num_layers=2, nonlinearity='relu', bias=False, dropout=0.25, bidirectional=True)"
    )
    assert repr(nn.LSTM(2, 3, 2, True, 0.5)) == "LSTM(2, 3, num_layers=2, dropout=0.5)"
    assert (
        repr(nn.GRU(2, 3, zoneout=0.1, reset_after=False))
        == "GRU(2, 3, reset_after=False, zoneout=0.1)"
    )


@pytest.mark.parametrize("kind", KINDS)
def test_arrays_and_pickles(kind):
    layer = KINDS[kind](4, 5)
    x, (state, first) = randn(2, 3, 4), states_of(layer, 2)
    arrays = tuple(s.data for s in first)
    expected = results(layer, ts.tensor(x), state)
    arrays = arrays if kind == "lstm" else arrays[0]
    same(results(layer, x, arrays), expected, exact=True)
    same(results(pickle.loads(pickle.dumps(layer)), x, arrays), expected, exact=True)


# What is refused


@pytest.mark.parametrize("kind", KINDS)
def test_bad_arguments_are_named(kind):
    make, name = KINDS[kind], kind.upper()
    for error, match, options in [
        (ValueError, "hidden_size must be a whole number above 0, got 0", {"hidden_size": 0}),
        (ValueError, "num_layers must be a whole number above 0, got 1.5", {"num_layers": 1.5}),
        (ValueError, "dropout must be a number from 0 to 1, got 1.5", {"dropout": 1.5}),
        (ValueError, "dropout must be a number from 0 to 1, got True", {"dropout": True}),
        (ValueError, "recurrent_dropout must be a number .* got -0.1", {"recurrent_dropout": -0.1}),
        (ValueError, "zoneout must be a number from 0 to 1, got nan", {"zoneout": float("nan")}),
        (ValueError, "zoneout must be", {"zoneout": (0.1, 0.1, 0.1)}),
        (ValueError, "checkpoint_every must be a whole number .* got -1", {"checkpoint_every": -1}),
        (ValueError, "reverse is of one direction", {"reverse": True, "bidirectional": True}),
    ]:
        with pytest.raises(error, match=f"^{name}: {match}"):
            make(**({"input_size": 4, "hidden_size": 5} | options))


@pytest.mark.parametrize("kind", KINDS)
def test_bad_input_is_named(kind):
    layer, name, x = KINDS[kind](4, 5, 2), kind.upper(), ts.zeros(2, 3, 4)
    for error, match, arguments in [
        (ValueError, r"x must be \(B, T, 4\), got \(2, 3, 5\)", (ts.zeros(2, 3, 5),)),
        (ValueError, r"x must be \(B, T, 4\), got \(3, 4\)", (ts.zeros(3, 4),)),
        (TypeError, "x must be float32 as the weights are, got float64", (x.to(np.float64),)),
        (ValueError, r"lengths must be \(2,\), got \(3,\)", (x, None, [1, 2, 3])),
        (ValueError, "lengths must be from 0 to 3, got 4", (x, None, [1, 4])),
        (ValueError, "lengths must be from 0 to 3, got -1", (x, None, [-1, 3])),
        (TypeError, "lengths must be whole numbers, got float64", (x, None, [1.0, 2.0])),
        (TypeError, r"lengths must be whole numbers, got \[\[1\], 2\]", (x, None, [[1], 2])),
        (TypeError, "x must be an array of numbers, got NoneType", (None,)),
        (TypeError, "x must be an array of numbers, got list", ([[[1.0], []]],)),
    ]:
        with pytest.raises(error, match=f"^{name}: {match}"):
            layer(*arguments)

    fine = ts.zeros(2, 2, 5)
    for error, match, bad in [
        (ValueError, r"[hc]0 must be \(2, 2, 5\), got \(1, 2, 5\)", ts.zeros(1, 2, 5)),
        (ValueError, r"[hc]0 must be \(2, 2, 5\), got \(2, 5\)", ts.zeros(2, 5)),
        (TypeError, "[hc]0 must be float32 as the weights are, got float64", fine.to(np.float64)),
        (TypeError, "[hc]0 must be an array of numbers, got str", "zeros"),
    ]:
        with pytest.raises(error, match=f"^{name}: {match}"):
            layer(x, (fine, bad) if kind == "lstm" else bad)
    with pytest.raises(ValueError, match=f"^{name}: return_trace is not for checkpoint_every"):
        KINDS[kind](4, 5, checkpoint_every=2)(x, return_trace=True)


@pytest.mark.parametrize("kind", KINDS)
def test_step_refuses_what_it_cannot_do(kind):
    name = kind.upper()
    for options in ({"reverse": True}, {"bidirectional": True}):
        with pytest.raises(ValueError, match=f"^{name}.step: a layer that runs from the end"):
            KINDS[kind](4, 5, **options).step(ts.zeros(2, 4))
    with pytest.raises(ValueError, match=rf"^{name}.step: x_t must be \(B, 4\), got \(2, 1, 4\)"):
        KINDS[kind](4, 5).step(ts.zeros(2, 1, 4))
    y, _ = KINDS[kind](4, 5).step(ts.zeros(0, 4))
    assert y.shape == (0, 5)
