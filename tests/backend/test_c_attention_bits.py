"""The attention kernels in C: the bits that must not change, and what must not leak."""

import os
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest

from tests.attention_kernels import assert_same_bits, both, draw, part, sees
from tinyseq.backend.attention import KEY_TILE, Pattern

c = pytest.importorskip("tinyseq.backend.c_kernels", reason="the C extension is not built")
c_attention = pytest.importorskip("tinyseq.backend.c_attention")

FUSED = [isa for isa in c.isas() if isa != "scalar"]  # those with a fused multiply-add
SEEDS = [range(first, first + 10) for first in range(0, 40, 10)]


@pytest.mark.parametrize("seeds", SEEDS)
@pytest.mark.parametrize("dropout", [0.0, 0.3])
def test_threads_change_no_bit(isa, seeds, dropout):
    """Those for whom no whole head is left share the tiles of others."""
    for seed in seeds:
        problem = draw(seed, dropout=dropout, key=seed)
        c.set_num_threads(1)
        wanted = both(c_attention, problem)
        for threads in (2, 3, 5):
            c.set_num_threads(threads)
            assert_same_bits(both(c_attention, problem), wanted)


@pytest.mark.skipif(len(FUSED) < 2, reason="one instruction set with fused multiply-add here")
@pytest.mark.parametrize("seeds", SEEDS)
def test_all_instruction_sets_with_fused_multiply_add_give_the_same_bits(seeds):
    before = c.isa()
    for seed in seeds:
        problem, results = draw(seed, dropout=0.2 * (seed % 2), key=seed), []
        for each in FUSED:
            c.use_isa(each)
            results.append(both(c_attention, problem))
        c.use_isa(before)
        for other in results[1:]:
            assert_same_bits(other, results[0])


@pytest.mark.parametrize("seeds", SEEDS)
def test_a_row_alone_and_without_padding_has_the_bits_that_it_has_among_others(isa, seeds):
    for seed in seeds:
        problem = draw(seed)
        whole, lengths = both(c_attention, problem), problem.pattern.lengths
        for row in range(len(problem.q)):
            n = problem.k.shape[2] if lengths is None else lengths[row]
            alone = part(problem, slice(row, row + 1), keys=slice(n))
            alone = alone._replace(pattern=alone.pattern._replace(lengths=None))
            wanted = {name: a[row : row + 1] for name, a in whole.items()}
            assert not wanted["dk"][:, :, n:].any() and not wanted["dv"][:, :, n:].any()
            wanted |= {name: wanted[name][:, :, :n] for name in ("dk", "dv")}
            assert_same_bits(both(c_attention, alone), wanted)


@pytest.mark.parametrize("seeds", SEEDS)
def test_queries_cut_in_pieces_or_taken_one_by_one(isa, seeds):
    for seed in seeds:
        problem = draw(seed, T=(9, 33, 150))
        T = problem.q.shape[2]
        y, totals = c_attention.attention_forward(*problem[:5])
        for cuts in ((0, 4, T), (0, 1, 2, T - 1, T), range(T + 1)):
            pieces = [
                c_attention.attention_forward(*part(problem, queries=slice(begin, end))[:5])
                for begin, end in pairwise(cuts)
            ]
            cut_y = np.concatenate([y for y, _ in pieces], axis=2)
            cut_totals = np.concatenate([totals for _, totals in pieces], axis=3)
            assert_same_bits({"y": cut_y, "totals": cut_totals}, {"y": y, "totals": totals})


def test_a_window_that_has_dropped_whole_tiles_of_old_keys(isa):
    for seed in range(8):
        start, window = KEY_TILE * 2 + 17 * seed, KEY_TILE - 7
        problem = draw(seed, T=(1, 5, 40), causal=True, window=window, lengths=None)
        B, M, _, d = problem.k.shape
        random = np.random.default_rng(seed)
        k, v = (random.standard_normal((B, M, start + 40, n), np.float32)
                for n in (d, problem.v.shape[3]))  # fmt: skip
        pattern = problem.pattern._replace(start=np.full(B, start))
        wanted = c_attention.attention_forward(problem.q, k, v, None, pattern)
        dropped = (start - window + 1) // KEY_TILE * KEY_TILE
        assert dropped > 0
        pattern = pattern._replace(start=pattern.start - dropped)
        k, v = k[:, :, dropped:], v[:, :, dropped:]
        results = c_attention.attention_forward(problem.q, k, v, None, pattern)
        for a, b in zip(results, wanted, strict=True):
            assert_same_bits({"": a}, {"": b})


# what is not seen


@pytest.mark.parametrize("seeds", SEEDS)
def test_nothing_is_seen_of_keys_and_queries_that_nobody_meets(isa, seeds):
    for seed in seeds:
        problem = draw(seed)
        wanted, seen = both(c_attention, problem), sees(problem)
        B, M, S = problem.k.shape[:3]
        keys = ~seen.reshape(B, M, -1, S).any(axis=2)
        queries = ~seen.any(axis=3)
        q, k, v, g = (a.copy() for a in (problem.q, problem.k, problem.v, problem.g))
        k[keys], v[keys], q[queries], g[queries] = np.nan, np.inf, -np.inf, np.nan
        assert_same_bits(both(c_attention, problem._replace(q=q, k=k, v=v, g=g)), wanted)


@pytest.mark.parametrize("what", ["k", "v", "q", "g"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_reaches_those_who_see_it_and_no_others(isa, what, bad):
    """In one place of one row of the batch: whoever does not see it keeps every bit."""
    for seed in range(12):
        problem = draw(seed, T=(33, 150), slopes=None, causal=True)
        wanted, seen = both(c_attention, problem), sees(problem)
        (B, N, T, _), (_, M, S, _) = problem.q.shape, problem.k.shape
        place = (seed * 7 + 1) % (S if what in "kv" else T)
        changed = getattr(problem, what).copy()
        changed[0, :, place] = bad
        results = both(c_attention, problem._replace(**{what: changed}))
        met = np.zeros((B, N, T), bool)  # the queries that have to do with it
        met[0] = seen[0, :, :, place] if what in "kv" else np.arange(T) == place
        # keys have to do with it if any query of these meets them
        keys = (seen & met[..., None]).reshape(B, M, -1, S).any(axis=2)
        for name, touched in (
            ("y", met),
            ("largest", met),
            ("total", met),
            ("dq", met),
            ("dk", keys),
            ("dv", keys),
        ):
            assert_same_bits({name: results[name][~touched]}, {name: wanted[name][~touched]})
        if np.isnan(bad):  # a score of -infinity is a weight of 0
            assert what not in "kvq" or np.isnan(results["y"][met & seen.any(axis=3)]).all()
            assert np.isnan(results["dk"][keys]).all()


# the process around the kernels


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_gets_the_same_bits_and_does_not_hang():
    problem = draw(5, T=(300,))
    c.set_num_threads(2)
    wanted = both(c_attention, problem)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            assert_same_bits(both(c_attention, problem), wanted)
            code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_threads_of_python_that_call_at_once_get_the_same_bits():
    """All but one find the other threads taken and do alone what was planned for three."""
    problems = [draw(seed, T=(200, 300)) for seed in range(4)]
    c.set_num_threads(3)
    wanted = [both(c_attention, problem) for problem in problems]

    def one(i):
        assert_same_bits(both(c_attention, problems[i]), wanted[i])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(one, list(range(4)) * 6))


def test_memory_that_holds_the_weights_is_never_asked_for():
    """At this length they would take 4 GB a head."""
    T = 32768
    one = np.ones((1, 1, T, 1), np.float32)
    pattern = Pattern(scale=1.0, causal=True, window=3)
    results = both(c_attention, (one, one, one, None, pattern, one))
    np.testing.assert_allclose(results["y"], 1, rtol=1e-6)
    np.testing.assert_allclose(results["dv"][0, 0, 2:-2], 1, rtol=1e-6)
