"""python -m benchmarks: the table."""

from __future__ import annotations

import argparse
import importlib.util
import sys
from contextlib import ExitStack

import numpy as np

import tinyseq as ts
from benchmarks.cases import Case, cases
from benchmarks.harness import Worker, run
from benchmarks.report import PEERS, SYSTEMS, geometric_mean, processor


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Time matrix products and recurrent layers in C and in NumPy, compared first.",
    )
    parser.add_argument("--quick", action="store_true", help="a few small cases, in seconds")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="for all (default: 1)")
    parser.add_argument("--rounds", type=int, metavar="N", help="default: 15, or 3 with --quick")
    parser.add_argument("--only", default="", metavar="TEXT", help="cases whose name contains it")
    parser.add_argument("--peers", nargs="*", default=[], choices=PEERS, help="to time as well")
    asked = parser.parse_args()
    if asked.threads < 1 or (asked.rounds is not None and asked.rounds < 1):
        parser.error("--threads and --rounds must be at least 1")
    for peer in asked.peers:
        if importlib.util.find_spec(peer) is None:
            parser.error(f"--peers {peer}: {peer} is not installed")
    return asked


def main() -> int:
    """Run the cases and print a row for each; 1 if any result was wrong, 2 if none could be run."""
    asked = arguments()
    chosen = [case for case in cases(asked.quick) if asked.only in case.name]
    if not chosen:
        print(f"benchmarks: no case's name contains {asked.only!r}", file=sys.stderr)
        return 2
    try:
        ts.backend.use("c")
    except RuntimeError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2
    peak = ts.backend.fma_peak() * asked.threads
    print(f"{processor()}, threads: {asked.threads}")
    print(f"fused multiply-add peak, measured now: {peak:.0f} GFLOP/s; NumPy {np.__version__}")
    with ExitStack() as stack:
        names = ["numpy", "c", *asked.peers]
        workers = {name: stack.enter_context(Worker(name, asked.threads)) for name in names}
        print("; ".join(workers[name].version for name in names[1:]))
        rounds = asked.rounds or (3 if asked.quick else 15)
        return table(chosen, workers, rounds, peak)


def table(chosen: list[Case], workers: dict[str, Worker], rounds: int, peak: float) -> int:
    """The rows; 1 if any result was wrong."""
    others = [name for name in workers if name != "c"]
    print(
        "counted: matmul 2 M N K; a layer of G gates 2 G T B H (D + H), training three times that"
    )
    print("GFLOP/s: best (median) of the rounds; xN: how many times as fast C is, by the best\n")
    header = "".join(f"{SYSTEMS[name]:>18}" for name in ("c", *others))
    print(f"{'case':<38}{header}{'of peak':>9}" + "".join(f"{'x' + s:>12}" for s in others))
    ratios: dict[str, list[float]] = {name: [] for name in others}
    wrong = False
    for case in chosen:
        outcome = run(case, dict(workers), rounds)
        if outcome.wrong:
            wrong = True
            print(f"{case.name:<38}WRONG: {outcome.wrong}; not timed")
            continue
        row = f"{case.name:<38}"
        for name in ("c", *others):
            best, middle = outcome.best(name), outcome.median(name)
            figures = f"{case.flops / best / 1e9:.1f} ({case.flops / middle / 1e9:.1f})"
            row += f"{figures:>18}"
        row += f"{case.flops / outcome.best('c') / 1e9 / peak:>9.0%}"
        for name in others:
            ratios[name].append(outcome.best(name) / outcome.best("c"))
            row += f"{ratios[name][-1]:>12.2f}"
        print(row, flush=True)
    for name, values in ratios.items():
        if values:
            print(f"geometric mean against {SYSTEMS[name]}: {geometric_mean(values):.2f}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
