"""What no kernel can take away: calls with next to nothing to compute, and products of one row.

docs/limits.md reads these rows beside the targets that are missed.
"""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.cases.attention import AttentionCase
from benchmarks.cases.recurrent import CELLS, Case
from benchmarks.records import Row
from benchmarks.run import Run

ONE = (1, 1, 1, 1)
ROW_PRODUCTS = [(1, gates * 256, 512) for gates in (4, 3, 1)]  # a step's weights, of H = D = 256


def limits(run: Run) -> Iterator[Row]:
    """What a call costs by itself, and a product of one row."""
    if not run.deep:
        return
    calls: list[Case | AttentionCase] = [
        Case(f"{cell} {asked}", ONE) for cell in CELLS for asked in ("forward", "train", "step")
    ]
    calls += [AttentionCase("attention", asked, ONE, "full") for asked in ("forward", "train")]
    calls += [
        AttentionCase(kind, asked, shape)
        for kind, shape in (
            ("rms_norm", (1, 16)), ("cross_entropy", (1, 2)), ("linear_cross_entropy", (1, 16, 2)),
        )
        for asked in ("forward", "train")
    ]  # fmt: skip
    calls.append(AttentionCase("gpt", "token", (6, 6, 12, 256, 1), "eager"))
    calls += [Case("matmul", shape, "nt") for shape in ROW_PRODUCTS]
    yield from run.rows("limits", calls[:1] if run.quick else calls)
