"""The recurrent kernels in NumPy: against the equations row by row, and, gradients too, against the
ops' references in plain ops."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.recurrent import CELLS, equations, problem
from tinyseq.autograd import REGISTRY, Tensor, grad
from tinyseq.backend import numpy_kernels as K
from tinyseq.backend.recurrent import Wanted, Weights


def close(got, wanted, tolerance=1e-10):
    if wanted is None:
        assert got is None
        return
    assert got.shape == wanted.shape and got.dtype == wanted.dtype
    scale = 1 + np.abs(wanted).max(initial=0)
    np.testing.assert_allclose(got, wanted, rtol=0, atol=tolerance * scale)


@st.composite
def problems(draw):
    """A cell and a random problem of it: every option, odd sizes and none at all."""
    cell = draw(st.sampled_from(CELLS))
    B, T = draw(st.integers(0, 4)), draw(st.integers(0, 5))
    lengths = draw(st.none() | st.lists(st.integers(0, T), min_size=B, max_size=B))
    zone = draw(st.none() | st.tuples(st.sampled_from([1, B]), st.sampled_from([1, T])))
    lstm, flag = cell == "lstm", st.booleans()
    return cell, problem(
        cell, B, T, draw(st.integers(1, 3)), draw(st.integers(1, 3)), lengths=lengths, zone=zone,
        P=draw(st.integers(0, 3)) if lstm else 0, peephole=lstm and draw(flag), bias=draw(flag),
        norm=draw(flag), reverse=draw(flag), mask=draw(flag),
        every=draw(st.integers(0, 4)), seed=draw(st.integers(0, 99)),
    )  # fmt: skip


def seeds(x, h0, c0):
    """Gradients of y, the last h and the last c."""
    random = np.random.default_rng(0)
    shapes = (*x.shape[:2], h0.shape[1]), h0.shape, None if c0 is None else c0.shape
    return [None if s is None else random.standard_normal(s) for s in shapes]


def by_reference(cell, x, h0, c0, weights, run, given):
    """The results and the gradients of x, h0, c0 and the weights, from the plain ops."""
    inputs = [None if a is None else Tensor(a, requires_grad=True) for a in (x, h0, c0, *weights)]
    results = REGISTRY[f"_{cell.split('_')[0]}_forward"].reference(*inputs, cell=cell, run=run)
    # With no steps y depends on nothing.
    pairs = [(y, g) for y, g in zip(results, given, strict=False) if y.requires_grad]
    asked = [a for a in inputs if a is not None]
    outputs, weightings = zip(*pairs, strict=True)
    found = iter(grad(outputs, asked, weightings, allow_unused=True))
    gradients = []
    for a in inputs:
        g = None if a is None else next(found)
        gradients.append(None if a is None else np.zeros(a.shape) if g is None else g.data)
    return [y.data for y in results], gradients


@given(problems())
@settings(max_examples=300, deadline=None)
def test_values_and_gradients_of_any_options(drawn):
    cell, (x, h0, c0, weights, run) = drawn
    y, h, c, saved = K.recurrent_forward(cell, x, h0, c0, weights, run, True)
    for got, wanted in zip((y, h, c), equations(cell, x, h0, c0, weights, run), strict=True):
        close(got, wanted)
    given = seeds(x, h0, c0)
    dx, dh0, dc0, dweights, norm = K.recurrent_backward(
        cell, *given, x, h0, c0, weights, run, y, saved, Wanted()
    )
    results, gradients = by_reference(cell, x, h0, c0, weights, run, given)
    for got, wanted in zip((y, h, c), results, strict=False):
        close(got, wanted)
    for got, wanted in zip((dx, dh0, dc0, *dweights), gradients, strict=True):
        close(got, wanted)
    assert norm is None


EVERYTHING = {"norm": True, "mask": True, "zone": (1, 1), "lengths": [3, 0, 4], "reverse": True}


def everything(cell):
    return EVERYTHING | ({"P": 2, "peephole": True} if cell == "lstm" else {})


@pytest.mark.parametrize("cell", CELLS)
def test_central_differences(cell):
    """The same gradients without any rule at all."""
    x, h0, c0, weights, run = problem(cell, **everything(cell))
    given = seeds(x, h0, c0)

    def loss():
        results = K.recurrent_forward(cell, x, h0, c0, weights, run, False)[:3]
        return sum(np.sum(g * r) for g, r in zip(given, results, strict=True) if r is not None)

    y, _, _, saved = K.recurrent_forward(cell, x, h0, c0, weights, run, True)
    dx, dh0, dc0, dweights, _ = K.recurrent_backward(
        cell, *given, x, h0, c0, weights, run, y, saved, Wanted()
    )
    gradients = (dx, dh0, dc0, *dweights)
    for array, gradient in zip((x, h0, c0, *weights), gradients, strict=True):
        if array is None:
            continue
        for at in list(np.ndindex(array.shape))[::3]:
            before = array[at]
            array[at] = before + 1e-6
            above = loss()
            array[at] = before - 1e-6
            quotient = (above - loss()) / 2e-6
            array[at] = before
            assert gradient[at] == pytest.approx(quotient, rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("every", [0, 3])
@pytest.mark.parametrize("cell", CELLS)
def test_padding_is_never_read(cell, every):
    options = everything(cell) | {"lengths": [3, 0, 4, 1], "every": every}
    x, h0, c0, weights, run = problem(cell, B=4, **options)
    padding = np.arange(4) >= run.lengths[:, None]
    given = seeds(x, h0, c0)
    results = []
    for filled in (0.0, np.nan):
        x[padding] = given[0][padding] = filled
        y, h, c, saved = K.recurrent_forward(cell, x, h0, c0, weights, run, True)
        *gradients, dweights, norm = K.recurrent_backward(
            cell, *given, x, h0, c0, weights, run, y, saved, Wanted(norm=True)
        )
        results.append((y, gradients[0], norm, h, c, *gradients[1:], *dweights))
    assert not any(a[padding].any() for a in results[0][:3])
    for a, b in zip(*results, strict=True):
        assert a is None or np.array_equal(a, b)


@pytest.mark.parametrize("cell", CELLS)
def test_the_norm_is_that_of_the_whole_gradient_of_each_h(cell):
    """Adding something small to one h_t must change the loss by what its gradient says; here h_t
    is reached as the first state of what follows."""
    x, h0, c0, weights, run = problem(cell, B=2, T=3)
    given = seeds(x, h0, c0)
    y, _, _, saved = K.recurrent_forward(cell, x, h0, c0, weights, run, True)
    *_, norm = K.recurrent_backward(
        cell, *given, x, h0, c0, weights, run, y, saved, Wanted(norm=True)
    )
    for t in range(3):
        c = None if c0 is None else saved.cells.reshape(3, 2, -1)[t]
        rest, dy = x[:, t + 1 :], given[0][:, t + 1 :]
        then = K.recurrent_forward(cell, rest, y[:, t], c, weights, run, True)
        _, later, *_ = K.recurrent_backward(
            cell, dy, *given[1:], rest, y[:, t], c, weights, run, then[0], then[3], Wanted()
        )
        np.testing.assert_allclose(
            norm[:, t], np.linalg.norm(given[0][:, t] + later, axis=1), rtol=1e-12
        )


def test_of_a_checkpointed_lstm_the_cells_are_saved_every_so_often():
    x, h0, c0, weights, run = problem("lstm", T=5, lengths=[5, 2, 0], every=2)
    cells = K.recurrent_forward("lstm", x, h0, c0, weights, run, True)[3].cells
    assert cells.shape == (3, 3, 3)
    for k in range(3):
        short = run._replace(lengths=np.minimum(run.lengths, 2 * k), every=0)
        close(cells[k], equations("lstm", x, h0, c0, weights, short)[2])
    nothing = K.recurrent_forward("gru", *problem("gru", every=2), True)[3]
    assert all(a is None for a in nothing)


@pytest.mark.parametrize("cell", CELLS)
def test_nothing_is_kept_unless_asked_and_no_argument_is_changed(cell):
    x, h0, c0, weights, run = problem(cell, **everything(cell))
    arrays = [a for a in (x, h0, c0, *weights, *run) if isinstance(a, np.ndarray)]
    before = [a.copy() for a in arrays]
    y, h, c, saved = K.recurrent_forward(cell, x, h0, c0, weights, run, False)
    assert saved is None
    saved = K.recurrent_forward(cell, x, h0, c0, weights, run, True)[3]
    given = seeds(x, h0, c0)
    arrays += [a for a in (y, h, c, *saved, *given) if a is not None]
    before += [a.copy() for a in arrays[len(before) :]]
    K.recurrent_backward(cell, *given, x, h0, c0, weights, run, y, saved, Wanted(norm=True))
    for a, b in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("cell", CELLS)
def test_float32_stays_float32(cell):
    wide = problem(cell, **everything(cell))
    x, h0, c0, weights, run = problem(cell, **everything(cell), dtype=np.float32)
    y, h, c, saved = K.recurrent_forward(cell, x, h0, c0, weights, run, True)
    for got, wanted in zip((y, h, c), K.recurrent_forward(cell, *wide, False), strict=False):
        close(got, None if wanted is None else wanted.astype(np.float32), 1e-5)
    given = (y, h, c)
    *gradients, dweights, norm = K.recurrent_backward(
        cell, *given, x, h0, c0, weights, run, y, saved, Wanted(norm=True)
    )
    kept = (*saved, *gradients, *dweights, norm)
    assert {a.dtype for a in kept if a is not None} == {np.dtype(np.float32)}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("extreme", [0.9, np.inf])
@pytest.mark.parametrize("cell", CELLS)
def test_nothing_warns_of_an_overflow_or_an_infinity(cell, extreme, dtype):
    """Warnings are errors here."""
    big = dtype(extreme * np.finfo(dtype).max)

    def extremes(a):
        return None if a is None else np.where(a < 0.5, big, -big).astype(dtype)

    x, h0, c0, weights, run = problem(cell, **everything(cell), dtype=dtype)
    x, h0, c0, *weights = map(extremes, (x, h0, c0, *weights))
    for every in (0, 2):
        given = x, h0, c0, Weights(*weights), run._replace(every=every)
        y, h, c, saved = K.recurrent_forward(cell, *given, True)
        K.recurrent_backward(cell, y, h, c, *given, y, saved, Wanted(norm=True))
