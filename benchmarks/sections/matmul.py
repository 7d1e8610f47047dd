"""Matrix products: square, skinny and odd, every factor stored either way."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.cases.recurrent import Case
from benchmarks.records import Row
from benchmarks.run import Run

SHAPES = [
    (64, 64, 64), (128, 128, 128), (256, 256, 256), (512, 512, 512), (1024, 1024, 1024),
    (1, 1024, 1024), (1024, 1, 1024), (3, 1000, 1000), (16, 512, 512), (129, 100, 333),
    (1000, 7, 1000), (1024, 1024, 7),
]  # fmt: skip


def matmul(run: Run) -> Iterator[Row]:
    """Matrix products."""
    cases = [Case("matmul", shape, "nn") for shape in (SHAPES[:3] if run.quick else SHAPES)]
    square = (256,) * 3 if run.quick else (512,) * 3
    cases += [Case("matmul", square, turned) for turned in ("nt", "tn", "tt")]
    return run.rows("matmul", cases)
