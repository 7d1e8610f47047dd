"""The attention kernels in NumPy: against the equation query by query, and, gradients too, against
the op's reference in plain ops."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyseq.autograd import REGISTRY, Tensor, grad
from tinyseq.backend import numpy_attention as K
from tinyseq.backend.attention import Pattern
from tinyseq.backend.philox import dropout


def problem(
    B=2, N=4, M=2, T=5, S=6, d=3, dv=2, mask=None, slopes=False, seed=0, dtype=np.float64, **options
):
    """q, k, v, mask and pattern; of a mask its shape and whether it is of floats."""
    random = np.random.default_rng(seed)
    shapes = (B, N, T, d), (B, M, S, d), (B, M, S, dv)
    arrays = [random.standard_normal(shape).astype(dtype) for shape in shapes]
    if mask is not None:
        shape, floats = mask
        mask = random.random(shape) < 0.6
        if floats:
            mask = np.where(mask, random.standard_normal(shape), -np.inf).astype(dtype)
    pattern = Pattern(d**-0.5, slopes=random.random(N) if slopes else None, **options)
    return *arrays, mask, pattern


@st.composite
def problems(draw):
    """Every option, odd sizes and none at all."""
    B, T, S = (draw(st.integers(0, 4)) for _ in range(3))
    M, group = draw(st.integers(1, 2)), draw(st.integers(1, 3))
    flag, N = st.booleans(), M * group
    shape = st.tuples(*(st.sampled_from([1, n]) for n in (B, N, T, S)))
    lengths = draw(st.none() | st.lists(st.integers(0, S), min_size=B, max_size=B))
    start = draw(st.none() | st.lists(st.integers(-3, 5), min_size=B, max_size=B))
    return problem(
        B, N, M, T, S, draw(st.integers(1, 3)), draw(st.integers(1, 3)),
        mask=draw(st.none() | st.tuples(shape, flag)),
        seed=draw(st.integers(0, 99)),
        causal=draw(flag), window=draw(st.integers(0, 4)), slopes=draw(flag),
        lengths=None if lengths is None else np.array(lengths, np.int64),
        start=None if start is None else np.array(start, np.int64),
        softcap=draw(st.sampled_from([0.0, 0.8])), dropout=draw(st.sampled_from([0.0, 0.4, 1.0])),
        key=draw(st.integers(0, 2**64 - 1)),
    )  # fmt: skip


def equation(q, k, v, mask, pattern):
    """y and, of the scores, logsumexp: one query after another over the keys that it sees."""
    (B, N, T, _), (_, M, S, dv) = q.shape, v.shape
    factors = dropout(np.ones((B, N, T, S)), pattern.dropout, pattern.key)
    mask = np.broadcast_to(True if mask is None else mask, (B, N, T, S))
    y, logsumexp = np.zeros((B, N, T, dv)), np.full((B, N, T), -np.inf)
    for b, n, i in np.ndindex(B, N, T):
        p = i + (S - T if pattern.start is None else pattern.start[b])
        keys, scores, m = [], [], n * M // N
        for j in range(S if pattern.lengths is None else pattern.lengths[b]):
            hidden = not mask[b, n, i, j] if mask.dtype == bool else mask[b, n, i, j] == -np.inf
            too_far = pattern.window and abs(p - j) >= pattern.window
            if hidden or too_far or (pattern.causal and j > p):
                continue
            score = pattern.scale * (q[b, n, i] @ k[b, m, j])
            if pattern.softcap:
                score = pattern.softcap * np.tanh(score / pattern.softcap)
            if pattern.slopes is not None:
                score -= pattern.slopes[n] * abs(p - j)
            keys.append(j)
            scores.append(score + (0 if mask.dtype == bool else mask[b, n, i, j]))
        if keys:
            weights = np.exp(scores)
            logsumexp[b, n, i] = np.log(weights.sum())
            y[b, n, i] = (weights / weights.sum() * factors[b, n, i, keys]) @ v[b, m, keys]
    return y, logsumexp


def weighting(q, k, v):
    return np.random.default_rng(1).standard_normal((*q.shape[:3], v.shape[3]))


def forward(*given):
    """y, and of each query its largest score and the total."""
    y, totals = K.attention_forward(*given)
    return y, *totals


def gradients(*given, out=None):
    """Of q, k, v, and of a mask of floats."""
    q, k, v, mask, pattern = given
    y, totals = K.attention_forward(*given)
    floats = mask is not None and mask.dtype != bool
    backward = K.attention_backward_with_mask if floats else K.attention_backward
    g = weighting(q, k, v).astype(q.dtype)
    return backward(g, q, k, v, mask, y, totals, pattern, out)


def close(results, wanted):
    for got, want in zip(results, wanted, strict=True):
        assert got.shape == want.shape and got.dtype == want.dtype
        np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-10)


@given(problems(), st.sampled_from([1, 40, 1 << 20]))
@settings(max_examples=300, deadline=None)
def test_values_and_gradients_of_any_options(given, at_a_time):
    q, k, v, mask, pattern = given
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(K, "SCORES", at_a_time)
        y, largest, total = forward(*given)
        found = gradients(*given)
    with np.errstate(divide="ignore"):  # the logarithm of no key's 0
        close((y, largest * np.log(2) + np.log(total)), equation(*given))
    inputs = [Tensor(a, requires_grad=True) for a in (q, k, v)]
    floats = mask is not None and mask.dtype != bool
    masks = [] if mask is None else [Tensor(mask, requires_grad=floats)]
    reference = REGISTRY["_attention_forward"].reference
    (y,) = reference(*inputs, *(masks or [None]), pattern=pattern)
    wanted = grad(y, inputs + masks * floats, weighting(q, k, v), allow_unused=True)
    sources = (q, k, v, mask)
    close(
        found,
        [np.zeros_like(a) if w is None else w.data for a, w in zip(sources, wanted, strict=False)],
    )


@pytest.mark.parametrize("filled", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("softcap", [0.0, 1.0])
def test_what_nobody_sees_does_not_leak(filled, softcap):
    seen = np.ones((2, 1, 5, 6), bool)
    seen[0, :, 2], seen[1, :, :, 3] = False, False  # a query that sees nothing, and an unseen key
    q, k, v, _, pattern = problem(lengths=np.array([4, 6]), slopes=True, softcap=softcap)
    wanted = *forward(q, k, v, seen, pattern), *gradients(q, k, v, seen, pattern)
    q[0, :, 2] = k[0, :, 4:] = v[0, :, 4:] = k[1, :, 3] = v[1, :, 3] = filled
    found = *forward(q, k, v, seen, pattern), *gradients(q, k, v, seen, pattern)
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("filled", [np.nan, np.inf, -np.inf])
def test_what_some_see_reaches_only_those(filled):
    """Each query sees the key at its own place alone."""
    q, k, v, _, pattern = problem(T=6, window=1)
    wanted = *forward(q, k, v, None, pattern), *gradients(q, k, v, None, pattern)
    q[0, 0, 1] = k[0, 1, 2] = v[1, 0, 4] = filled
    found = *forward(q, k, v, None, pattern), *gradients(q, k, v, None, pattern)
    for a, b in zip(found, wanted, strict=True):
        others = np.ones(a.shape[:3], bool)
        others[0, :, 1:3] = others[1, :, 4] = False
        np.testing.assert_array_equal(a[others], b[others])
    y = found[0]
    assert not np.isfinite(y[1, :2, 4]).any() and np.isfinite(y[1, 2:, 4]).all()


def test_a_gradient_that_is_none_of_a_number_reaches_only_what_its_query_saw():
    q, k, v, _, pattern = problem(T=6, causal=True)
    y, totals = K.attention_forward(q, k, v, None, pattern)
    g = weighting(q, k, v)
    g[:, :, 2] = np.nan
    dq, dk, dv = K.attention_backward(g, q, k, v, None, y, totals, pattern)
    assert np.isnan(dq[:, :, 2]).all() and np.isfinite(np.delete(dq, 2, 2)).all()
    for a in (dk, dv):
        assert np.isnan(a[:, :, :3]).all() and np.isfinite(a[:, :, 3:]).all()


def test_heads_lie_side_by_side_and_gradients_go_where_they_are_asked_to():
    given = problem(mask=((2, 1, 1, 6), False))
    y, _ = K.attention_forward(*given)
    wanted = gradients(*given)
    for a in (y, *wanted):
        assert a.transpose(0, 2, 1, 3).flags.c_contiguous
    room = np.full((6, 2, 3, 10), 7.0)
    out = tuple(
        room[: a.shape[2], :, : a.shape[3], : a.shape[1]].transpose(1, 3, 0, 2) for a in wanted
    )
    for one, want in zip(out, wanted, strict=True):
        room[...] = 7.0
        others = tuple(one if a is one else np.empty(a.shape) for a in out)
        gradients(*given, out=others)
        np.testing.assert_array_equal(one, want)
        assert (room == 7.0).sum() == room.size - one.size


@pytest.mark.parametrize("floats", [False, True])
def test_float32_stays_float32_and_no_argument_is_changed(floats):
    options = {"mask": ((4, 1, 6), floats), "softcap": 1.0, "dropout": 0.3, "slopes": True}
    options["mask"] = ((1, 4, 1, 6), floats)
    narrow, wide = (problem(dtype=t, **options) for t in (np.float32, np.float64))
    before = [a.copy() for a in narrow[:4]]
    found = *K.attention_forward(*narrow), *gradients(*narrow)
    for a, b in zip(narrow, before, strict=False):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(found, (*K.attention_forward(*wide), *gradients(*wide)), strict=True):
        assert a.dtype == np.float32
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("extreme", [0.9, np.inf])
def test_nothing_warns_of_an_overflow_or_an_infinity(extreme, dtype):
    """Warnings are errors here."""
    big = dtype(extreme * np.finfo(dtype).max)
    q, k, v, mask, pattern = problem(dtype=dtype, mask=((1, 1, 5, 6), True), softcap=1.0)
    q, k, v = (np.where(a < 0.5, big, -big).astype(dtype) for a in (q, k, v))
    for cap in (0.0, 1.0):
        gradients(q, k, v, mask, pattern._replace(softcap=cap, causal=True))


def test_scores_that_are_large_do_not_overflow():
    q, k, v, _, pattern = problem()
    y, totals = K.attention_forward(1e4 * q, k, v, None, pattern)
    assert np.isfinite(y).all() and np.abs(totals).max() > 1e3
    assert all(np.isfinite(a).all() for a in gradients(1e4 * q, k, v, None, pattern))


def test_memory_does_not_grow_with_the_product_of_queries_and_keys(monkeypatch):
    monkeypatch.setattr(K, "SCORES", 1 << 14)
    peaks = []
    for T in (256, 1024):
        given = problem(1, 1, 1, T, T, causal=True, dtype=np.float32)
        tracemalloc.start()
        gradients(*given)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 4.5 * peaks[0] < 1024 * 1024 * 4
