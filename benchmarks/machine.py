"""What a run was done on, and the best that this machine could do."""

from __future__ import annotations

import os
import platform
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

import tinyseq as ts
from benchmarks.records import Row

# Of a triad's three arrays together: what fits in a core's cache, in that of all cores, in neither.
SIZES = [1 << power for power in (16, 18, 20, 22, 24, 26, 28)]


def processor() -> str:
    """Its name, where Linux tells."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.machine()


def describe(threads: list[int], quick: bool) -> dict[str, Any]:
    """Processor, instruction set and versions; and, measured now on each number of threads, the
    multiply-add peak in GFLOP/s and a triad's GB/s over arrays of several sizes."""
    found: dict[str, Any] = {
        "processor": processor(), "cores": os.cpu_count(), "isa": ts.backend.info()["isa"],
        "system": platform.platform(terse=True), "date": date.today().isoformat(),
        "versions": [f"Python {platform.python_version()}", f"NumPy {np.__version__}"],
        "peak": {}, "bandwidth": {},
    }  # fmt: skip
    duration = 0.02 if quick else 0.2
    for count in threads:
        ts.set_num_threads(count)
        found["peak"][str(count)] = count * max(ts.backend.fma_peak(duration) for _ in range(3))
        found["bandwidth"][str(count)] = [
            [size, ts.backend.bandwidth(size, duration)] for size in SIZES
        ]
    return found


def rate(row: Row) -> tuple[float, str] | None:
    """What tinyseq's best comes to in GFLOP/s or GB/s, whichever limits the work."""
    if row.unit != "s" or not row.best.get("c"):
        return None
    if row.flops:
        return row.flops / row.best["c"] / 1e9, "GFLOP/s"
    return (row.bytes / row.best["c"] / 1e9, "GB/s") if row.bytes else None


def share(row: Row, machine: dict[str, Any]) -> float | None:
    """That rate as a share of the multiply-add peak, or of a triad's over as many bytes."""
    found, threads = rate(row), str(row.threads)
    if found is None or threads not in machine["peak"]:
        return None
    if row.flops:
        return found[0] / float(machine["peak"][threads])
    measured = machine["bandwidth"][threads]
    return found[0] / min(measured, key=lambda pair: abs(np.log(pair[0] / row.bytes)))[1]
