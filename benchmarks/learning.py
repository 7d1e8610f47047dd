"""One system that learns, in a process of its own: python -m benchmarks.learning SYSTEM THREADS.

A small GPT over the characters of Python's documentation; the first weights and the batch of every
step are the same for all systems, and so is the code that measures the held-out end of the text.
Orders come in as lines, answers go out as lines, both JSON:
    {"steps": n}      takes so many steps; {"steps": all so far, "bits": held out, per character}
    {"seconds": s}    takes steps for so long; the same answer, with the "seconds" taken
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any, NamedTuple

import numpy as np

import tinyseq as ts
from tinyseq.data import default_text
from tinyseq.models import GPT

WINDOW, BATCH, HELD_OUT = 128, 8, 0.1
LEARNING_RATE, WARM_UP = 1e-3, 100
LIBRARIES = {"c": "tinyseq"}


class Learner(NamedTuple):
    """What a system makes of the first model.

    step(ids, targets, learning rate) takes a step; weights() are those it has come to.
    """

    step: Callable[[Any, Any, float], None]
    weights: Callable[[], dict[str, Any]]


def text_ids() -> tuple[Any, Any, int]:
    """The text as numbers, the part to learn from and the held-out end, and how many symbols."""
    symbols, ids = np.unique(np.array(list(default_text())), return_inverse=True)
    cut = round(len(ids) * (1 - HELD_OUT))
    return ids[:cut], ids[cut:], len(symbols)


def batch(ids: Any, number: int) -> tuple[Any, Any]:
    """The symbols of a step, (BATCH, WINDOW), and those after them; the same in every process."""
    starts = np.random.default_rng(number).integers(0, len(ids) - WINDOW, BATCH)
    windows = ids[starts[:, None] + np.arange(WINDOW + 1)]
    return windows[:, :-1], windows[:, 1:]


def bits(model: GPT, ids: Any) -> float:
    """Bits per character over whole windows, a batch of them at a time."""
    count = (len(ids) - 1) // WINDOW
    xs = ids[: count * WINDOW].reshape(count, WINDOW)
    ys = ids[1 : count * WINDOW + 1].reshape(count, WINDOW)
    with ts.no_grad():
        sums = [
            model.loss(xs[i : i + 32], ys[i : i + 32]).item() * len(xs[i : i + 32])
            for i in range(0, count, 32)
        ]
    return float(sum(sums) / count / np.log(2))


def main(system: str, threads: int) -> None:
    """Answer orders until the input ends."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-threads:])
    ts.set_num_threads(threads)
    ts.manual_seed(0)
    ids, held_out, symbols = text_ids()
    model = GPT(symbols, WINDOW, 4, 4, 128)
    library = LIBRARIES.get(system, system)
    learner: Learner = import_module(f"benchmarks.systems.learning_{library}").learner(
        model, threads
    )
    number = 0

    def steps(seconds: float, most: float) -> None:
        nonlocal number
        begin, last = time.perf_counter(), number + most
        while number < last and time.perf_counter() - begin < seconds:
            number += 1
            rate = LEARNING_RATE * min(1.0, number / WARM_UP)
            learner.step(*batch(ids, number), rate)

    for line in sys.stdin:
        order = json.loads(line)
        begin = time.perf_counter()
        steps(order.get("seconds", np.inf), order.get("steps", np.inf))
        taken = time.perf_counter() - begin
        model.load_state_dict(learner.weights())
        told = {"steps": number, "seconds": taken, "bits": bits(model, held_out)}
        print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
