"""The sections of `python -m benchmarks.recurrent`: each measures something and takes it down."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np

import tinyseq as ts
from benchmarks.cases import CELLS, RECURRENT_SHAPES, Case
from benchmarks.harness import Outcome, System, run, take_turns
from benchmarks.recurrent_bench import RecurrentBench as Bench
from benchmarks.recurrent_targets import peak_target
from benchmarks.report import SYSTEMS, geometric_mean

BOTH = ("forward", "train")
MORE_SHAPES = [
    (50, 64, 32, 32), (37, 13, 93, 117), (200, 3, 50, 75), (1000, 1, 64, 64), (100, 1, 256, 256),
    (33, 17, 257, 255), (1, 64, 512, 512), (20, 4, 1024, 1024), (16, 64, 1024, 1024),
]  # fmt: skip
TWO_THREADS_SHAPES = [
    (64, 16, 256, 256), (64, 32, 256, 256), (100, 64, 512, 512), (16, 64, 1024, 1024),
]  # fmt: skip
VARIANT_SHAPES = [(32, 16, 64, 64), (64, 32, 256, 256)]
HALF_SHAPES = [(64, 32, 256, 256), (1000, 8, 64, 128), (100, 64, 512, 512)]
DECAYING_SHAPES = [(320, 16, 128, 128)]
CHECKPOINT_SHAPES = [(64, 32, 256, 256), (1000, 8, 64, 128)]
STEPS = 10_000


def peers(bench: Bench) -> None:
    """The four shapes and more of every size, and one step, against every peer."""
    names = "".join(f"{SYSTEMS[peer]:>12}" for peer in bench.peers)
    best = f"{'x best':>14}" if bench.peers else ""
    bench.title = f"{'peers: GFLOP/s; a step: µs':<54}{'tinyseq':>12}{names}{best}{'of peak':>14}"
    systems = bench.systems()
    chosen = [
        *bench.cases("peers", RECURRENT_SHAPES + MORE_SHAPES, BOTH),
        *(Case(f"{cell} step", (1, 1, 256, 256)) for cell in CELLS),
    ]
    for case in chosen:
        if bench.wants(f"peers: {case.name}") and bench.by_numpy(case, systems):
            row(bench, case, take_turns(systems, bench.rounds))
    for peer in ("best", "torch"):
        ratios = list(bench.targets[peer].measured.values())
        if ratios:
            bench.targets[f"mean {peer}"].record(f"{len(ratios)} rows", geometric_mean(ratios))


def row(bench: Bench, case: Case, outcome: Outcome) -> None:
    """Print and take down a case against the peers."""
    ours = outcome.best("c")
    step = case.asked == "step"
    told = ""
    for name in ("c", *bench.peers):
        best = outcome.best(name)
        told += f"{best * 1e6 if step else case.flops / best / 1e9:>12.1f}"
    if bench.peers:
        best_peer = min(outcome.best(peer) for peer in bench.peers)
        told += f"{bench.targets['best'].record(case.name, best_peer / ours):>14}"
    if "torch" in bench.peers:
        bench.targets["torch"].record(case.name, outcome.best("torch") / ours)
    if step:
        bench.targets["step"].record(case.name, ours * 1e6)
    else:
        share = case.flops / ours / bench.peak
        key = peak_target(case)
        told += f"{bench.targets[key].record(case.name, share) if key else f'{share:.0%}':>14}"
    bench.say(case.name, told)


def growth(bench: Bench) -> None:
    """Memory over ten thousand steps in a row."""
    if not bench.wants("growth: lstm step"):
        return
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
    told = bench.targets["growth"].record(f"{STEPS} steps", (resident() - before) / 2**20)
    bench.title = "growth: memory"
    bench.say(f"{STEPS} LSTM steps", told)


def variants(bench: Bench) -> None:
    """Each option of the layer, as a share of the plain layer's speed."""
    bench.title = "variants: speed as a share of the plain layer's"
    for variant in ("layer_norm", "peephole", "recurrent_dropout", "zoneout"):
        for case in bench.cases("variants", VARIANT_SHAPES, BOTH, variant):
            if variant == "peephole" and case.cell != "lstm":
                continue
            share = bench.beside_plain(case)
            if share is not None:
                bench.say(case.name, bench.targets[variant].record(case.name, 1 / share))


def against_plain(
    title: str, variant: str, shapes: list[tuple[int, ...]], work: tuple[str, ...]
) -> Callable[[Bench], None]:
    """A section of one variant's time beside the plain one's."""

    def section(bench: Bench) -> None:
        bench.title = f"{variant}: {title}"
        for case in bench.cases(variant, shapes, work, variant):
            share = bench.beside_plain(case)
            if share is not None:
                bench.say(case.name, bench.targets[variant].record(case.name, share))

    return section


def threads(bench: Bench) -> None:
    """Two threads against one."""
    bench.title = "threads: how many times as fast two are as one"
    if (os.cpu_count() or 1) < 2:
        return
    one, two = bench.worker("c", 1), bench.worker("c", 2)
    for case in bench.cases("threads", TWO_THREADS_SHAPES, BOTH):
        outcome = run(case, {"one": one, "two": two}, bench.rounds, tolerance=0.0)
        if bench.right(case, outcome.wrong):
            ratio = outcome.best("one") / outcome.best("two")
            bench.say(case.name, bench.targets["threads"].record(case.name, ratio))


def fallback(bench: Bench) -> None:
    """C against NumPy."""
    bench.title = "numpy: how many times as fast C is"
    systems: dict[str, System] = {"numpy": bench.worker("numpy"), "c": bench.worker("c")}
    for case in bench.cases("numpy", RECURRENT_SHAPES, BOTH):
        outcome = run(case, systems, min(bench.rounds, 3))
        if bench.right(case, outcome.wrong):
            key = "numpy small" if case.shape[3] <= 128 else "numpy large"
            ratio = outcome.best("numpy") / outcome.best("c")
            bench.say(case.name, bench.targets[key].record(case.name, ratio))


SECTIONS = (
    peers,
    growth,
    variants,
    against_plain("time as a share of full length's", "half", HALF_SHAPES, BOTH),
    against_plain("time as a share of ordinary numbers'", "decaying", DECAYING_SHAPES, BOTH),
    against_plain(
        "time as a share of keeping all's", "checkpoint_every", CHECKPOINT_SHAPES, BOTH[1:]
    ),
    threads,
    fallback,
)
