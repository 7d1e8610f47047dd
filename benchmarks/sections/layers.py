"""What a model has beside recurrences and attention: norms, activations, losses, an optimizer."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from benchmarks.cases.attention import AttentionCase
from benchmarks.harness import Results
from benchmarks.records import Row
from benchmarks.run import Run

SHAPES = {
    "layer_norm": [(768, 128), (4096, 384), (1000, 100)],
    "rms_norm": [(4096, 384), (1000, 100)],
    "add_layer_norm": [(768, 128), (4096, 384), (1000, 100)],
    "dropout": [(4096, 384)],
    "linear_gelu": [(768, 128, 512), (4096, 384, 1536), (1000, 100, 333)],
    "cross_entropy": [(1024, 65), (2048, 8192)],
    "linear_cross_entropy": [(768, 128, 65), (4096, 384, 65), (2048, 384, 8192)],
    "adam": [(10, 20_000), (4, 2_000_000)],
}
# The generators differ, and so do the places of the zeros: of a million draws the share of zeros
# lies within 1e-3; small arrays are not judged.
DROPOUT_TOLERANCE = 1e-2


def zeros(results: Results) -> Results:
    """Of a dropout of ones and of its gradient, what does not depend on the generator."""
    return [np.array([np.mean(a != 0)], np.float32) for a in results]


def layers(run: Run) -> Iterator[Row]:
    """Norms, activations, losses, Adam."""

    def figures(row: Row) -> dict[str, float]:
        peers = [ratio.middle for peer, ratio in row.ratios.items() if peer != "numpy"]
        return {"layers": min(peers)} if peers else {}

    for kind, shapes in SHAPES.items():
        if run.quick:
            shapes = shapes[:1]
        elif not run.deep:
            shapes = shapes[:2]
        asked = ("step",) if kind == "adam" else run.asked
        cases = [AttentionCase(kind, one, shape) for shape in shapes for one in asked]
        if kind == "dropout":
            how = {"tolerance": DROPOUT_TOLERANCE, "view": zeros}
            yield from run.rows("layers", cases, figures, **how)
        else:
            yield from run.rows("layers", cases, figures)
