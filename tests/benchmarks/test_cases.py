"""The cases of the recurrent layers: what is counted, what the variants are made of."""

from importlib.util import find_spec

import numpy as np
import pytest

from benchmarks import work_tinyseq
from benchmarks.cases import CELLS, Case
from benchmarks.harness import Worker, compare

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


def test_the_operations_counted():
    T, B, D, H = SHAPE
    assert Case("lstm forward", SHAPE).flops == 2 * T * B * (D * 4 * H + H * 4 * H)
    assert Case("gru train", SHAPE).flops == 3 * 2 * T * B * (D * 3 * H + H * 3 * H)
    assert Case("matmul", (2, 3, 4), "nn").flops == 2 * 2 * 3 * 4


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("variant", VARIANTS)
def test_a_variant_is_the_plain_layer_with_something_else(cell, variant):
    plain = Case(f"{cell} train", SHAPE)
    other = Case(f"{cell} train", SHAPE, variant)
    a, b = work_tinyseq.work(plain)(), work_tinyseq.work(other)()
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
