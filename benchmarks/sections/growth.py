"""Growth: time, latency and memory along sequences, sizes, batches and threads."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from benchmarks.cases.attention import AttentionCase
from benchmarks.cases.recurrent import Case
from benchmarks.records import Row, Spread
from benchmarks.remote import fresh_memory
from benchmarks.run import Run

PEERS = ("torch", "jax")  # others would compile anew at every point, for minutes


def lstm(T: int = 64, B: int = 16, H: int = 128) -> Case:
    """A layer in training."""
    return Case("lstm train", (T, B, H, H))


CURVES = {
    "Training an LSTM along T (B=16, D=H=128)": [lstm(T=T) for T in (16, 64, 256, 1024)],
    "Training an LSTM along H (T=64, B=16, D=H)": [lstm(H=H) for H in (32, 64, 128, 256, 512)],
    "Training an LSTM along B (T=64, D=H=128)": [lstm(B=B) for B in (1, 4, 16, 64)],
    "Training causal attention along T (four heads of 64)": [
        AttentionCase("attention", "train", (1, 4, T, 64), "causal")
        for T in (128, 256, 512, 1024, 2048)
    ],
    "Tokens from a GPT along T, the context (two layers, E=128)": [
        AttentionCase("gpt", "token", (2, 4, 128, T, 1), "eager") for T in (64, 128, 256, 512, 1024)
    ],
}
MEMORY = "Memory of training an LSTM along T (B=8, D=64, H=128)"
LENGTHS = (64, 256, 1024, 4096)


def growth(run: Run) -> Iterator[Row]:
    """Growth."""
    few = replace(run, peers=[peer for peer in run.peers if peer in PEERS and not run.quick])
    for curve, cases in CURVES.items():
        yield from along(few, curve, cases[:2] if run.quick else cases)
    if run.first:
        yield from along_threads(few)
        yield from memory(run)


def along(run: Run, curve: str, cases: Iterable[Any]) -> Iterator[Row]:
    """The points of a curve that were asked for."""
    for case in cases:
        name = f"{case.name}, along {curve.partition('along ')[2].split()[0].strip(',')}"
        if run.wants("growth", name):
            row = run.side_by_side("growth", case)
            row.name, row.curve = name, curve
            yield row


def along_threads(run: Run) -> Iterator[Row]:
    """One thread, two, and so on, as many as there are cores."""
    if run.quick:
        return
    cases = {
        "A product of 1024x1024 along threads": Case("matmul", (1024,) * 3, "nn"),
        "Training an LSTM along threads (T=64, B=32, D=H=256)": lstm(B=32, H=256),
    }
    for curve, case in cases.items():
        threads = 1
        while threads <= (os.cpu_count() or 1):
            for row in along(replace(run, threads=threads), curve, [case]):
                row.size["threads"] = threads
                yield row
            threads *= 2


def memory(run: Run) -> Iterator[Row]:
    """What training keeps for the way back: with a checkpoint every √T steps, and all of it."""
    for T in LENGTHS[:2] if run.quick else LENGTHS:
        plain = Case("lstm train", (T, 8, 64, 128))
        name = f"memory of {plain.name}, checkpoints every √T"
        if run.wants("growth", name):
            cases = {"c": replace(plain, variant="checkpoint_every"), "plain": plain}
            tiny = replace(plain, shape=(2, 1, 2, 2))
            used = {name: fresh_memory("c", case, tiny) for name, case in cases.items()}
            row = Row("growth", name, 1, "B", {**used}, {**used}, curve=MEMORY, size=plain.size)
            row.ratios = {"plain": Spread(*[used["plain"] / used["c"]] * 3)}
            yield row
