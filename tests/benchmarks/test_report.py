"""Targets: what holds is told from what does not."""

import pytest

from benchmarks.report import Target, geometric_mean


def test_a_figure_below_what_is_wanted_is_missed():
    target = Target("speed", at_least=1.5)
    assert target.record("a", 1.49) == "1.49x missed" and target.record("b", 1.5) == "1.50x"
    (row,) = target.rows()
    assert row.split() == ["speed", ">=", "1.50x", "1.49x", "1", "of", "2", "a"]


def test_a_figure_above_what_is_allowed_is_missed():
    target = Target("time", at_most=0.6, form="{:.0%}")
    assert target.record("a", 0.5) == "50%"
    assert target.record("b", 0.9) == "90% missed" and target.record("c", 0.7) == "70% missed"
    worst, other = target.rows()
    assert worst.split() == ["time", "<=", "60%", "90%", "1", "of", "3", "b"]
    assert other.split() == ["missed", "70%", "c"]


def test_without_a_limit_everything_holds():
    target = Target("to know")
    assert target.record("a", 0.01) == "0.01x" and target.wanted == ""


def test_what_was_not_measured_is_said_to_be_so():
    (row,) = Target("speed", at_least=1.0).rows()
    assert row.endswith("not measured")


def test_the_geometric_mean():
    assert geometric_mean([0.5, 8.0]) == pytest.approx(2.0)
