"""Curves: what grows with what, and as which power of it."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, field

from benchmarks.records import Row

Point = tuple[float, float]


@dataclass
class Curve:
    """The rows that are one curve.

    Args:
        section, title, unit: the rows' own.
        along: the name of what grows: "T", "threads", "seconds".
        points: by system, what it grew to and the best figure there.
    """

    section: str
    title: str
    unit: str
    along: str
    points: dict[str, list[Point]] = field(default_factory=dict)


def curves(rows: Iterable[Row]) -> list[Curve]:
    """Every curve in the rows, in their order; along the last size that is not the same in all."""
    found: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if row.curve and not row.wrong:
            found.setdefault((row.section, row.curve), []).append(row)
    told = []
    for (section, title), some in found.items():
        grown = [name for name in some[0].size if len({row.size[name] for row in some}) > 1]
        if grown:
            curve = Curve(section, title, some[0].unit, grown[-1])
            for row in some:
                for system, best in row.best.items():
                    curve.points.setdefault(system, []).append((row.size[curve.along], best))
            told.append(curve)
    return told


def slope(points: list[Point]) -> float:
    """The power p of y = a x^p that fits best: a line's slope where both scales are logarithmic."""
    xs, ys = ([math.log(value) for value in values] for values in zip(*points, strict=True))
    middle_x, middle_y = sum(xs) / len(xs), sum(ys) / len(ys)
    spread = sum((x - middle_x) ** 2 for x in xs)
    return sum((x - middle_x) * (y - middle_y) for x, y in zip(xs, ys, strict=True)) / spread
