"""The cases of attention and of the layers: the systems do the same work, what is counted."""

from importlib.util import find_spec

import numpy as np
import pytest

from benchmarks.cases.attention import PASSES, SIZES, VARIANTS, AttentionCase
from benchmarks.harness import compare
from benchmarks.remote import Worker
from benchmarks.sections.layers import zeros

pytest.importorskip("tinyseq.backend.c_kernels", reason="the C extension is not built")

SHAPE, GPT = (2, 4, 9, 8), (2, 2, 16, 12, 3)


def all_cases():
    for asked in ("forward", "train"):
        for variant in VARIANTS:
            yield AttentionCase("attention", asked, SHAPE, variant)
        for kind, sizes in SIZES.items():
            if kind not in ("attention", "gpt", "dropout", "adam"):
                yield AttentionCase(kind, asked, (7, 9, 5)[: len(sizes)])
    yield AttentionCase("adam", "step", (3, 50))


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
        assert compare(case, {"a": ours, "b": theirs}, 1e-2, zeros) is None


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
    assert AttentionCase("adam", "step", (2, 3)).bytes == 4 * 6 * 7


def test_what_moves_memory_counts_no_operations():
    for kind in PASSES:
        assert not AttentionCase(kind, "step", (2, 3)).flops


def test_a_model_counts_its_products_and_attention():
    L, _, E, T, B = GPT
    products = 3 * 2 * B * T * (L * (3 * E * E + E * E + 4 * E * E + 4 * E * E) + 65 * E)
    attention = L * AttentionCase("attention", "train", (B, 1, T, E), "causal").flops
    assert AttentionCase("gpt", "step", GPT).flops == products + attention


def test_memory_is_that_of_the_case():
    tiny = AttentionCase("dropout", "train", (3, 4))
    with Worker("c", 1) as worker:
        worker.results(tiny)
        worker.results(AttentionCase("dropout", "train", (1024, 4096)))
    used, array = worker.memory, 4 * 1024 * 4096
    assert 3 * array <= used <= 8 * array  # x, g, y and dx live at once, at least three of them
