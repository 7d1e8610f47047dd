"""Learning side by side: both take the same steps, and only the same ones are compared."""

from importlib.util import find_spec

import numpy as np
import pytest

from benchmarks.learning import BATCH, WINDOW, batch, bits
from benchmarks.run import Run
from benchmarks.sections.learning import Learning, learning
from tinyseq.models import GPT


def test_both_learn_the_same():
    if find_spec("torch") is None:
        pytest.skip("PyTorch is not installed")
    with Learning("c", 1) as ours, Learning("torch", 1) as theirs:
        first, second = (one.order(steps=0)["bits"] for one in (ours, theirs))
        assert first == second
        a, b = (one.order(steps=12) for one in (ours, theirs))
        assert a["steps"] == b["steps"] == 12
        assert a["bits"] == pytest.approx(b["bits"], abs=1e-3) and a["bits"] < first - 0.2
        assert ours.order(seconds=0.05)["steps"] > 12


def test_a_batch_is_that_of_its_step():
    ids = np.arange(1000)
    xs, ys = batch(ids, 3)
    assert xs.shape == (BATCH, WINDOW) and np.array_equal(ys, xs + 1)
    assert np.array_equal(batch(ids, 3)[0], xs) and not np.array_equal(batch(ids, 4)[0], xs)


def test_an_even_guess_costs_its_logarithm():
    model = GPT(4, WINDOW, 1, 1, 8)
    for parameter in model.parameters():
        parameter.data[...] = 0
    assert bits(model, np.zeros(3 * WINDOW + 5, int)) == pytest.approx(2.0)


class Fake:
    """A system whose bits are told."""

    def __init__(self, system, threads):
        self.bits = 2.1 if system == "torch" and threads == 2 else 2.0

    def order(self, **what):
        self.bits -= 0.1
        return {"bits": self.bits, "steps": 7, "seconds": 1.0}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass


def rows(monkeypatch, **asked):
    monkeypatch.setitem(learning.__globals__, "Learning", Fake)
    return list(learning(Run(None, {}, peers=["torch"], **asked)))


def test_a_row_is_a_point(monkeypatch):
    found = rows(monkeypatch)
    assert [row.size["seconds"] for row in found] == [0.0, 4.0, 8.0, 12.0, 16.0, 20.0]
    assert found[2].best == {"c": pytest.approx(1.7), "torch": pytest.approx(1.7)}


def test_what_does_not_learn_the_same_is_not_timed(monkeypatch):
    (row,) = rows(monkeypatch, threads=2)
    assert "after 5 steps the bits differ by 1.0e-01" in row.wrong and not row.best


def test_without_pytorch_there_is_nothing_to_compare():
    assert not list(learning(Run(None, {})))


def test_in_a_hurry_nobody_learns(monkeypatch):
    assert not rows(monkeypatch, quick=True)
