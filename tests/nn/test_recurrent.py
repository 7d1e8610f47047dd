import gc
import pickle
import tracemalloc

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
    states_of,
)
from tinyseq import nn
from tinyseq.testing import check_grads

on_c = pytest.mark.skipif(
    ts.backend.info()["kernels"]["recurrent_forward"] != "c", reason="the C kernels' promise"
)


# What comes out


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


# How a sequence is cut


def same(got, wanted, exact):
    for a, b in zip(got, wanted, strict=True):
        if exact:
            np.testing.assert_array_equal(a.data, b.data)
        else:
            np.testing.assert_allclose(a.data, b.data, rtol=1e-9, atol=1e-11)


# float32 in C: the same bits. float64, in NumPy: but for rounding.
EXACT = [False, pytest.param(True, marks=on_c)]


@pytest.mark.parametrize("exact", EXACT)
@pytest.mark.parametrize("variant", VARIANTS)
def test_step_by_step_is_the_whole_sequence(variant, exact):
    dtype = np.float32 if exact else np.float64
    layer = make(variant, num_layers=2, hidden_size=19, zoneout=0.1, dtype=dtype).eval()
    x = ts.tensor(randn(3, 7, 4, dtype=dtype))
    whole = results(layer, x)
    state, ys = None, []
    for t in range(7):
        y, state = layer.step(x[:, t], state)
        ys.append(y)
    after = state if isinstance(state, tuple) else (state,)
    same((ts.stack(ys, 1), *after), whole, exact)


@pytest.mark.parametrize("kind", KINDS)
def test_many_steps_hold_no_more_than_few(kind):
    layer, x_t, state = KINDS[kind](4, 5), ts.zeros(1, 4), None

    def held_after(steps):
        nonlocal state
        for _ in range(steps):
            _, state = layer.step(x_t, state)
        gc.collect()  # Python's own free lists
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        with ts.no_grad():
            few = held_after(500)  # by now whatever Python and NumPy keep for reuse is there
            assert held_after(2000) < few + 30_000  # the smallest object for each step: 96 000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("exact", EXACT)
@pytest.mark.parametrize("variant", VARIANTS)
def test_cut_in_pieces_is_the_whole_sequence(variant, exact):
    dtype = np.float32 if exact else np.float64
    layer = make(variant, num_layers=2, hidden_size=19, dtype=dtype)
    x = ts.tensor(randn(3, 9, 4, dtype=dtype))
    state, _ = states_of(layer, 3)
    whole = results(layer, x, state)
    ys = []
    for piece in (x[:, :4], x[:, 4:4], x[:, 4:5], x[:, 5:]):
        y, state = layer(piece, state)
        ys.append(y)
    after = state if isinstance(state, tuple) else (state,)
    same((ts.cat(ys, 1), *after), whole, exact)


@pytest.mark.parametrize("kind", KINDS)
def test_a_detached_state_cuts_the_gradient_and_nothing_else(kind):
    layer = KINDS[kind](4, 5)
    x = ts.randn(2, 6, 4, requires_grad=True)
    _, state = layer(x[:, :3])
    cut = tuple(s.detach() for s in state) if kind == "lstm" else state.detach()
    layer(x[:, 3:], cut)[0].sum().backward()
    assert (x.grad.data[:, :3] == 0).all() and (x.grad.data[:, 3:] != 0).all()
    alone = x.data[:, 3:].copy()
    first = [p.grad.data.copy() for p in layer.parameters()]
    layer.zero_grad()
    layer(ts.tensor(alone), cut)[0].sum().backward()
    for got, p in zip(first, layer.parameters(), strict=True):
        np.testing.assert_allclose(got, p.grad.data, rtol=1e-5, atol=1e-6)


# Lengths


LENGTHS = [2, 0, 6, 1, 4]


@pytest.mark.parametrize("side", [{}, {"reverse": True}, {"bidirectional": True}])
@pytest.mark.parametrize("variant", VARIANTS)
def test_lengths_are_each_row_alone(variant, side):
    layer = make(variant, num_layers=2, dtype=np.float64, **side)
    x = ts.tensor(randn(5, 6, 4, dtype=np.float64), requires_grad=True)
    state, first = states_of(layer, 5)
    y, *after = results(layer, x, state, lengths=LENGTHS)
    parts = []
    for row, length in enumerate(LENGTHS):
        own = tuple(s[:, row : row + 1] for s in first)
        z, *ends = results(layer, x[row : row + 1, :length], own if len(own) > 1 else own[0])
        np.testing.assert_allclose(y.data[row, :length], z.data[0], rtol=1e-9, atol=1e-12)
        assert (y.data[row, length:] == 0).all()
        for end, last in zip(ends, after, strict=True):
            np.testing.assert_allclose(last.data[:, row], end.data[:, 0], rtol=1e-9, atol=1e-12)
        padded = ts.cat([z, ts.zeros(1, 6 - length, z.shape[2], dtype=np.float64)], 1)
        parts.append((padded, *ends))
    together = [ts.cat(rows, 1 if i else 0) for i, rows in enumerate(zip(*parts, strict=True))]
    got = gradients(layer, (y, *after), x, *first)
    wanted = gradients(layer, together, x, *first)
    for a, b in zip(got, wanted, strict=True):
        np.testing.assert_allclose(a.data, b.data, rtol=1e-9, atol=1e-11)
    assert (got[0].data[1] == 0).all() and (got[0].data[0, 2:] == 0).all()


@pytest.mark.parametrize("kind", KINDS)
def test_what_lies_past_a_length_changes_no_bit(kind):
    layer = KINDS[kind](4, 19, 2, bidirectional=True)
    x = randn(5, 6, 4)
    x_nan = x.copy()
    for row, length in enumerate(LENGTHS):
        x_nan[row, length:] = np.nan
    inputs = [ts.tensor(a, requires_grad=True) for a in (x, x_nan)]
    clean, dirty = (results(layer, a, lengths=LENGTHS) for a in inputs)
    same(dirty, clean, exact=True)
    for a, b in zip(
        gradients(layer, clean, inputs[0]), gradients(layer, dirty, inputs[1]), strict=True
    ):
        np.testing.assert_array_equal(a.data, b.data)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("side", [{}, {"bidirectional": True}])
def test_nothing_to_do(kind, side):
    layer = KINDS[kind](4, 5, 2, **side)
    assert results(layer, ts.zeros(0, 3, 4))[0].shape == (0, 3, 10 if side else 5)
    assert results(layer, ts.zeros(0, 3, 4), lengths=[])[1].shape[1:] == (0, 5)
    state, first = states_of(layer, 3)
    for x, lengths in (
        (ts.zeros(3, 0, 4), None),
        (ts.zeros(3, 0, 4), [0] * 3),
        (ts.ones(3, 2, 4), [0] * 3),
    ):
        x = x.requires_grad_()
        y, *after = results(layer, x, state, lengths=lengths)
        assert y.shape == (3, x.shape[1], 10 if side else 5) and (y.data == 0).all()
        same(after, first, exact=True)
        dx, *dstates = ts.grad(
            sum(s.sum() for s in after) + y.sum(), [x, *first], allow_unused=True
        )
        assert dx is None or (dx.data == 0).all()
        assert all((d.data == 1).all() for d in dstates)


@pytest.mark.parametrize("kind", KINDS)
def test_lengths_may_be_a_list_an_array_or_a_tensor(kind):
    layer, x = KINDS[kind](4, 5), ts.randn(2, 3, 4)
    one, two, three = (
        results(layer, x, lengths=n)
        for n in ([3, 1], np.array([3, 1], np.int32), ts.tensor([3, 1]))
    )
    same(one, two, exact=True)
    same(one, three, exact=True)


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


# What is drawn


@pytest.mark.parametrize("kind", KINDS)
def test_dropout_lies_between_layers_and_only_in_training(kind):
    x = ts.randn(2, 3, 4)
    two = KINDS[kind](4, 5, num_layers=2, dropout=0.5)
    assert (two(x)[0].data != two(x)[0].data).any()
    two.eval()
    same(results(two, x), results(two, x), exact=True)
    one = KINDS[kind](4, 5, dropout=0.5)
    same(results(one, x), results(one, x), exact=True)


@pytest.mark.parametrize("kind", KINDS)
def test_dropout_between_layers_has_the_right_share_and_scale(kind):
    layer = KINDS[kind](4, 40, num_layers=2, dropout=0.25)
    seen, inner = [], layer._op
    layer._op = lambda x, *rest, **more: seen.append((x, out := inner(x, *rest, **more))) or out
    ts.manual_seed(0)
    layer(ts.randn(10, 20, 4))
    (_, (below, *_)), (above, _) = seen
    zeros = above.data == 0
    assert abs(zeros.mean() - 0.25) < 0.02  # of 8000 draws: four standard deviations
    np.testing.assert_allclose(above.data[~zeros], below.data[~zeros] / 0.75, rtol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_repeats_a_run(kind):
    layer = KINDS[kind](
        4, 5, 2, dropout=0.3, recurrent_dropout=0.3, zoneout=0.3, bidirectional=True
    )
    x, runs = ts.randn(2, 3, 4), []
    for seed in (1, 1, 2):
        ts.manual_seed(seed)
        runs.append(results(layer, x))
    same(runs[0], runs[1], exact=True)
    assert (runs[0][0].data != runs[2][0].data).any()


@pytest.mark.parametrize("kind", KINDS)
def test_recurrent_dropout_draws_one_mask_per_sequence(kind):
    layer = KINDS[kind](4, 50, 2, recurrent_dropout=0.2, bidirectional=True)
    ts.manual_seed(0)
    x = ts.randn(60, 3, 4)
    _, noise = run_and_look(layer, x)
    masks = [n["mask"] for n in noise]
    for mask in masks:
        assert mask.shape == (60, 50) and mask.dtype == np.float32
        assert set(np.unique(mask)) == {np.float32(0), np.float32(1 / 0.8)}
        assert abs((mask == 0).mean() - 0.2) < 0.03  # of 3000 draws: four standard deviations
    more = masks + [n["mask"] for n in run_and_look(layer, x)[1]]
    assert len({m.tobytes() for m in more}) == 8
    assert run_and_look(layer.eval(), x)[1] == [{}] * 4


def test_the_mask_is_seen_in_what_comes_out():
    layer = nn.RNN(3, 3, nonlinearity="relu", bias=False, recurrent_dropout=0.5)
    for weight in layer.parameters():
        weight.data[...] = np.eye(3)
    y = layer(ts.ones(4, 5, 3))[0].data
    mask, wanted = y[:, 1] - 1, np.ones((4, 3))  # since h_1 = 1 and h_2 = 1 + mask
    assert set(np.unique(mask)) == {0, 2}
    for t in range(5):
        np.testing.assert_array_equal(y[:, t], wanted)
        wanted = 1 + mask * wanted


@pytest.mark.parametrize("kind", KINDS)
def test_zoneout_draws_in_training_and_takes_the_mean_in_evaluation(kind):
    rates = (0.2, 0.4) if kind == "lstm" else 0.2
    layer = KINDS[kind](4, 50, zoneout=rates)
    ts.manual_seed(0)
    x = ts.randn(20, 10, 4)
    state, first = states_of(layer, 20)
    (y, *_), (noise,) = run_and_look(layer, x, state)
    for name, rate in (("zone_h", 0.2), ("zone_c", 0.4))[: len(first)]:
        assert noise[name].shape == (20, 10, 50)
        assert set(np.unique(noise[name])) == {0, 1}
        assert abs(noise[name].mean() - rate) < 0.02  # of 10 000 draws: four standard deviations
    h = np.concatenate([first[0].data[0][:, None], y.data], 1)
    np.testing.assert_array_equal(h[:, 1:] == h[:, :-1], noise["zone_h"] == 1)
    _, (mean,) = run_and_look(layer.eval(), x, state)
    for name, rate in (("zone_h", 0.2), ("zone_c", 0.4))[: len(first)]:
        assert (mean[name] == np.float32(rate)).all()


@pytest.mark.parametrize("kind", KINDS)
def test_evaluation_is_the_mean_of_one_zoned_step(kind):
    layer, x = KINDS[kind](4, 5, zoneout=0.3), ts.randn(1, 1, 4)
    state, _ = states_of(layer, 1)
    ts.manual_seed(0)
    drawn = np.mean([results(layer, x, state)[1].data for _ in range(4000)], axis=0)
    # h is between -3 and 3, so the mean of 4000 has a deviation below 0.02.
    np.testing.assert_allclose(drawn, results(layer.eval(), x, state)[1].data, atol=0.08)


def test_zoneout_of_one_keeps_the_state():
    layer = nn.GRU(4, 5, zoneout=1.0)
    state, _ = states_of(layer, 2)
    for mode in (True, False):
        _, after = layer.train(mode)(ts.randn(2, 3, 4), state)
        np.testing.assert_array_equal(after.data, state.data)


# Looking inside, and keeping less


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_trace_for_each_layer_and_direction(variant):
    layer = make(variant, 4, 5, 2, dtype=np.float64, bidirectional=True)
    x = ts.tensor(randn(3, 4, 4, dtype=np.float64))
    lengths = [4, 0, 2]
    plain = results(layer, x, lengths=lengths)
    y, after, traces = layer(x, lengths=lengths, return_trace=True)
    same((y, *after) if isinstance(after, tuple) else (y, after), plain, exact=True)
    letters = {"RNN": "", "LSTM": "ifgo", "GRU": "rzn"}[type(layer).__name__]
    real = np.arange(4) < np.array(lengths)[:, None]
    assert len(traces) == 4
    (y[:, :, 0].sum()).backward()  # reaches the forward direction of the last layer alone
    for run, trace in enumerate(traces):
        assert "".join(trace.gates) == letters
        for gate in trace.gates.values():
            assert gate.shape == (3, 4, 5) and (gate[~real] == 0).all() and (gate[real] != 0).all()
        if letters == "ifgo":
            last = after[1].data[run]
            ends = trace.cells[[0, 2], [0, 0] if run % 2 else [3, 1]]
            np.testing.assert_array_equal(ends, last[[0, 2]])
        if run != 3:
            assert trace.gradient_norm.shape == (3, 4)
            assert (trace.gradient_norm[~real] == 0).all()
            # A relu lets nothing through where it is 0.
            assert variant == "rnn, relu" or (trace.gradient_norm[real] > 0).all()


def test_the_gradient_norm_is_of_all_that_reaches_a_step():
    layer = nn.RNN(1, 2, bias=False).to(np.float64)
    layer.weight_hh_l0.data[...] = 0.5 * np.eye(2)
    layer.weight_ih_l0.data[...] = 0.0
    y, _, (trace,) = layer(ts.zeros(1, 4, 1, dtype=np.float64), return_trace=True)
    (y[0, 3] * ts.tensor([3.0, 4.0], dtype=np.float64)).sum().backward()
    # At h = 0 the slope of tanh is 1: each step back halves the gradient (3, 4).
    np.testing.assert_allclose(trace.gradient_norm, [[0.625, 1.25, 2.5, 5.0]])


@pytest.mark.parametrize("exact", EXACT)
@pytest.mark.parametrize("variant", VARIANTS)
def test_checkpoints_change_nothing(variant, exact):
    dtype = np.float32 if exact else np.float64
    options = {"num_layers": 2, "hidden_size": 19, "bidirectional": True, "zoneout": 0.1}
    options["dtype"] = dtype
    layer, sparing = make(variant, **options), make(variant, checkpoint_every=3, **options)
    sparing.load_state_dict(layer.state_dict())
    found = []
    for one in (layer, sparing):
        ts.manual_seed(0)
        x = ts.tensor(randn(3, 8, 4, dtype=dtype), requires_grad=True)
        state, first = states_of(one, 3)
        out = results(one, x, state, lengths=[8, 2, 5])
        found.append((*out, *gradients(one, out, x, *first)))
    same(found[1], found[0], exact)


@pytest.mark.parametrize("kind", KINDS)
def test_checkpoints_every_root_of_t_keep_as_much_as_the_root(kind):
    def held(T, every):
        """Bytes a run keeps for its backward walk, without what it returns."""
        layer, x = KINDS[kind](1, 32, checkpoint_every=every), ts.zeros(2, T, 1)
        layer(x)  # whatever is made once
        tracemalloc.start()
        try:
            out = results(layer, x)
            return tracemalloc.get_traced_memory()[0] - sum(y.data.nbytes for y in out)
        finally:
            tracemalloc.stop()

    # Beyond the arrays a few kilobytes of Python objects are held at any length.
    assert held(1600, 0) > 3 * held(400, 0) > 100_000
    assert held(1600, 40) < 2 * held(400, 20) + 8_000
    assert held(1600, 40) < held(1600, 0) / 10


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
    ]:
        with pytest.raises(error, match=f"^{name}: {match}"):
            layer(*arguments)

    fine = ts.zeros(2, 2, 5)
    for error, match, bad in [
        (ValueError, r"[hc]0 must be \(2, 2, 5\), got \(1, 2, 5\)", ts.zeros(1, 2, 5)),
        (ValueError, r"[hc]0 must be \(2, 2, 5\), got \(2, 5\)", ts.zeros(2, 5)),
        (TypeError, "[hc]0 must be float32 as the weights are, got float64", fine.to(np.float64)),
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
