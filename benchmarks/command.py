"""The command line of a table of targets: its options, its header, its sections, its last table."""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any

import numpy as np

import tinyseq as ts
from benchmarks.bench import Bench
from benchmarks.report import processor


def arguments(prog: str, description: str, peers: Sequence[str]) -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(prog=f"python -m {prog}", description=description)
    parser.add_argument("--quick", action="store_true", help="tiny cases, in seconds")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="for all (default: 1)")
    parser.add_argument("--rounds", type=int, metavar="N", help="default: 9, or 2 with --quick")
    parser.add_argument(
        "--only", nargs="*", default=[], metavar="TEXT", help="rows whose name contains every TEXT"
    )
    parser.add_argument(
        "--peers", nargs="*", default=peers, choices=peers, help="default: those installed"
    )
    asked = parser.parse_args()
    if asked.threads < 1 or (asked.rounds is not None and asked.rounds < 1):
        parser.error("--threads and --rounds must be at least 1")
    return asked


def main(
    prog: str, description: str, peers: Sequence[str], counted: str,
    bench_class: Callable[..., Bench], sections: Sequence[Callable[[Any], None]],
) -> int:  # fmt: skip
    """Run the sections, then print the targets.

    Args:
        prog: the module's name.
        peers: those that take part where they are installed.
        counted: how operations are counted, for the header.
        bench_class: as `Bench`, but brings its own targets.

    Returns:
        1 if a result was wrong, 2 if nothing was run.
    """
    asked = arguments(prog, description, peers)
    try:
        ts.backend.use("c")
    except RuntimeError as error:
        print(f"{prog}: {error}", file=sys.stderr)
        return 2
    there = [peer for peer in asked.peers if importlib.util.find_spec(peer)]
    absent = [peer for peer in asked.peers if peer not in there]
    rounds = asked.rounds or (2 if asked.quick else 9)
    with ExitStack() as stack:
        bench = bench_class(
            stack, quick=asked.quick, threads=asked.threads, rounds=rounds, only=asked.only,
            peers=there,
        )  # fmt: skip
        print(f"{processor()}, cores: {os.cpu_count()}, threads: {asked.threads}")
        print(f"NumPy {np.__version__}; " + "; ".join(bench.versions()))
        if absent:
            print("absent: " + ", ".join(absent))
        print(f"fused multiply-add peak, measured now: {bench.peak / 1e9:.0f} GFLOP/s")
        print(counted)
        for section in sections:
            section(bench)
    if not bench.rows:
        print(f"{prog}: no row's name contains all of", asked.only, file=sys.stderr)
        return 2
    if asked.quick:
        print("\ntiny cases: nothing is judged by them")
        return 1 if bench.wrong else 0
    print(f"\n{'target':<50}{'wanted':>11}{'worst':>11}{'holds in':>11}   worst case")
    for target in bench.targets.values():
        print("\n".join(target.rows()))
    return 1 if bench.wrong else 0
