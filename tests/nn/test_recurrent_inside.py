"""Recurrent layers that show what happens inside, and that keep less of it."""

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
    randn,
    results,
    same,
    states_of,
)
from tinyseq import nn


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
def test_every_may_be_a_whole_number_of_numpys(kind):
    layer, x = KINDS[kind](4, 5, checkpoint_every=np.int64(2)), ts.tensor(randn(2, 3, 4))
    assert results(layer, x)[0].shape == (2, 3, 5)


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
