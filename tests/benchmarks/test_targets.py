"""Targets: what holds is told from what does not, from the rows alone."""

import pytest

from benchmarks.records import Row
from benchmarks.table import verdicts
from benchmarks.targets import Target, geometric_mean, judged


def test_a_figure_below_what_is_wanted_is_missed():
    target = Target("speed", at_least=1.5, measured={"a": 1.49, "b": 1.5})
    assert target.missed == {"a": 1.49} and target.worst == "a"
    _, line = verdicts({"": target}).splitlines()
    assert line.split() == ["speed", ">=", "1.50x", "1.49x", "1", "of", "2", "a"]


def test_a_figure_above_what_is_allowed_is_missed():
    figures = {"a": 0.5, "b": 0.9, "c": 0.7}
    target = Target("time", at_most=0.6, form="{:.0%}", measured=figures)
    _, worst, other = verdicts({"": target}).splitlines()
    assert worst.split() == ["time", "<=", "60%", "90%", "1", "of", "3", "b"]
    assert other.split() == ["missed", "70%", "c"]


def test_without_a_limit_everything_holds():
    target = Target("to know", measured={"a": 0.01})
    assert not target.missed and target.wanted == ""


def test_what_was_not_measured_is_said_to_be_so():
    assert verdicts({"": Target("speed", at_least=1.0)}).endswith("not measured")


def test_targets_are_told_from_rows():
    rows = [
        Row("recurrent", "lstm", targets={"recurrent best": 2.0}),
        Row("recurrent", "lstm", threads=2, targets={"recurrent best": 0.5}),
    ]
    found = judged(rows)["the recurrent layers"]
    assert found["recurrent best"].missed == {"lstm, 2 threads": 0.5}
    assert found["recurrent mean"].measured == {"2 rows": pytest.approx(1.0)}
    assert not found["step"].measured


def test_the_geometric_mean():
    assert geometric_mean([0.5, 8.0]) == pytest.approx(2.0)
