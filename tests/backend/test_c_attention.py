"""The attention kernels in C, on every instruction set there is: against NumPy in float64, and with
arrays of every layout and size."""

from functools import cache

import numpy as np
import pytest

from tests.attention_kernels import assert_close, assert_same_bits, both, draw, wide
from tinyseq.backend import numpy_attention
from tinyseq.backend.attention import KEY_TILE, Pattern

c = pytest.importorskip("tinyseq.backend.c_kernels", reason="the C extension is not built")
c_attention = pytest.importorskip("tinyseq.backend.c_attention")

# A score is rounded to a part in 2^24 of itself, and its exponential is off by that much of the
# score: up to some 50 here, where ALiBi reaches over 400 keys.
TOLERANCE = 1e-5


@cache
def truth(seed, dropout=0.0):
    problem = draw(seed, dropout=dropout, key=seed * 2**40 + 3)
    return problem, both(numpy_attention, wide(problem))


# against NumPy


@pytest.mark.parametrize("seeds", [range(first, first + 20) for first in range(0, 120, 20)])
def test_sizes_and_options_at_random(isa, seeds):
    for seed in seeds:
        c.set_num_threads(1 + seed % 3)
        problem, wanted = truth(seed)
        assert_close(both(c_attention, problem), wanted, TOLERANCE)


@pytest.mark.parametrize("seeds", [range(0, 20), range(20, 40)])
def test_dropout_drops_the_same_weights(isa, seeds):
    for seed in seeds:
        problem, wanted = truth(seed, 0.3)
        assert_close(both(c_attention, problem), wanted, TOLERANCE)


def arrays(*sizes, d, dv, seed=0):
    """q, k, v, and g, of B, N, M, T and S."""
    random = np.random.default_rng(seed)
    B, N, M, T, S = sizes
    shapes = (B, N, T, d), (B, M, S, d), (B, M, S, dv), (B, N, T, dv)
    return [random.standard_normal(shape, np.float32) for shape in shapes]


SIZES = [  # B, N, M, T, S, d, dv
    (0, 2, 1, 3, 4, 5, 5), (2, 2, 2, 0, 4, 5, 5), (2, 4, 2, 3, 0, 5, 6), (1, 1, 1, 1, 1, 1, 1),
    (1, 8, 1, 1, 1000, 64, 64), (1, 9, 1, 1, 300, 7, 40), (2, 3, 3, 1, 513, 100, 33),
    (2, 2, 2, 5, 5, 600, 530), (1, 3, 3, 1, 200, 600, 530), (1, 2, 1, 600, 600, 16, 16),
]  # fmt: skip


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("window", [0, 150])
def test_every_size(isa, size, window):
    *sizes, d, dv = size
    q, k, v, g = arrays(*sizes, d=d, dv=dv)
    pattern = Pattern(scale=d**-0.5, causal=True, window=window)
    c.set_num_threads(3)
    problem = q, k, v, None, pattern, g
    in_64 = [a.astype(np.float64) for a in (q, k, v)]
    wanted = both(numpy_attention, (*in_64, None, pattern, g.astype(np.float64)))
    assert_close(both(c_attention, problem), wanted, TOLERANCE)


def test_a_query_that_sees_no_key_has_zeros_and_gets_and_gives_none(isa):
    q, k, v, g = arrays(2, 2, 2, 40, 150, d=17, dv=16)
    mask = np.ones((2, 1, 40, 1), bool)
    mask[:, :, 7] = False
    lengths, start = np.array([0, 150]), np.array([100, -5])
    pattern = Pattern(scale=1.0, causal=True, lengths=lengths, start=start)
    results = both(c_attention, (q, k, v, mask, pattern, g))
    blind = np.zeros((2, 2, 40), bool)
    blind[0] = blind[:, :, 7] = blind[1, :, :5] = True
    np.testing.assert_array_equal(results["largest"] == -np.inf, blind)
    assert not results["y"][blind].any() and not results["dq"][blind].any()
    assert results["y"][~blind].any(axis=-1).all()
    assert not results["dk"][0].any() and not results["dv"][0].any()
    none = both(c_attention, (q, k, v, np.zeros((1, 1, 1, 1), bool), Pattern(scale=1.0), g))
    assert all(not none[name].any() for name in ("y", "dq", "dk", "dv"))


def test_scores_so_large_that_only_a_running_maximum_keeps_them_finite(isa):
    q, k, v, g = arrays(1, 2, 2, 20, 300, d=16, dv=16)
    k *= np.linspace(1, 100, 300, dtype=np.float32)[:, None]  # each tile has a new maximum
    in_64 = [a.astype(np.float64) for a in (q, k, v)]
    wanted = both(numpy_attention, (*in_64, None, Pattern(scale=1.0), g.astype(np.float64)))
    # Scores of 1000 are rounded to 3e-5, and the gradient of q is multiplied by keys of 100.
    assert_close(both(c_attention, (q, k, v, None, Pattern(scale=1.0), g)), wanted, 1e-3)
    assert np.max(wanted["largest"]) > 500


# layouts


def strange(a):
    """The same values: backwards in memory, misaligned and read-only."""
    backwards = np.array(a[:, ::-1, ::-1], order="C")[:, ::-1, ::-1]
    raw = np.empty(backwards.nbytes + 1, np.uint8)[1:]
    shifted = np.ndarray(a.shape, a.dtype, buffer=raw)
    shifted[...] = a
    shifted.flags.writeable = False
    return backwards, shifted, np.asfortranarray(a), np.repeat(a, 2, axis=-1)[..., ::2]


def test_every_layout_gives_the_same_bits(isa):
    q, k, v, g = arrays(2, 4, 2, 30, 140, d=20, dv=12)
    mask = np.random.default_rng(1).standard_normal((2, 4, 30, 140), np.float32)
    pattern = Pattern(scale=0.2, causal=True)
    wanted = both(c_attention, (q, k, v, mask, pattern, g))
    for each in zip(*map(strange, (q, k, v, mask, g)), strict=True):
        *given, mask_, g_ = each
        assert_same_bits(both(c_attention, (*given, mask_, pattern, g_)), wanted)
    seen = mask > 0
    wanted = both(c_attention, (q, k, v, seen, pattern, g))
    for each in strange(seen):
        assert_same_bits(both(c_attention, (q, k, v, each, pattern, g)), wanted)


def test_one_key_stands_for_all_rows_and_heads(isa):
    q, k, v, g = arrays(2, 4, 4, 30, 140, d=20, dv=12)
    one_k, one_v = np.broadcast_to(k[:1, :1], k.shape), np.broadcast_to(v[:1, :1], v.shape)
    wanted = both(c_attention, (q, one_k.copy(), one_v.copy(), None, Pattern(scale=0.2), g))
    assert_same_bits(both(c_attention, (q, one_k, one_v, None, Pattern(scale=0.2), g)), wanted)


def test_results_lie_as_batch_time_heads(isa):
    q, k, v, g = arrays(2, 4, 2, 30, 140, d=20, dv=12)
    results = both(c_attention, (q, k, v, None, Pattern(scale=0.2), g))
    for name in ("y", "dq", "dk", "dv"):
        assert results[name].transpose(0, 2, 1, 3).flags.c_contiguous


def test_gradients_are_written_into_one_packed_array(isa):
    """As a layer makes q, k and v with one product."""
    random = np.random.default_rng(0)
    packed = random.standard_normal((2, 50, 8 * 12), np.float32).reshape(2, 50, 8, 12)
    gradient, parts = np.full_like(packed, np.nan), (slice(0, 4), slice(4, 6), slice(6, 8))
    q, k, v = (packed[:, :, p].transpose(0, 2, 1, 3) for p in parts)
    out = tuple(gradient[:, :, p].transpose(0, 2, 1, 3) for p in parts)
    g = random.standard_normal(q.shape, np.float32)
    pattern = Pattern(scale=0.3, causal=True)
    wanted = both(c_attention, (q, k, v, None, pattern, g))
    y, totals = c_attention.attention_forward(q, k, v, None, pattern)
    made = c_attention.attention_backward(g, q, k, v, None, y, totals, pattern, out=out)
    assert all(a is b for a, b in zip(made, out, strict=True))
    names = ("dq", "dk", "dv")
    assert_same_bits(dict(zip(names, out, strict=True)), {name: wanted[name] for name in names})


def test_other_dtypes_are_served_by_numpy():
    problem = wide(draw(3))
    assert_same = np.testing.assert_array_equal
    results, wanted = both(c_attention, problem), both(numpy_attention, problem)
    for name in wanted:
        assert results[name].dtype == np.float64
        assert_same(results[name], wanted[name])


def test_the_tile_of_keys_is_one_number():
    assert c_attention.lib.TS_KEY_TILE == KEY_TILE


@pytest.mark.parametrize("size", ["B", "N", "T", "S", "d", "dv"])
def test_sizes_whose_products_would_overflow_are_refused_before_anything_is_read(isa, size):
    ffi, lib = c_attention.ffi, c_attention.lib
    sizes = dict.fromkeys(("B", "N", "M", "T", "S", "d", "dv"), 1)
    job, gradients = ffi.new("ts_attention *", sizes), ffi.new("ts_attention_gradients *")
    for large in (1 << 45, (1 << 63) - 1):
        setattr(job, size, large)
        assert lib.ts_attention_forward(job) == lib.TS_NO_MEMORY
        assert lib.ts_attention_backward(job, gradients) == lib.TS_NO_MEMORY
