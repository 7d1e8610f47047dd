"""The harness: what is wrong is not timed, and what is slow is seen to be."""

import time

import numpy as np
import pytest

from benchmarks.cases.recurrent import Case
from benchmarks.harness import WARM_UP, Failed, Here, compare, quickest, take_turns
from benchmarks.remote import Worker

CASE = Case("matmul", (4, 3, 2), "nn")


class Fake:
    """A system whose time passes only as told."""

    def __init__(self, seconds, value=1.0, log=None):
        self.times, self.value, self.log = seconds, value, [] if log is None else log

    def results(self, case):
        return [np.full(3, self.value, np.float32)]

    def seconds(self, duration):
        self.log.append(self)
        return self.times.pop(0)


def test_a_slower_system_is_seen_to_be_slower():
    log = []
    a, b = Fake([1.0, 2.0, 1.5], log=log), Fake([3.0, 4.0, 9.0], log=log)
    outcome = take_turns({"a": a, "b": b}, rounds=3)
    assert outcome.best("a") == 1.0 and outcome.median("b") == 4.0
    assert log == [a, b] * 3


def test_a_ratio_is_taken_in_each_round():
    outcome = take_turns({"c": Fake([1.0, 10.0, 1.0]), "b": Fake([2.0, 20.0, 3.0])}, rounds=3)
    assert outcome.ratio("b") == (2.0, 2.0, 2.5)  # the slow round was slow for both


def test_no_round_begins_after_the_budget_but_the_least():
    outcome = take_turns({"a": Fake([1.0] * 9)}, rounds=9, budget=0.0, least=4)
    assert len(outcome.seconds["a"]) == 4


@pytest.mark.parametrize("value", [1.01, np.nan, np.inf])
def test_a_wrong_result_is_told(value):
    a, b = Fake([1.0]), Fake([1.0], value)
    assert "b differs from a" in compare(CASE, {"a": a, "b": b})
    assert not a.log and not b.log


def test_a_fast_call_is_repeated_for_as_long_as_asked():
    calls = []
    here = Here(lambda: calls.append(1) or [np.zeros(1, np.float32)])
    here.results(CASE)
    assert len(calls) == 2
    here.once = 0.25
    here.seconds(2.0)
    assert len(calls) == 2 + 8


def test_a_short_call_is_warmed_up():
    calls = []
    here = Here(lambda: calls.append(1) or [])
    here.once = WARM_UP / 4
    here.seconds(WARM_UP)
    assert len(calls) == 4 + 4


def test_the_quickest_way_is_taken():
    def slow():
        time.sleep(0.01)
        return []

    def fast():
        return []

    assert quickest([slow, fast]) is fast


def test_a_worker_gives_the_results_and_times_them():
    inputs = CASE.inputs()
    with Worker("numpy", 1) as worker:
        (product,) = worker.results(CASE)
        np.testing.assert_allclose(product, inputs["a"] @ inputs["b"], rtol=1e-5)
        assert worker.seconds(0.0) > 0
        assert worker.begin > 0


def test_a_worker_whose_process_ended_says_so():
    with Worker("numpy", 1) as worker:
        assert not worker.ended
        worker._process.terminate()
        worker._process.wait()
        with pytest.raises(Failed, match="numpy: its process ended"):
            worker.results(CASE)
        assert worker.ended


def test_a_worker_that_cannot_do_a_case_says_so_and_goes_on():
    with Worker("numpy", 1) as worker:
        with pytest.raises(Failed, match="numpy: ValueError: there is no variant 'nonsense'"):
            worker.results(Case("gru train", (1, 1, 1, 1), "nonsense"))
        assert worker.results(CASE)


def test_a_worker_that_cannot_start_says_so():
    with pytest.raises(RuntimeError, match="nonsense: its process ended: ModuleNotFoundError"):
        Worker("nonsense", 1)
