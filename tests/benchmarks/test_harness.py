"""The harness: what is wrong is not timed, and what is slow is seen to be."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from benchmarks.harness import Case, run


class Clock:
    """Time that passes only when the work says so."""

    def __init__(self):
        self.now = 0.0
        self.calls = []

    def __call__(self):
        return self.now

    def work(self, name, seconds, value=1.0):
        def run():
            self.calls.append(name)
            self.now += seconds
            return [np.full(3, value, np.float32)]

        return run


def test_a_slower_system_is_seen_to_be_slower():
    clock = Clock()
    case = Case("x", 1.0, {"a": clock.work("a", 1.0), "b": clock.work("b", 3.0)})
    outcome = run(case, rounds=4, clock=clock)
    assert outcome.best("a") == 1.0 and outcome.median("b") == 3.0
    assert clock.calls[-8:] == ["a", "b"] * 4


def test_a_fast_call_is_repeated_within_a_round():
    clock = Clock()
    outcome = run(Case("x", 1.0, {"a": clock.work("a", 1 / 1024)}), 2, 10 / 1024, clock=clock)
    assert outcome.seconds["a"] == [pytest.approx(1 / 1024)] * 2
    assert len(clock.calls) == 2 + 2 * 10


@pytest.mark.parametrize("value", [1.01, np.nan, np.inf])
def test_a_wrong_result_is_refused_and_not_timed(value):
    clock = Clock()
    case = Case("x", 1.0, {"a": clock.work("a", 1.0), "b": clock.work("b", 1.0, value)})
    outcome = run(case, rounds=4, clock=clock)
    assert "b differs from a" in outcome.wrong and not outcome.seconds
    assert clock.calls == ["a", "b"]


def test_no_such_case_is_a_clear_error():
    pytest.importorskip("tinyseq.backend.c_kernels", reason="the C extension is not built")
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks", "--quick", "--only", "nonsense"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2 and "no case's name contains 'nonsense'" in done.stderr
