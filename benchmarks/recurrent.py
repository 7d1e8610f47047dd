"""python -m benchmarks.recurrent: the recurrent layers' targets, each with what was measured."""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
from contextlib import ExitStack

import numpy as np

import tinyseq as ts
from benchmarks.recurrent_sections import SECTIONS, Bench
from benchmarks.report import PEERS, processor


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.recurrent",
        description="Measure RNN, LSTM and GRU, and tell what of their targets holds.",
    )
    parser.add_argument("--quick", action="store_true", help="tiny cases, in seconds")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="for all (default: 1)")
    parser.add_argument("--rounds", type=int, metavar="N", help="default: 9, or 2 with --quick")
    parser.add_argument(
        "--only", nargs="*", default=[], metavar="TEXT", help="rows whose name contains every TEXT"
    )
    parser.add_argument(
        "--peers", nargs="*", default=PEERS, choices=PEERS, help="default: those installed"
    )
    asked = parser.parse_args()
    if asked.threads < 1 or (asked.rounds is not None and asked.rounds < 1):
        parser.error("--threads and --rounds must be at least 1")
    return asked


def main() -> int:
    """Run the sections, then print the targets; 1 if a result was wrong, 2 if nothing was run."""
    asked = arguments()
    try:
        ts.backend.use("c")
    except RuntimeError as error:
        print(f"benchmarks.recurrent: {error}", file=sys.stderr)
        return 2
    there = [peer for peer in asked.peers if importlib.util.find_spec(peer)]
    absent = [peer for peer in asked.peers if peer not in there]
    rounds = asked.rounds or (2 if asked.quick else 9)
    with ExitStack() as stack:
        bench = Bench(stack, asked.quick, asked.threads, rounds, asked.only, there)
        print(f"{processor()}, cores: {os.cpu_count()}, threads: {asked.threads}")
        print(f"NumPy {np.__version__}; " + "; ".join(bench.versions()))
        if absent:
            print("absent: " + ", ".join(absent))
        print(f"fused multiply-add peak, measured now: {bench.peak / 1e9:.0f} GFLOP/s")
        print("a layer of G gates counts for 2 G T B H (D + H), training for three times that")
        print("the best of the rounds; xN: tinyseq takes 1 / N of that time")
        for section in SECTIONS:
            section(bench)
    if not bench.rows:
        print("benchmarks.recurrent: no row's name contains all of", asked.only, file=sys.stderr)
        return 2
    if asked.quick:
        print("\ntiny cases: nothing is judged by them")
        return 1 if bench.wrong else 0
    print(f"\n{'target':<50}{'wanted':>11}{'worst':>11}{'holds in':>11}   worst case")
    for target in bench.targets.values():
        print("\n".join(target.rows()))
    return 1 if bench.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
