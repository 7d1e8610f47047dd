"""One step at a time: the latency of a stream, and whether its memory grows."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import tinyseq as ts
from benchmarks.cases.attention import AttentionCase
from benchmarks.cases.recurrent import CELLS, Case
from benchmarks.records import Row
from benchmarks.run import Run
from benchmarks.sections.models import LARGE, SMALL, compiling

STEPS = 10_000


def streaming(run: Run) -> Iterator[Row]:
    """Latency of one step of a stream, the Python call with it."""

    def figures(row: Row) -> dict[str, float]:
        ratios = {peer: ratio.middle for peer, ratio in row.ratios.items() if peer != "numpy"}
        if row.name.startswith("gpt"):
            large = row.size["E"] == LARGE[2]
            return {"gpt token": ratios["torch"]} if large and "torch" in ratios else {}
        found = {"step": row.best["c"] * 1e6}
        if ratios:
            found["recurrent best"] = min(ratios.values())
        if "torch" in ratios:
            found["recurrent torch"] = ratios["torch"]
        return found

    cases = [Case(f"{cell} step", (1, 1, 256, 256)) for cell in CELLS]
    yield from run.rows("streaming", cases, figures)
    shapes = [LARGE] if run.deep and not run.quick else [SMALL]
    tokens = [AttentionCase("gpt", "token", (*shape[:4], 1), compiling(run)) for shape in shapes]
    yield from run.rows("streaming", tokens, figures)
    name = f"memory after {STEPS} steps of an lstm"
    if run.first and run.wants("streaming", name):
        grown = growth()
        yield Row(
            "streaming", name, 1, "B", best={"c": grown}, median={"c": grown},
            targets={} if run.quick else {"growth": grown / 2**20},
        )  # fmt: skip


def growth() -> int:
    """The bytes that this process grows by over STEPS steps."""
    ts.set_num_threads(1)
    layer = ts.nn.LSTM(256, 256)
    x, state = ts.Tensor(np.ones((1, 256), np.float32)), None

    def resident() -> int:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    with ts.no_grad():
        for _ in range(2):  # the first time what is kept for good settles
            before = resident()
            for _ in range(STEPS):
                _, state = layer.step(x, state)
    return resident() - before
