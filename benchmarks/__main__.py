"""python -m benchmarks: the table."""

from __future__ import annotations

import argparse
import importlib.util
import math
import os
import platform
import sys
from pathlib import Path

SYSTEMS = {"c": "tinyseq, C", "numpy": "tinyseq, NumPy", "torch": "PyTorch"}


def arguments() -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Time matrix products and the LSTM in C and in NumPy, results compared first.",
    )
    parser.add_argument("--quick", action="store_true", help="a few small cases, in seconds")
    parser.add_argument("--threads", type=int, default=1, metavar="N", help="for all (default: 1)")
    parser.add_argument("--rounds", type=int, metavar="N", help="default: 15, or 3 with --quick")
    parser.add_argument("--only", default="", metavar="TEXT", help="cases whose name contains it")
    parser.add_argument("--peers", nargs="*", default=[], choices=["torch"], help="to time as well")
    asked = parser.parse_args()
    if asked.threads < 1 or (asked.rounds is not None and asked.rounds < 1):
        parser.error("--threads and --rounds must be at least 1")
    for peer in asked.peers:
        if importlib.util.find_spec(peer) is None:
            parser.error(f"--peers {peer}: {peer} is not installed")
    return asked


def processor() -> str:
    """Its name, where Linux tells."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.machine()


def main() -> int:
    """Run the cases and print a row for each; 1 if any result was wrong, 2 if none could be run."""
    asked = arguments()
    # Read once, when NumPy and PyTorch load: hence the imports below and not above.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = str(asked.threads)
    import numpy as np

    import tinyseq as ts
    from benchmarks.cases import cases
    from benchmarks.harness import run

    try:
        ts.backend.use("c")
    except RuntimeError as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2
    ts.set_num_threads(asked.threads)
    peak = ts.backend.fma_peak() * asked.threads
    print(f"{processor()}, {ts.backend.info()['isa']}, threads: {asked.threads}")
    print(f"fused multiply-add peak, measured now: {peak:.0f} GFLOP/s; NumPy {np.__version__}")
    if "torch" in asked.peers:
        import torch

        torch.set_num_threads(asked.threads)
        print(f"PyTorch {torch.__version__}")
    print("counted: matmul 2 M N K; LSTM forward 8 T B H (D + H), training three times that")
    print("GFLOP/s: best (median) of the rounds; xN: how many times as fast C is, by the best\n")
    systems = ["c", "numpy", *asked.peers]
    header = "".join(f"{SYSTEMS[s]:>18}" for s in systems)
    print(f"{'case':<38}{header}{'of peak':>9}" + "".join(f"{'x' + s:>8}" for s in systems[1:]))
    ratios: dict[str, list[float]] = {s: [] for s in systems[1:]}
    wrong = ran = 0
    for case in cases(asked.quick, asked.peers):
        if asked.only not in case.name:
            continue
        ran += 1
        outcome = run(case, asked.rounds or (3 if asked.quick else 15))
        if outcome.wrong:
            wrong += 1
            print(f"{case.name:<38}WRONG: {outcome.wrong}; not timed")
            continue
        row = f"{case.name:<38}"
        for system in systems:
            best, middle = outcome.best(system), outcome.median(system)
            figures = f"{case.flops / best / 1e9:.1f} ({case.flops / middle / 1e9:.1f})"
            row += f"{figures:>18}"
        row += f"{case.flops / outcome.best('c') / 1e9 / peak:>9.0%}"
        for system in systems[1:]:
            ratios[system].append(outcome.best(system) / outcome.best("c"))
            row += f"{ratios[system][-1]:>8.2f}"
        print(row, flush=True)
    if not ran:
        print(f"benchmarks: no case's name contains {asked.only!r}", file=sys.stderr)
        return 2
    for system, values in ratios.items():
        if values:
            mean = math.exp(sum(map(math.log, values)) / len(values))
            print(f"geometric mean against {SYSTEMS[system]}: {mean:.2f}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
