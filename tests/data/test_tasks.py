import numpy as np
import pytest

from tinyseq.data import adding_problem, copy_memory, delayed_parity, mackey_glass, noisy_sines


@pytest.mark.parametrize("length", [2, 3, 200])
def test_adding_problem(length):
    x, y = adding_problem(4000, length)
    assert x.shape == (4000, length, 2) and y.shape == (4000, 1)
    assert x.dtype == y.dtype == np.float32
    half = length // 2
    marks = x[:, :, 1]
    assert set(np.unique(marks)) <= {0, 1}
    assert (marks[:, :half].sum(1) == 1).all() and (marks[:, half:].sum(1) == 1).all()
    first, second = (part.argmax(1) for part in (marks[:, :half], marks[:, half:]))
    assert set(first) == set(range(half)) and set(second) == set(range(length - half))
    rows = np.arange(4000)
    np.testing.assert_allclose(y[:, 0], x[rows, first, 0] + x[rows, half + second, 0], rtol=1e-6)
    # The variance of a sum of two, each 1/12; 4000 of them are within a tenth of it.
    assert np.mean((y - 1) ** 2) == pytest.approx(1 / 6, rel=0.1)


def test_copy_memory():
    x, y = copy_memory(500, delay=30)
    assert x.shape == y.shape == (500, 50) and x.dtype == y.dtype == np.int64
    word = x[:, :10]
    assert set(word.flat) == set(range(8))
    assert (x[:, 10:39] == 8).all() and (x[:, 39] == 9).all() and (x[:, 40:] == 8).all()
    assert (y[:, :40] == 8).all()
    np.testing.assert_array_equal(y[:, 40:], word)
    x, y = copy_memory(1, delay=1, symbols=2, length=3)
    assert x[0, 3:].tolist() == [3, 2, 2, 2] and y[0, :4].tolist() == [2] * 4


@pytest.mark.parametrize(("delay", "bits"), [(0, 1), (5, 3), (2, 4)])
def test_delayed_parity(delay, bits):
    x, y = delayed_parity(20, 30, delay, bits)
    assert x.shape == (20, 30, 1) and x.dtype == np.float32 and y.dtype == np.int64
    for t in range(30):
        ones = [x[:, t - delay - i, 0] for i in range(bits)] if t >= delay + bits - 1 else None
        np.testing.assert_array_equal(y[:, t], -100 if ones is None else sum(ones) % 2)
    assert set(np.unique(y)) >= {0, 1}


def test_mackey_glass_is_the_solution_of_its_equation():
    """For the first τ the delayed value is 0, for the next it is known: an integral remains."""
    x = mackey_glass(34)
    assert x.shape == (34, 1) and x.dtype == np.float32
    first = np.arange(18)
    np.testing.assert_allclose(x[:18, 0], 1.2 * np.exp(-0.1 * first), rtol=1e-6)
    nodes, weights = np.polynomial.legendre.leggauss(40)
    for t in range(18, 34):
        s = 17 + (t - 17) * (nodes + 1) / 2
        past = 1.2 * np.exp(-0.1 * (s - 17))
        fed = np.exp(-0.1 * (t - s)) * 0.2 * past / (1 + past**10)
        wanted = 1.2 * np.exp(-0.1 * t) + (t - 17) / 2 * (weights * fed).sum()
        assert x[t, 0] == pytest.approx(wanted, rel=1e-6)


def test_mackey_glass_goes_on_within_its_known_bounds():
    x = mackey_glass(1000, skip=200)
    assert 0.2 < x.min() < 0.5 and 1.2 < x.max() < 1.5
    np.testing.assert_array_equal(mackey_glass(100, skip=900), mackey_glass(1000)[900:])
    assert mackey_glass(0).shape == (0, 1) and mackey_glass(1).tolist() == [[np.float32(1.2)]]


def test_noisy_sines():
    noisy, clean = noisy_sines(300, 400, noise=0.2)
    assert noisy.shape == clean.shape == (300, 400, 1) and noisy.dtype == clean.dtype == np.float32
    assert np.std(noisy - clean) == pytest.approx(0.2, rel=0.02)
    # A sine is its neighbours' sum over twice the cosine of its frequency.
    middle, sides = clean[:, 1:-1], clean[:, :-2] + clean[:, 2:]
    cosine = (middle * sides).sum(1) / (2 * middle**2).sum(1)
    periods = 2 * np.pi / np.arccos(cosine)
    assert 10 <= periods.min() < 12 and 48 < periods.max() <= 50
    np.testing.assert_allclose(sides, 2 * cosine[:, None] * middle, atol=1e-5)


@pytest.mark.parametrize("task", [adding_problem, copy_memory, delayed_parity, noisy_sines])
def test_the_seed_decides(task):
    first, same, other = task(3, seed=4), task(3, seed=4), task(3, seed=5)
    assert all((a == b).all() for a, b in zip(first, same, strict=True))
    assert (first[0] != other[0]).any()
    assert all(len(array) == 0 for array in task(0))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: adding_problem(-1), "adding_problem: n must be at least 0, got -1"),
        (lambda: adding_problem(1, 1), "length must be at least 2, got 1"),
        (lambda: copy_memory(1, 0), "copy_memory: delay must be at least 1, got 0"),
        (lambda: delayed_parity(1, 7, 5, 3), "length must be at least 8, got 7"),
        (lambda: noisy_sines(1, noise=float("nan")), "noise must be at least 0, got nan"),
        (lambda: mackey_glass(5, tau=0), "mackey_glass: tau must be at least 1, got 0"),
        (lambda: adding_problem(1, seed=-1), "seed must be at least 0"),
    ],
)
def test_bad_input_is_one_clear_error(call, message):
    with pytest.raises(ValueError, match=message):
        call()
