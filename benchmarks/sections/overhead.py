"""What an op costs when there is hardly anything to compute, forward, backward and freed."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.cases.overhead import GRAPHS, OverheadCase
from benchmarks.records import Row
from benchmarks.run import Run

FEW = ("y * c", "tanh", "recurrence")
# Sums of thousands of terms, added up in another order by each system.
TOLERANCE = 1e-2


def overhead(run: Run) -> Iterator[Row]:
    """An op on four numbers, forward and backward."""
    if not run.first:
        return iter(())

    def figures(row: Row) -> dict[str, float]:
        return {f"op {peer}": 1 / ratio.middle for peer, ratio in row.ratios.items()}

    kinds = [kind for kind in GRAPHS if kind in FEW or run.deep]
    cases = [OverheadCase(kind, (2, 2) if "2x2" in kind else (4,)) for kind in kinds]
    return run.rows("overhead", cases, figures, numpy=False, tolerance=TOLERANCE)
