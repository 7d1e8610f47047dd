"""One system in a process of its own: python -m benchmarks.worker SYSTEM THREADS.

Its threads, and those of the libraries it loads, cannot wait on another system's cores that way.
Orders come in as lines, answers go out as lines, both JSON; a case comes with its family:
    {"case": {...}, "results": path}   does it once, stores the results as .npz; notes
    {"memory": [{...}, {...}]}         does both; bytes that the second needed at most
    {"seconds": s}                     repeats the case for so long; seconds per call
"""

from __future__ import annotations

import json
import os
import sys
from functools import partial
from importlib import import_module
from typing import Any

import numpy as np

from benchmarks.attention_cases import AttentionCase
from benchmarks.cases import Case
from benchmarks.harness import NOTES, Here
from benchmarks.memory import at_most, resident

CASES = {case.family: case for case in (Case, AttentionCase)}
MODULES = {"c": "tinyseq", "numpy": "tinyseq"}


def main(system: str, threads: int) -> None:
    """Answer orders until the input ends."""
    if hasattr(os, "sched_setaffinity"):
        # Not every library can be told how many threads to use; all keep to the cores they get.
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-threads:])
    library = MODULES.get(system, system)
    setup = import_module(f"benchmarks.work_{library}").setup
    answer({"version": setup(system, threads) if library == "tinyseq" else setup(threads)})

    def taken_up(family: str, told: dict[str, Any]) -> tuple[Any, Here]:
        case = CASES[family](**{**told, "shape": tuple(told["shape"])})
        return case, Here(import_module(f"benchmarks.{family}_{library}").work(case))

    def done_twice(family: str, told: dict[str, Any]) -> None:
        taken_up(family, told)[1].repeat(2)

    for line in sys.stdin:
        order = json.loads(line)
        if "case" in order:
            case, work = taken_up(order["family"], order["case"])
            np.savez(order["results"], *work.results(case))
            answer({"notes": NOTES})
            NOTES.clear()
        elif "memory" in order:
            tiny, full = order["memory"]
            done_twice(order["family"], tiny)
            before = resident()
            most = at_most(partial(done_twice, order["family"], full))
            answer({"bytes": most - before})
        else:
            answer({"seconds": work.seconds(order["seconds"])})


def answer(what: dict[str, object]) -> None:
    """One line to the parent."""
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
