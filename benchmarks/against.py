"""Two runs, by what does not depend on how fast the machine was: the ratio to the fallback."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.records import Row

CLEAR = 0.9  # a ratio that fell below this share of what it was is more than a drift


def slower(now: list[Row], before: list[Row]) -> Iterator[tuple[Row, float]]:
    """Rows in which tinyseq lost ground against NumPy, with the share of its lead that is left.

    Neither do the quartiles overlap, nor is the difference small.
    """
    earlier = {row.key: row.ratios["numpy"] for row in before if "numpy" in row.ratios}
    for row in now:
        if row.key in earlier and "numpy" in row.ratios:
            old, new = earlier[row.key], row.ratios["numpy"]
            left = new.middle / old.middle
            if left < CLEAR and new.high < old.low:
                yield row, left
