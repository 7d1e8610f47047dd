"""python -m benchmarks.attention: the systems do the same work, and what is wrong is told."""

import subprocess
import sys
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from benchmarks import attention_sections as sections
from benchmarks.attention_bench import AttentionBench, zeros_and_scale
from benchmarks.attention_cases import SIZES, VARIANTS, AttentionCase
from benchmarks.attention_targets import attention_keys, targets
from benchmarks.harness import Worker, compare

pytest.importorskip("tinyseq.backend.c_kernels", reason="the C extension is not built")

SHAPE, GPT = (2, 4, 9, 8), (2, 2, 16, 12, 3)


def all_cases():
    for asked in ("forward", "train"):
        for variant in VARIANTS:
            yield AttentionCase("attention", asked, SHAPE, variant)
        for kind, sizes in SIZES.items():
            if kind not in ("attention", "gpt", "dropout"):
                yield AttentionCase(kind, asked, (7, 9, 5)[: len(sizes)])


@pytest.mark.parametrize("peer", ["c", "torch", "jax"])
def test_the_systems_do_the_same_work(peer):
    if peer != "c" and find_spec(peer) is None:
        pytest.skip(f"{peer} is not installed")
    with Worker("numpy", 1) as ours, Worker(peer, 1) as theirs:
        for case in all_cases():
            assert compare(case, {"a": ours, "b": theirs}) is None, case.name


@pytest.mark.parametrize("peer", ["c", "torch"])
def test_the_models_do_the_same_work(peer):
    if find_spec("torch") is None and peer == "torch":
        pytest.skip("torch is not installed")
    with Worker("numpy", 1) as ours, Worker(peer, 1) as theirs:
        for asked, B in (("step", 3), ("token", 1)):
            case = AttentionCase("gpt", asked, (*GPT[:4], B), "eager")
            assert compare(case, {"a": ours, "b": theirs}) is None, case.name


def test_training_changes_the_losses():
    with Worker("c", 1) as worker:
        (losses,) = worker.results(AttentionCase("gpt", "step", GPT))
    assert losses[0] == pytest.approx(np.log(65), rel=0.1) and losses[-1] < losses[0]


@pytest.mark.parametrize("system", ["c", "torch", "jax"])
def test_dropout_is_judged_by_its_zeros(system):
    if system != "c" and find_spec(system) is None:
        pytest.skip(f"{system} is not installed")
    case = AttentionCase("dropout", "train", (100, 1000))
    with Worker("numpy", 1) as ours, Worker(system, 1) as theirs:
        assert compare(case, {"a": ours, "b": theirs}, 1e-2, zeros_and_scale) is None


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_pairs_counted_are_those_that_are_seen(variant):
    B, N, T, d = shape = (4, 2, 64, 8)
    case = AttentionCase("attention", "forward", shape, variant)
    pairs = case.flops / (4 * N * d)
    if variant in ("full", "bool mask", "float mask"):
        assert pairs == B * T * T
    else:  # within half a key for each query, which is how the causal square is half of T²
        seen = np.broadcast_to(case.seen, (B, 1, T, T)).sum()
        assert abs(pairs - seen) <= B * T / 2


def test_training_counts_more():
    forward, train = (AttentionCase("attention", a, SHAPE, "full") for a in ("forward", "train"))
    assert train.flops == 3.5 * forward.flops
    assert AttentionCase("linear_gelu", "train", (2, 3, 4)).flops == 3 * 2 * 2 * 3 * 4
    assert AttentionCase("add_layer_norm", "train", (2, 3)).bytes == 4 * 6 * (4 + 4)


def test_a_model_counts_its_products_and_attention():
    L, _, E, T, B = GPT
    products = 3 * 2 * B * T * (L * (3 * E * E + E * E + 4 * E * E + 4 * E * E) + 65 * E)
    attention = L * AttentionCase("attention", "train", (B, 1, T, E), "causal").flops
    assert AttentionCase("gpt", "step", GPT).flops == products + attention


def test_memory_is_that_of_the_case():
    tiny = AttentionCase("dropout", "train", (3, 4))
    with Worker("c", 1) as worker:
        used = worker.memory(AttentionCase("dropout", "train", (1024, 4096)), tiny)
    array = 4 * 1024 * 4096
    assert 3 * array <= used <= 8 * array  # x, g, y and dx live at once, at least three of them


def test_every_case_of_attention_has_its_target():
    known = targets()
    for T in (64, 512, 513, 1024):
        for variant in VARIANTS:
            for asked in ("forward", "train"):
                case = AttentionCase("attention", asked, (1, 1, T, 8), variant)
                keys = attention_keys(case)
                assert all(key in known for group in keys.values() for key in group)
                assert known[keys["torch"][0]].at_least == (2.0 if T <= 512 else 1.3)
                assert bool(keys["peak"]) == (T >= 1024 and variant == "causal")


class Wrong:
    notes = ()

    def results(self, case):
        return [np.zeros(SHAPE, np.float32)]

    def seconds(self, duration):
        raise AssertionError("a wrong result is not timed")


def test_a_wrong_result_is_told_and_not_timed(capsys):
    only = ["attention: ", "forward", "causal"]
    with ExitStack() as stack:
        bench = AttentionBench(stack, quick=True, threads=1, rounds=1, only=only, peers=["jax"])
        bench._workers["jax", 1, ""] = Wrong()
        sections.attention(bench)
    assert bench.wrong and "WRONG: jax differs from numpy" in capsys.readouterr().out
    assert not bench.targets["jax"].measured


@pytest.mark.parametrize(
    "only, row",
    [
        (["attention:", "train", "window"], "attention train B=2 N=4 T=17 d=8 window "),
        (["skip", "forward", "lengths"], "attention forward B=2 N=4 T=17 d=8 lengths "),
        (["layers", "rms_norm train"], "rms_norm train R=6 E=24 "),
        (["gpt: gpt token"], "gpt token L=2 N=2 E=16 T=12 B=1 "),
        (["memory", "attention"], "attention train, T=512 -> T=2048 "),
        (["threads", "gpt"], "gpt step L=2 N=2 E=16 T=12 B=3 "),
    ],
)
def test_a_section_prints_its_row(only, row):
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.attention", "--quick", "--rounds", "1", "--peers",
         "--only", *only],
        cwd=Path(__file__).parents[2], capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0 and not done.stderr, done.stderr
    assert sum(line.startswith(row) for line in done.stdout.splitlines()) == 1
