"""Attention: short, long and odd, every option of it, what it skips, and on two threads."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace

from benchmarks.cases.attention import VARIANTS, AttentionCase
from benchmarks.records import Row, Spread
from benchmarks.remote import fresh_memory
from benchmarks.run import Run
from benchmarks.targets import SHORT

SHAPES = [(8, 4, 64, 32), (8, 8, 256, 64), (2, 8, 1024, 64), (4, 4, 129, 40)]
MORE_SHAPES = [
    (1, 8, 4096, 64), (8, 4, 129, 7), (2, 4, 1000, 100), (16, 6, 256, 64), (2, 4, 512, 128)
]  # fmt: skip
VARIANT_SHAPES = [(8, 8, 256, 64), (4, 4, 129, 40), (2, 4, 1000, 64)]
SKIP_SHAPES = [(2, 4, 1024, 64), (1, 2, 4096, 64)]


def cases_of(run: Run, shapes: list[tuple[int, ...]], variant: str) -> Iterator[AttentionCase]:
    """Forward and training."""
    for shape in shapes[:1] if run.quick else shapes:
        for asked in run.asked:
            yield AttentionCase("attention", asked, shape, variant)


def attention(run: Run) -> Iterator[Row]:
    """Attention."""
    cases = list(cases_of(run, SHAPES + (MORE_SHAPES if run.deep else []), "causal"))
    for variant in ("bool mask",) if run.quick else VARIANTS[1:]:
        others = VARIANT_SHAPES if run.deep else VARIANT_SHAPES[:1]
        cases += cases_of(run, SHAPES if run.quick else others, variant)

    def figures(row: Row) -> dict[str, float]:
        asked, T = row.name.split()[1], row.size["T"]
        plain = row.name.endswith("causal")
        reach = f"T <= {SHORT}" if T <= SHORT else f"T > {SHORT}"
        found = {}
        if "torch" in row.ratios:
            key = f"attention {asked} {reach}{'' if plain else ' other'}"
            found[key] = row.ratios["torch"].middle
        if "jax" in row.ratios:
            found["attention jax"] = row.ratios["jax"].middle
        if plain and T >= 1024:
            found[f"attention peak {asked}"] = row.flops / row.best["c"] / run.peak
        return found

    return run.rows("attention", cases, figures)


def skip(run: Run) -> Iterator[Row]:
    """What attention need not look at is not: beside full attention."""
    if not run.deep:
        return
    for variant in ("causal", "window", "lengths"):
        for case in cases_of(run, SHAPES if run.quick else SKIP_SHAPES, variant):
            if run.wants("skip", case.name):
                whole = replace(case, variant="full")
                row = run.beside("skip", case, "full", whole)
                pairs = case.flops / whole.flops
                row.notes.append(f"{pairs:.0%} of the pairs of query and key count")
                if not row.wrong and not run.quick:
                    row.targets = {"skip": 1 / row.ratios["full"].middle / pairs}
                yield row


def attention_threads(run: Run) -> Iterator[Row]:
    """Two threads against one, attention."""
    if not (run.deep and run.first) or (os.cpu_count() or 1) < 2:
        return
    for case in cases_of(run, SHAPES, "causal"):
        if run.wants("attention threads", case.name):
            row = run.beside("attention threads", case, "one", case, threads=(2, 1))
            if not row.wrong and not run.quick:
                row.targets = {"attention threads": row.ratios["one"].middle}
            yield row


def attention_memory(run: Run) -> Iterator[Row]:
    """The memory of attention's training, four times as long."""
    if not (run.deep and run.first):
        return
    lengths = (512, 2048) if run.quick else (4096, 16384)
    peers = [peer for peer in run.peers if peer == "torch"]
    before: dict[str, int] = {}
    for T in lengths:
        case = AttentionCase("attention", "train", (1, 2, T, 64), "causal")
        if not run.wants("attention memory", case.name):
            return
        used = {
            name: fresh_memory(name, case, replace(case, shape=(1, 1, 8, 8)))
            for name in ("c", *peers)
        }
        row = Row("attention memory", case.name, unit="B", best={**used}, median={**used})
        row.ratios = {peer: Spread(*[used[peer] / used["c"]] * 3) for peer in peers}
        if before and not run.quick:
            row.targets = {"attention growth": used["c"] / before["c"]}
        before = used
        yield row
