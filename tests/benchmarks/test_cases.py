"""The cases: the systems do the same work, what is counted, what the variants are made of."""

from importlib.util import find_spec
from shutil import which

import numpy as np
import pytest

from benchmarks.cases.charlm import CharLMCase
from benchmarks.cases.overhead import GRAPHS, OverheadCase
from benchmarks.cases.recurrent import CELLS, Case
from benchmarks.harness import compare
from benchmarks.remote import Worker
from benchmarks.systems import recurrent_tinyseq

pytest.importorskip("tinyseq.backend.c_kernels", reason="the C extension is not built")

SHAPE = (7, 5, 3, 4)
VARIANTS = ("layer_norm", "recurrent_dropout", "zoneout", "half", "checkpoint_every", "decaying")


@pytest.mark.parametrize("peer", ["torch", "jax", "tensorflow"])
def test_the_peers_do_the_same_work(peer):
    if find_spec(peer) is None:
        pytest.skip(f"{peer} is not installed")
    with Worker("numpy", 1) as ours, Worker(peer, 1) as theirs:
        for cell in CELLS:
            for asked in ("forward", "train", "step"):
                shape = (1, *SHAPE[1:]) if asked == "step" else SHAPE
                assert compare(Case(f"{cell} {asked}", shape), {"a": ours, "b": theirs}) is None


@pytest.mark.parametrize("peer", ["torch", "jax", "tensorflow", "tinygrad"])
def test_the_peers_do_the_same_product(peer):
    if find_spec(peer) is None or (peer == "tinygrad" and which("clang") is None):
        pytest.skip(f"{peer} is not installed, or lacks its compiler")
    with Worker("numpy", 1) as ours, Worker(peer, 1) as theirs:
        for variant in ("nn", "nt", "tn", "tt"):
            assert compare(Case("matmul", (5, 4, 3), variant), {"a": ours, "b": theirs}) is None


@pytest.mark.parametrize("peer", ["c", "torch", "jax", "tensorflow"])
def test_the_lstm_model_learns_the_same(peer):
    if peer != "c" and find_spec(peer) is None:
        pytest.skip(f"{peer} is not installed")
    case = CharLMCase((6, 7, 5, 3))
    with Worker("numpy", 1) as ours, Worker(peer, 1) as theirs:
        assert compare(case, {"a": ours, "b": theirs}) is None
        (losses,) = ours.results(case)
    assert losses[-1] < losses[0]


@pytest.mark.parametrize("peer", ["torch", "autograd"])
def test_the_peers_build_the_same_graphs(peer):
    if find_spec(peer) is None:
        pytest.skip(f"{peer} is not installed")
    with Worker("c", 1) as ours, Worker(peer, 1) as theirs:
        for kind in GRAPHS:
            case = OverheadCase(kind, (2, 2) if "2x2" in kind else (4,))
            assert compare(case, {"a": ours, "b": theirs}, tolerance=1e-2) is None, kind


def test_the_operations_counted():
    T, B, D, H = SHAPE
    assert Case("lstm forward", SHAPE).flops == 2 * T * B * (D * 4 * H + H * 4 * H)
    assert Case("gru train", SHAPE).flops == 3 * 2 * T * B * (D * 3 * H + H * 3 * H)
    assert Case("matmul", (2, 3, 4), "nn").flops == 2 * 2 * 3 * 4
    assert Case("gru train", SHAPE, "half").flops == Case("gru train", SHAPE).flops / 2
    step = Case("lstm step", (1, 1, D, H))
    assert not step.flops and step.bytes == 4 * 4 * H * (D + H)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("variant", VARIANTS)
def test_a_variant_is_the_plain_layer_with_something_else(cell, variant):
    plain = Case(f"{cell} train", SHAPE)
    other = Case(f"{cell} train", SHAPE, variant)
    a, b = recurrent_tinyseq.work(plain)(), recurrent_tinyseq.work(other)()
    assert a[0].shape == b[0].shape
    assert np.array_equal(a[0], b[0]) == (variant == "checkpoint_every")


def test_no_such_variant():
    with pytest.raises(ValueError, match="there is no variant 'nonsense'"):
        Case("gru train", SHAPE, "nonsense").inputs()


def test_half_the_mean_length():
    lengths = Case("gru train", (64, 32, 3, 4), "half").inputs()["lengths"]
    assert lengths.mean() == pytest.approx(32, abs=0.5) and lengths.max() == 64


@pytest.mark.parametrize("cell", CELLS)
def test_what_decays_falls_among_the_denormal_numbers(cell):
    with Worker("numpy", 1) as worker:  # C takes them for zeros
        y, dx, *_ = worker.results(Case(f"{cell} train", (320, 4, 32, 32), "decaying"))
    smallest = np.finfo(np.float32).smallest_normal
    for values in (y, dx):
        denormal = (values != 0) & (np.abs(values) < smallest)
        assert denormal.any(axis=(0, 2)).mean() > 0.2
        assert (np.abs(values) >= smallest).any(axis=(0, 2)).mean() > 0.2
