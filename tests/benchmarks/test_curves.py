"""Curves: which rows are one, and as which power they grow."""

import pytest

from benchmarks.curves import curves, slope
from benchmarks.records import Row
from benchmarks.sections.growth import CURVES


def row(T, best, curve="lstm, along T"):
    return Row("growth", f"lstm T={T}", best=best, curve=curve, size={"B": 8, "T": T})


def test_the_slope_is_the_power():
    assert slope([(x, 3 * x**1.5) for x in (1.0, 2.0, 8.0, 64.0)]) == pytest.approx(1.5)
    assert slope([(1.0, 5.0), (10.0, 5.0)]) == pytest.approx(0.0)


def test_a_curve_goes_along_what_is_not_the_same():
    rows = [row(1, {"c": 1.0, "torch": 2.0}), row(2, {"c": 3.0}), row(4, {"c": 5.0}, curve="")]
    (curve,) = curves(rows)
    assert curve.along == "T" and curve.title == "lstm, along T"
    assert curve.points == {"c": [(1, 1.0), (2, 3.0)], "torch": [(1, 2.0)]}


def test_a_single_point_is_no_curve():
    assert not curves([row(1, {"c": 1.0})])


def test_along_every_curve_one_size_grows():
    for title, cases in CURVES.items():
        rows = [
            Row("growth", case.name, best={"c": 1.0}, curve=title, size=case.size) for case in cases
        ]
        (curve,) = curves(rows)
        assert curve.along == title.partition("along ")[2][0]
