"""Recurrent layers along sequences cut in pieces, and rows of different lengths."""

import copy
import gc
import pickle
import tracemalloc

import numpy as np
import pytest

import tinyseq as ts
from tests.nn.recurrent_kinds import (
    EXACT,
    KINDS,
    VARIANTS,
    gradients,
    make,
    on_c,
    randn,
    results,
    same,
    states_of,
)
from tinyseq import nn


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


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_step_has_the_same_bits_whether_or_not_it_is_recorded(variant):
    layer = make(variant, num_layers=2, hidden_size=19, zoneout=0.1).eval()
    x_t, (_, states) = ts.tensor(randn(3, 4)), states_of(layer, 3)
    constant = tuple(s.detach() for s in states)

    def stepped(state):
        y, after = layer.step(x_t, state if len(states) > 1 else state[0])
        return (y, *after) if isinstance(after, tuple) else (y, after)

    recorded = stepped(states)
    with ts.no_grad():
        bare = stepped(states)
    assert all(a.requires_grad for a in recorded) and not any(a.requires_grad for a in bare)
    same(bare, recorded, True)
    same(stepped(constant), recorded, True)


@pytest.mark.parametrize("kind", KINDS)
def test_a_step_sees_the_weights_of_that_moment(kind):
    layer, other = KINDS[kind](4, 5), KINDS[kind](4, 5)
    x_t = ts.tensor(randn(2, 4))
    with ts.no_grad():
        wanted = other.step(x_t)[0]
        assert (layer.step(x_t)[0].data != wanted.data).all()
        layer.load_state_dict(other.state_dict())  # in place
        same([layer.step(x_t)[0]], [wanted], True)
        zeros = ts.zeros(*layer.weight_ih_l0.shape)
        layer.weight_ih_l0.data = zeros.data
        unfed = layer.step(x_t)[0]
        same([unfed], [layer.step(ts.zeros(2, 4))[0]], True)
        layer.weight_ih_l0 = other.weight_ih_l0
        same([layer.step(x_t)[0]], [wanted], True)
        layer.weight_ih_l0 = nn.Parameter(zeros.data.T.copy())
        with pytest.raises(ValueError, match=rf"^{type(layer).__name__}: w_ih must be "):
            layer.step(x_t)
        layer.weight_ih_l0 = other.weight_ih_l0.to(np.float64)
        with pytest.raises(TypeError, match="must be float64 as the weights are, got float32"):
            layer.step(x_t)


@pytest.mark.parametrize("kind", KINDS)
def test_a_copy_of_a_layer_that_has_taken_steps_goes_its_own_way(kind):
    layer, x_t = KINDS[kind](4, 5), ts.tensor(randn(2, 4))
    with ts.no_grad():
        wanted = layer.step(x_t)[0]
        for copied in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
            same([copied.step(x_t)[0]], [wanted], True)
            copied.weight_ih_l0.data[:] = 0
            assert (copied.step(x_t)[0].data != wanted.data).any()
        same([layer.step(x_t)[0]], [wanted], True)


@pytest.mark.parametrize("kind", KINDS)
def test_steps_are_taken_by_the_backend_in_use(kind, monkeypatch):
    layer, x_t = KINDS[kind](4, 5), ts.tensor(randn(2, 4))
    with ts.no_grad():
        layer.step(x_t)
        monkeypatch.setattr(ts.backend, "recurrent_stepper", lambda *_: lambda x, h, c: (h + 1, c))
        assert (layer.step(x_t)[0].data == 1).all()


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


@on_c
@pytest.mark.parametrize("variant", VARIANTS)
def test_a_row_has_the_same_bits_alone_and_among_others(variant):
    layer = make(variant, 4, 19, 2, bidirectional=True, zoneout=0.1).eval()
    x = randn(5, 6, 4)
    _, first = states_of(layer, 5)
    weight = randn(5, 6, 2 * first[0].shape[2], seed=1)

    def run(rows, T, lengths):
        inputs = ts.tensor(x[rows, :T].copy(), requires_grad=True)
        own = [ts.tensor(s.data[:, rows].copy(), requires_grad=True) for s in first]
        y, *after = results(layer, inputs, tuple(own) if len(own) > 1 else own[0], lengths=lengths)
        loss = (y * ts.tensor(weight[rows, :T])).sum() + sum((s * s).sum() for s in after)
        dx, *dstates = ts.grad(loss, [inputs, *own])
        return [y.data, dx.data], [s.data for s in (*after, *dstates)]

    sequences, states = run(slice(None), 6, LENGTHS)
    for row, length in enumerate(LENGTHS):
        own_sequences, own_states = run(slice(row, row + 1), length, None)
        for whole, own in zip(sequences, own_sequences, strict=True):
            np.testing.assert_array_equal(whole[row, :length], own[0])
        for whole, own in zip(states, own_states, strict=True):
            np.testing.assert_array_equal(whole[:, row], own[:, 0])


@on_c
@pytest.mark.parametrize("variant", VARIANTS)
def test_the_bits_do_not_depend_on_the_threads(variant):
    layer, found = make(variant, 30, 70, 2, bidirectional=True), []
    before = ts.backend.get_num_threads()
    try:
        for threads in (1, 2, 3):
            ts.backend.set_num_threads(threads)
            x = ts.tensor(randn(7, 9, 30), requires_grad=True)
            out = results(layer, x, lengths=[9, 1, 0, 4, 9, 7, 2])
            found.append((*out, *gradients(layer, out, x)))
    finally:
        ts.backend.set_num_threads(before)
    same(found[1], found[0], exact=True)
    same(found[2], found[0], exact=True)


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
