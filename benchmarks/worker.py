"""One system in a process of its own: python -m benchmarks.worker SYSTEM THREADS.

Its threads, and those of the libraries it loads, cannot wait on another system's cores that way.
Orders come in as lines, answers go out as lines, both JSON; a case comes with its family:
    {"family": f, "case": {...}, "results": path}   does it, stores the results as .npz;
                                                    begin, memory, notes: see remote.Worker
    {"seconds": s}                                  repeats the case for so long; seconds per call
An order that could not be followed is answered by {"failed": why}.
"""

from __future__ import annotations

import json
import os
import sys
import time
from importlib import import_module
from typing import Any

import numpy as np

from benchmarks.cases import FAMILIES
from benchmarks.harness import NOTES, Here
from benchmarks.memory import at_most, settled

LIBRARIES = {"c": "tinyseq", "numpy": "tinyseq"}


def main(system: str, threads: int) -> None:
    """Answer orders until the input ends."""
    if hasattr(os, "sched_setaffinity"):
        # Not every library can be told how many threads to use; all keep to the cores they get.
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-threads:])
    library = LIBRARIES.get(system, system)
    setup = import_module(f"benchmarks.systems.setup_{library}").setup
    answer({"version": setup(system, threads) if library == "tinyseq" else setup(threads)})
    work: Here | None = None
    for line in sys.stdin:
        order = json.loads(line)
        try:
            if "case" in order:
                work = None  # what the last case kept is not this one's
                work, told = taken_up(library, order)
                answer(told)
            else:
                assert work is not None
                answer({"seconds": work.seconds(order["seconds"])})
        except Exception as error:  # whatever a library lacks on this machine
            answer({"failed": f"{type(error).__name__}: {str(error).partition(chr(10))[0]}"})


def taken_up(library: str, order: dict[str, Any]) -> tuple[Here, dict[str, Any]]:
    """A case's work, begun, and what is to be told of it."""
    family = order["family"]
    case = FAMILIES[family](**{**order["case"], "shape": tuple(order["case"]["shape"])})
    before = settled()
    begin = time.perf_counter()
    work = Here(import_module(f"benchmarks.systems.{family}_{library}").work(case))
    results = work.results(case)
    taken = time.perf_counter() - begin
    np.savez(order["results"], *results)
    del results
    settled()  # what compiling took
    _, most = at_most(lambda: work.repeat(1))
    told = {"begin": taken, "memory": max(most - before, 0), "notes": NOTES[:]}
    NOTES.clear()
    return work, told


def answer(what: dict[str, object]) -> None:
    """One line to the parent."""
    print(json.dumps(what), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
