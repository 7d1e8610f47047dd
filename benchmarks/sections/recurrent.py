"""RNN, LSTM and GRU: against the peers, their variants, and on two threads."""

from __future__ import annotations

import os
from collections.abc import Iterator

from benchmarks.cases.recurrent import CELLS, Case
from benchmarks.records import Row
from benchmarks.run import Run

SHAPES = [(32, 16, 64, 64), (64, 32, 256, 256), (1000, 8, 64, 128), (100, 64, 512, 512)]
MORE_SHAPES = [(37, 13, 93, 117), (1000, 1, 64, 64), (33, 17, 257, 255), (20, 4, 1024, 1024)]
LARGE = (16, 64, 1024, 1024)
THREADS_SHAPES = [
    (64, 16, 256, 256), (64, 32, 256, 256), (100, 64, 512, 512), LARGE,
]  # fmt: skip
VARIANT_SHAPES = [(32, 16, 64, 64), (64, 32, 256, 256)]
# How a variant's figure is told: as a share of the plain layer's speed, or of its time.
SPEEDS = ("layer_norm", "peephole", "recurrent_dropout", "zoneout")
TIMES = {
    "half": [(64, 32, 256, 256), (1000, 8, 64, 128)],
    "decaying": [(320, 16, 128, 128)],
    "checkpoint_every": [(64, 32, 256, 256), (1000, 8, 64, 128)],
}


def layers(
    run: Run, shapes: list[tuple[int, ...]], variant: str = "", work: tuple[str, ...] = ()
) -> Iterator[Case]:
    """Every cell at every shape."""
    for cell in CELLS:
        for shape in shapes[:1] if run.quick else shapes:
            for asked in work or run.asked:
                yield Case(f"{cell} {asked}", shape, variant)


def recurrent(run: Run) -> Iterator[Row]:
    """RNN, LSTM and GRU."""
    cases = list(layers(run, [*SHAPES, LARGE] if run.deep else SHAPES))
    if run.deep and not run.quick:  # forward takes part in training: that need not be timed again
        cases += layers(run, MORE_SHAPES, work=("train",))

    def figures(row: Row) -> dict[str, float]:
        size = row.size
        small = size["H"] <= 128
        ratios = {peer: ratio.middle for peer, ratio in row.ratios.items()}
        found = {f"numpy {'small' if small else 'large'}": ratios.pop("numpy")}
        if ratios:
            found["recurrent best"] = min(ratios.values())
        if "torch" in ratios:
            found["recurrent torch"] = ratios["torch"]
        of_peak = row.flops / row.best["c"] / run.peak
        asked = row.name.split()[1]
        if size["H"] >= 256 and size["B"] >= 32:
            found[f"peak {asked}"] = of_peak
        elif asked == "train" and tuple(size.values()) in SHAPES:
            found["peak small"] = of_peak
        return found

    return run.rows("recurrent", cases, figures)


def variants(run: Run) -> Iterator[Row]:
    """Options of the recurrent layers beside the plain ones."""
    if not run.deep:
        return
    for variant in (*SPEEDS, *TIMES):
        for case in layers(run, TIMES.get(variant, VARIANT_SHAPES), variant):
            skipped = (variant == "peephole" and case.cell != "lstm") or (
                variant == "checkpoint_every" and case.asked == "forward"
            )
            if skipped or not run.wants("variants", case.name):
                continue
            row = run.beside("variants", case, "plain", Case(case.kind, case.shape))
            if not row.wrong and not run.quick:
                ratio = row.ratios["plain"].middle
                row.targets = {variant: ratio if variant in SPEEDS else 1 / ratio}
            yield row


def recurrent_threads(run: Run) -> Iterator[Row]:
    """Two threads against one, recurrent layers."""
    if not (run.deep and run.first) or (os.cpu_count() or 1) < 2:
        return
    for case in layers(run, THREADS_SHAPES):
        if run.wants("recurrent threads", case.name):
            row = run.beside("recurrent threads", case, "one", case, threads=(2, 1))
            if not row.wrong and not run.quick:
                row.targets = {"recurrent threads": row.ratios["one"].middle}
            yield row
