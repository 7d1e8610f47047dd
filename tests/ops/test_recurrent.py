"""The recurrent ops: what they refuse, what they give at the edges, and what a trace sees. Their
values and gradients are held to the equations in tests/backend/test_numpy_recurrent.py."""

import numpy as np
import pytest

import tinyseq as ts
from tests.recurrent import CELLS, as_op, equations, problem
from tinyseq import ops
from tinyseq.autograd import Tensor, grad
from tinyseq.ops.recurrent import Trace

ALL = {"norm": True, "mask": True, "zone": (3, 4), "lengths": [3, 0, 4]}


def leaves(arrays):
    return [Tensor(a, requires_grad=True) for a in arrays]


def gradients(results, inputs, **options):
    """Of a sum that weights everything; the zeros of what is not used are made explicit."""
    weights = [Tensor(np.linspace(-1, 2, y.numel()).reshape(y.shape)) for y in results]
    found = grad(results, inputs, weights, allow_unused=True, **options)
    return [np.zeros(a.shape) if g is None else g.data for g, a in zip(found, inputs, strict=True)]


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("reverse", [False, True])
def test_the_equations(cell, reverse):
    options = {"P": 2, "peephole": True} if cell == "lstm" else {}
    given = problem(cell, reverse=reverse, **options, **ALL)
    fn, arrays = as_op(given, cell)
    for got, wanted in zip(fn(*leaves(arrays)), equations(cell, *given), strict=False):
        np.testing.assert_allclose(got.data, wanted, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("cell", CELLS)
def test_the_recorded_gradient_is_the_kernels(cell):
    fn, arrays = as_op(problem(cell, **ALL), cell)
    inputs = leaves(arrays)
    results = fn(*inputs)
    kernels = gradients(results, inputs, retain_graph=True)
    for a, b in zip(kernels, gradients(results, inputs, create_graph=True), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("B, T, lengths", [(0, 4, None), (0, 4, []), (3, 0, None), (3, 4, [0] * 3)])
def test_without_a_step_the_state_is_the_first_one(cell, B, T, lengths):
    fn, arrays = as_op(problem(cell, B, T, lengths=lengths, norm=True), cell)
    inputs = leaves(arrays)
    y, *states = fn(*inputs)
    assert y.shape == (B, T, 3) and not y.data.any()
    for state, first in zip(states, inputs[1:], strict=False):
        np.testing.assert_array_equal(state.data, first.data)
    (found,) = grad(states[0].sum(), inputs[1:2])
    np.testing.assert_array_equal(found.data, np.ones((B, 3)))


@pytest.mark.parametrize("cell", CELLS)
def test_padding_does_not_matter_to_any_order(cell):
    given = problem(cell, **ALL)
    fn, arrays = as_op(given, cell)
    seen = []
    for filled in (0.0, np.nan):
        arrays[0][np.arange(4) >= given[4].lengths[:, None]] = filled
        inputs = leaves(arrays)
        results = fn(*inputs)
        firsts = grad(results, inputs, [Tensor(y.data) for y in results], create_graph=True)
        total = sum((g * g).sum() for g in firsts)
        seconds = grad(total, inputs, allow_unused=True)
        seen.append([a.data for a in (*results, *firsts, *seconds) if a is not None])
    for a, b in zip(*seen, strict=True):
        np.testing.assert_array_equal(a, b)


def test_in_reverse_a_row_is_as_if_turned_round():
    given = problem("gru", reverse=True, lengths=[3, 0, 4])
    fn, arrays = as_op(given, "gru")
    y, h = fn(*leaves(arrays))
    x, h0 = arrays[0], arrays[1]
    for row, length in enumerate([3, 0, 4]):
        turned = x[row : row + 1, :length][:, ::-1]
        alone, last = ops.gru(*leaves([turned, h0[row : row + 1], *arrays[2:]]))
        np.testing.assert_allclose(y.data[row, :length], alone.data[0, ::-1], rtol=1e-12)
        np.testing.assert_allclose(h.data[row], last.data[0], rtol=1e-12)


@pytest.mark.parametrize("every", [1, 2, 3, 4, 9])
@pytest.mark.parametrize("cell", CELLS)
def test_a_checkpointed_run_is_the_plain_one(cell, every):
    runs = []
    for k in (0, every):
        fn, arrays = as_op(problem(cell, every=k, reverse=True, **ALL), cell)
        inputs = leaves(arrays)
        results = fn(*inputs)
        runs.append([*(y.data for y in results), *gradients(results, inputs)])
    for a, b in zip(*runs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("cell", CELLS)
def test_a_checkpointed_run_keeps_little(cell):
    def kept(every):
        fn, arrays = as_op(problem(cell, T=64, every=every), cell)
        y, *states = fn(*leaves(arrays))
        return sum(a.size for a in y.inputs[0].data[1 + len(states) :] if a is not None)

    states = 3 * 3 if cell == "lstm" else 0  # the c of each row
    assert kept(8) == 8 * states and kept(0) >= 64 * 9


def test_nothing_is_kept_when_no_gradient_is_wanted():
    fn, arrays = as_op(problem("lstm"), "lstm")
    with ts.no_grad():
        y, _, _ = fn(*leaves(arrays))
    assert y.inputs == ()
    constant, _, _ = fn(*map(Tensor, arrays))
    assert not constant.requires_grad


# the trace


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_a_trace_has_gates_and_cells_from_which_the_states_follow(cell, reverse):
    given = problem(cell, lengths=[3, 0, 4], reverse=reverse)
    trace = Trace()
    fn, arrays = as_op(given, cell, trace=trace)
    y = fn(*map(Tensor, arrays))[0].data  # without any gradient wanted
    gates, h0, c0 = trace.gates, given[1], given[2]
    assert "".join(gates) == {"l": "ifgo", "g": "rzn", "r": ""}[cell[0]]
    assert (trace.cells is None) == (cell != "lstm") and trace.gradient_norm is None
    for row, length in enumerate([3, 0, 4]):
        times = range(length)[::-1] if reverse else range(length)
        h, c = h0[row], None if c0 is None else c0[row]
        for t in times:
            gate = {letter: values[row, t] for letter, values in gates.items()}
            if cell == "lstm":
                c = gate["f"] * c + gate["i"] * gate["g"]
                h = gate["o"] * np.tanh(c)
                np.testing.assert_allclose(trace.cells[row, t], c, rtol=1e-12)
            elif gates:
                h = (1 - gate["z"]) * gate["n"] + gate["z"] * h
            else:
                h = y[row, t]
            np.testing.assert_allclose(y[row, t], h, rtol=1e-12)
        for values in (*gates.values(), *([] if c is None else [trace.cells])):
            assert values.shape == (3, 4, 3) and not values[row, length:].any()


@pytest.mark.parametrize("cell", CELLS)
def test_a_traces_gradient_norm_is_that_of_autograd_by_hand(cell):
    x, h0, c0, weights, run = problem(cell, norm=True)
    trace = Trace()
    fn, arrays = as_op((x, h0, c0, weights, run), cell, trace=trace)
    y, *states = fn(*leaves(arrays))
    (y * y).sum().backward()
    # The same, step by step, with every h_t at hand.
    step, _ = as_op((x, h0, c0, weights, run), cell)
    states, hs = [Tensor(a, requires_grad=True) for a in arrays[1 : 1 + len(states)]], []
    for t in range(4):
        _, *states = step(Tensor(x[:, t : t + 1]), *states, *map(Tensor, arrays[1 + len(states) :]))
        hs.append(states[0])
    found = grad(sum((h * h).sum() for h in hs), hs)
    norms = [np.linalg.norm(g.data, axis=1) for g in found]
    np.testing.assert_allclose(trace.gradient_norm, np.stack(norms, 1), rtol=1e-10)


def test_a_trace_is_filled_anew_by_each_run():
    trace = Trace()
    fn, arrays = as_op(problem("lstm"), "lstm", trace=trace)
    fn(*leaves(arrays))[0].sum().backward()
    assert trace.gradient_norm is not None
    fn, arrays = as_op(problem("rnn_tanh", T=2), "rnn_tanh", trace=trace)
    fn(*leaves(arrays))
    assert trace.gates == {} and trace.cells is None and trace.gradient_norm is None


# what is refused


def zeros(*shape, dtype=np.float32):
    return ts.zeros(*shape, dtype=dtype)


LSTM = {
    "x": zeros(2, 3, 4), "h0": zeros(2, 5), "c0": zeros(2, 5), "w_ih": zeros(20, 4),
    "w_hh": zeros(20, 5), "b_ih": zeros(20), "b_hh": zeros(20), "peephole": zeros(15),
    "norm_ih": zeros(20), "norm_hh": zeros(20), "norm_c": zeros(5), "norm_c_bias": zeros(5),
}  # fmt: skip
SMALL = {"x": zeros(2, 3, 4), "h0": zeros(2, 5)}
GRU = SMALL | {"w_ih": zeros(15, 4), "w_hh": zeros(15, 5), "b_ih": zeros(15), "b_hh": zeros(15)}
RNN = SMALL | {"w_ih": zeros(5, 4), "w_hh": zeros(5, 5), "b_ih": zeros(5), "b_hh": zeros(5)}
OPS = {"lstm": LSTM, "gru": GRU, "rnn": RNN}
NOT_FIRST = [(name, field) for name, given in OPS.items() for field in given if field != "x"]


@pytest.mark.parametrize("name, field", NOT_FIRST)
def test_every_shape_and_dtype_is_checked(name, field):
    given = OPS[name]
    shape = given[field].shape
    sizes = r"\(" + ", ".join(map(str, shape)) + ",?" + r"\)"
    bad, message = zeros(*shape[:-1], shape[-1] + 1), f"{field} must be {sizes}, got"
    if field == "w_hh":  # H is read from it, so that the others misfit
        message = r"h0 must be \(2, 6\), got \(2, 5\)"
    with pytest.raises(ValueError, match=rf"^{name}: {message}"):
        getattr(ops, name)(**given | {field: bad})
    with pytest.raises(TypeError, match=rf"^{name}: {field} must be float32 as x is, got float64"):
        getattr(ops, name)(**given | {field: zeros(*shape, dtype=np.float64)})


@pytest.mark.parametrize("name", OPS)
def test_what_the_ops_refuse_in_common(name):
    def refused(error, match, **changed):
        with pytest.raises(error, match=rf"^{name}: " + match):
            getattr(ops, name)(**OPS[name] | changed)

    refused(ValueError, r"x must be floats of \(B, T, D\), got float32 \(2, 3\)", x=zeros(2, 3))
    refused(ValueError, r"x must be floats", x=ts.tensor(np.zeros((2, 3, 4), np.int64)))
    refused(ValueError, r"w_hh must be \(G H, R\)", w_hh=zeros(20))
    refused(ValueError, "b_ih and b_hh must be given both or neither", b_hh=None)
    refused(ValueError, r"lengths must be \(2,\), got \(3,\)", lengths=[1, 2, 3])
    refused(ValueError, r"lengths must be \(2,\), got \(0,\)", lengths=[])
    refused(ValueError, "lengths must be from 0 to 3, got 4", lengths=[1, 4])
    refused(ValueError, "lengths must be from 0 to 3, got -1", lengths=np.array([-1, 3]))
    refused(TypeError, "lengths must be whole numbers, got float64", lengths=[1.0, 3.0])
    refused(TypeError, "lengths must be whole numbers, got bool", lengths=[True, False])
    half = np.full((2, 5), 0.5)
    refused(TypeError, "mask must be float32 as x is, got float64", mask=half)
    refused(ValueError, r"mask must be \(2, 5\), got \(2, 4\)", mask=half[:, 1:])
    refused(ValueError, r"mask must be \(2, 5\), got \(5,\)", mask=half[0])
    refused(ValueError, r"zone_h must be \(2 or 1, 3 or 1, 5\), got \(2, 5\)", zone_h=half)
    refused(ValueError, r"zone_h must be .* got \(2, 2, 5\)", zone_h=np.stack([half, half]))
    refused(ValueError, "checkpoint_every must be 0 or more, got -1", checkpoint_every=-1)
    refused(TypeError, "checkpoint_every must be an int, got 1.5", checkpoint_every=1.5)
    refused(ValueError, "trace looks at every step", checkpoint_every=2, trace=Trace())


def test_what_one_op_refuses():
    with pytest.raises(ValueError, match=r"^lstm: norm_ih and norm_c must be given both or"):
        ops.lstm(**LSTM | {"norm_c": None, "norm_c_bias": None})
    weights = {"w_ih": zeros(24, 4), "w_hh": zeros(24, 5), "w_hr": zeros(4, 6)}
    with pytest.raises(ValueError, match=r"^lstm: w_hr must be \(5, 6\), got \(4, 6\)"):
        ops.lstm(zeros(2, 3, 4), zeros(2, 5), zeros(2, 6), **weights)
    with pytest.raises(ValueError, match=r"^lstm: .* w_hr \(P, H\), got"):
        ops.lstm(**LSTM | {"w_hr": zeros(4)})
    with pytest.raises(ValueError, match=r"^lstm: zone_c must be"):
        ops.lstm(**LSTM | {"zone_c": np.zeros((1, 1, 4), np.float32)})
    with pytest.raises(ValueError, match=r"^gru: norm_ih and norm_hh must be given both"):
        ops.gru(**GRU | {"norm_hh": zeros(15)})
    with pytest.raises(ValueError, match=r"^rnn: nonlinearity must be tanh or relu, got 'sin'"):
        ops.rnn(**RNN | {"nonlinearity": "sin"})
