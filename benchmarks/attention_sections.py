"""The sections of `python -m benchmarks.attention`: each measures something and takes it down."""

from __future__ import annotations

import os
from dataclasses import replace

from benchmarks.attention_bench import AttentionBench as Bench
from benchmarks.attention_cases import PASSES, VARIANTS, AttentionCase
from benchmarks.attention_targets import attention_keys
from benchmarks.harness import System, Worker, run, take_turns
from benchmarks.report import SYSTEMS

BOTH = ("forward", "train")
SHAPES = [
    (8, 4, 64, 32), (8, 8, 256, 64), (2, 8, 1024, 64), (1, 8, 4096, 64),
    (8, 4, 129, 7), (4, 4, 129, 40), (2, 4, 1000, 100), (16, 6, 256, 64), (2, 4, 512, 128),
]  # fmt: skip
VARIANT_SHAPES = [(8, 8, 256, 64), (4, 4, 129, 40), (2, 4, 1000, 64)]
SKIP_SHAPES = [(2, 4, 1024, 64), (1, 2, 4096, 64)]
LAYERS = {
    "layer_norm": [(768, 128), (4096, 384), (1000, 100)],
    "rms_norm": [(4096, 384), (1000, 100)],
    "add_layer_norm": [(768, 128), (4096, 384), (1000, 100)],
    "dropout": [(4096, 384)],
    "linear_gelu": [(768, 128, 512), (4096, 384, 1536), (1000, 100, 333)],
    "linear_cross_entropy": [(768, 128, 65), (4096, 384, 65), (2048, 384, 8192)],
}
SMALL, LARGE = (4, 4, 128, 64, 12), (6, 6, 384, 256, 16)  # L N E T B of the two GPTs
TINY, TINY_GPT = (2, 4, 17, 8), (2, 2, 16, 12, 3)


def attention(bench: Bench) -> None:
    """Causal attention at shapes short, long and odd, then every option of it."""
    bench.heading("attention: GFLOP/s, best (median)")
    systems = bench.systems()
    shapes = [TINY] if bench.quick else SHAPES
    others = [TINY] if bench.quick else VARIANT_SHAPES
    cases = [
        AttentionCase("attention", asked, shape, "causal") for shape in shapes for asked in BOTH
    ]
    cases += [
        AttentionCase("attention", asked, shape, variant)
        for variant in VARIANTS if variant != "causal" for shape in others for asked in BOTH
    ]  # fmt: skip
    for case in bench.chosen("attention", cases):
        outcome = bench.against(case, systems)
        if outcome:
            bench.beside(case, outcome, lambda s, n=case.flops: n / s / 1e9, attention_keys(case))


def skip(bench: Bench) -> None:
    """What need not be looked at is not: time goes with the pairs of query and key that count."""
    bench.title = "skip: time as a share of full attention's, beside the share of its pairs"
    systems: dict[str, System] = {use: bench.worker("c", use=use) for use in ("full", "other")}
    for variant in ("causal", "window", "lengths"):
        cases = [
            AttentionCase("attention", asked, shape, variant)
            for shape in ([TINY] if bench.quick else SKIP_SHAPES) for asked in BOTH
        ]  # fmt: skip
        for case in bench.chosen("skip", cases):
            whole = replace(case, variant="full")
            first = bench.worker("numpy")
            if bench.agree(whole, {"numpy": first, "c": systems["full"]}) and bench.agree(
                case, {"numpy": first, "c": systems["other"]}
            ):
                outcome = take_turns(systems, bench.rounds)
                taken = outcome.best("other") / outcome.best("full")
                pairs = case.flops / whole.flops
                over = bench.targets["skip"].record(case.name, taken / pairs)
                bench.say(case.name, f"{taken:>12.0%}{pairs:>12.0%}{over:>14}")


def layers(bench: Bench) -> None:
    """What a transformer has beside attention."""
    systems = bench.systems()
    for kind, shapes in LAYERS.items():
        unit = "GB/s" if kind in PASSES else "GFLOP/s"
        bench.heading(f"layers: {kind}, {unit}, best (median)")
        if bench.quick:
            shapes = [(6, 24, 10)[: len(shapes[0])]] if kind != "dropout" else [(100, 1000)]
        cases = [AttentionCase(kind, asked, shape) for shape in shapes for asked in BOTH]
        for case in bench.chosen("layers", cases):
            outcome = bench.against(case, systems)
            if not outcome:
                continue
            amount = case.bytes if kind in PASSES else case.flops
            keys: dict[str, list[str]] = {} if kind in PASSES else {"peak": []}
            bench.beside(case, outcome, lambda s, n=amount: n / s / 1e9, keys)
            if bench.peers:
                best = min(outcome.best(peer) for peer in bench.peers)
                bench.targets["layers"].record(case.name, best / outcome.best("c"))


def gpt(bench: Bench) -> None:
    """A model's whole training step, and one token with a cache at a time."""
    systems: dict[str, System] = {
        name: bench.worker(name) for name in ("c", *bench.peers) if name != "jax"
    }
    bench.heading("gpt: ms a step, µs a token; best (median)", list(systems)[1:])
    # Compiling takes PyTorch a minute, however small the model.
    shapes, how = ([TINY_GPT], "eager") if bench.quick else ([SMALL, LARGE], "")
    cases = [AttentionCase("gpt", "step", shape, how) for shape in shapes]
    for case in bench.chosen("gpt", cases):
        keys = {"torch": ["step"], "peak": ["step peak"] if case.shape == LARGE else []}
        # NumPy would take minutes over the larger one: there the systems check each other.
        outcome = bench.against(case, systems, case.shape != LARGE or len(systems) == 1)
        if outcome:
            bench.beside(case, outcome, lambda s: s * 1e3, keys)
    T = shapes[-1][3]
    for case in bench.chosen("gpt", [AttentionCase("gpt", "token", (*shapes[-1][:4], 1), how)]):
        if outcome := bench.against(case, systems):
            bench.beside(case, outcome, lambda s: s * 1e6 / T, {"torch": ["token"]})


def memory(bench: Bench) -> None:
    """The most a training step needs, each in a process of its own; and how attention's grows."""
    peers = [peer for peer in bench.peers if peer == "torch"]
    names = ("c", *peers)

    def megabytes(case: AttentionCase, tiny: AttentionCase, name: str) -> float:
        with Worker(name, bench.threads) as fresh:
            return fresh.memory(case, tiny) / 2**20

    bench.title = f"{'memory: MB, weights and all':<54}" + "".join(
        f"{SYSTEMS[name]:>18}" for name in names
    )
    shapes = [SMALL] if bench.quick else [SMALL, LARGE]
    tiny = AttentionCase("gpt", "step", TINY_GPT, "eager")
    cases = [AttentionCase("gpt", "step", shape, "eager") for shape in shapes]
    for case in bench.chosen("memory", cases):
        used = [megabytes(case, tiny, name) for name in names]
        told = "".join(f"{figure:>18.1f}" for figure in used)
        if peers:
            told += f"{bench.targets['memory'].record(case.name, used[0] / used[1]):>14}"
        bench.say(case.name, told)
    B, N, T, d = (1, 1, 512, 64) if bench.quick else (1, 2, 4096, 64)
    short = AttentionCase("attention", "train", (B, N, T, d), "causal")
    long = replace(short, shape=(B, N, 4 * T, d))
    for case in bench.chosen("memory", [long]):
        tiny = replace(short, shape=TINY)
        told = ""
        for name in names:
            before, after = megabytes(short, tiny, name), megabytes(long, tiny, name)
            told += f"{f'{before:.1f} -> {after:.1f}':>18}"
            if name == "c":
                ratio = bench.targets["growth"].record(case.name, after / before)
        bench.say(f"attention train, T={T} -> T={4 * T}", f"{told}{ratio:>14}")


def threads(bench: Bench) -> None:
    """Two threads against one: not a bit may change."""
    bench.title = "threads: how many times as fast two are as one"
    if (os.cpu_count() or 1) < 2:
        return
    shapes = [TINY] if bench.quick else SHAPES[:4]
    cases = [
        AttentionCase("attention", asked, shape, "causal") for shape in shapes for asked in BOTH
    ]
    cases += [AttentionCase("gpt", "step", TINY_GPT if bench.quick else LARGE)]
    for case in bench.chosen("threads", cases):
        one, two = bench.worker("c", 1), bench.worker("c", 2)
        outcome = run(case, {"one": one, "two": two}, bench.rounds, tolerance=0.0)
        if bench.right(case, outcome.wrong):
            ratio = outcome.best("one") / outcome.best("two")
            bench.say(case.name, bench.targets["threads"].record(case.name, ratio))


SECTIONS = (attention, skip, layers, gpt, memory, threads)
