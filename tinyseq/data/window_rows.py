"""Windows of a series, cut when they are read."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyseq.data.rows import Array, Rows


class WindowRows(Rows):
    """Row k is the steps ``starts[k] + steps`` of a series; ``steps`` is (L,), or () for one."""

    def __init__(self, series: Array, starts: Array, steps: Array) -> None:
        self.series = series
        self.starts = starts
        self.steps = steps

    def __len__(self) -> int:
        return len(self.starts)

    def take(self, rows: Array) -> tuple[Any, Any]:
        return self.series[self.places(rows)], None

    def places(self, rows: Array) -> Array:
        """Which steps of the series the rows have, (B, L) or (B,)."""
        return np.add.outer(self.starts[rows], self.steps)

    def whole(self) -> NDArray[np.bool_]:
        """Which rows have no missing value, (N,)."""
        features = tuple(range(1, self.series.ndim))
        seen = np.asarray(~np.isnan(self.series).any(axis=features))
        kept = np.ones(len(self), bool)
        for step in self.steps.flat:  # all at once would take the memory of all windows
            kept &= seen[self.starts + step]
        return kept


class LineRows(WindowRows):
    """Windows with lines drawn over their gaps, as if the series ended where the window does.

    Args:
        lines: the series with lines, with values held, and when the next is seen (`Imputer.lines`).
    """

    def __init__(self, lines: tuple[Array, Array, Array], starts: Array, steps: Array) -> None:
        self.line, self.hold, self.coming = lines
        super().__init__(self.line, starts, steps)

    def take(self, rows: Array) -> tuple[Any, Any]:
        places = self.places(rows)
        end = places[:, -1].reshape(-1, *[1] * self.series.ndim)
        known = self.coming[places] <= end
        return np.where(known, self.line[places], self.hold[places]), None
