"""One system in a process of its own: python -m benchmarks.worker SYSTEM THREADS.

Its threads, and those of the libraries it loads, cannot wait on another system's cores that way.
Orders come in as lines, answers go out as lines, both JSON:
    {"case": {...}, "results": path}   does it once, stores the results as .npz
    {"seconds": s}                     repeats it for so long; seconds per call
"""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module

import numpy as np

from benchmarks.cases import Case
from benchmarks.harness import Here

MODULES = {
    "c": "work_tinyseq",
    "numpy": "work_tinyseq",
    "torch": "work_torch",
    "jax": "work_jax",
    "tensorflow": "work_tensorflow",
}


def main(system: str, threads: int) -> None:
    """Answer orders until the input ends."""
    if hasattr(os, "sched_setaffinity"):
        # Not every library can be told how many threads to use; all keep to the cores they get.
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-threads:])
    module = import_module(f"benchmarks.{MODULES[system]}")
    arguments = (system, threads) if system in ("c", "numpy") else (threads,)
    answer({"version": module.setup(*arguments)})
    for line in sys.stdin:
        order = json.loads(line)
        if "case" in order:
            case = Case(**{**order["case"], "shape": tuple(order["case"]["shape"])})
            work = Here(module.work(case))
            np.savez(order["results"], *work.results(case))
            answer({})
        else:
            answer({"seconds": work.seconds(order["seconds"])})


def answer(what: dict[str, object]) -> None:
    """One line to the parent."""
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
