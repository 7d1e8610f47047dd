"""Attention as a user calls it: what must not leak, empty sizes, pieces, and what is refused. Its
values and gradients are in test_gradients, test_numpy_attention and the parity tests."""

import numpy as np
import pytest

import tinyseq as ts
from tinyseq import ops
from tinyseq.nn import functional as F

EVERYTHING = {
    "is_causal": True, "window": 4, "alibi_slopes": [0.5, 0.25, 0.125, 0.0625], "softcap": 2.0,
    "scale": 0.4,
}  # fmt: skip


def arrays(B=2, N=4, M=2, T=5, S=7, d=3, dv=2, dtype=np.float64, seed=0):
    random = np.random.default_rng(seed)
    shapes = (B, N, T, d), (B, M, S, d), (B, M, S, dv)
    return [random.standard_normal(shape).astype(dtype) for shape in shapes]


def results(given, *, recorded=False, mask=None, weights=None, **options):
    """y, and the gradients of q, k, v and a mask of floats, by the kernel or, if the gradient is
    recorded itself, by the reference."""
    inputs = [ts.tensor(a, requires_grad=True) for a in given]
    if mask is not None and mask.dtype != bool:
        mask = ts.tensor(mask, requires_grad=True)
        inputs.append(mask)
    y = F.scaled_dot_product_attention(*inputs[:3], mask, **options)
    if weights is None:
        weights = np.random.default_rng(1).standard_normal(y.shape)
    weights = ts.tensor(np.asarray(weights, y.dtype))
    return [y.data, *(g.data for g in ts.grad(y, inputs, weights, create_graph=recorded))]


def close(results, wanted, tolerance=1e-12):
    for a, b in zip(results, wanted, strict=True):
        assert a.shape == b.shape and a.dtype == b.dtype
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("recorded", [False, True])
@pytest.mark.parametrize("softcap", [None, 2.0])
@pytest.mark.parametrize("filled", [np.nan, np.inf, -np.inf, 1e30])
def test_what_nobody_sees_changes_nothing(filled, softcap, recorded, dtype):
    q, k, v = arrays(dtype=dtype)
    mask = np.random.default_rng(2).standard_normal((2, 1, 5, 7)).astype(dtype)
    mask[0, :, 2] = -np.inf
    mask[1, :, :, 3] = -np.inf
    options = {
        "mask": mask, "lengths": [6, 7], "softcap": softcap, "recorded": recorded,
        "alibi_slopes": EVERYTHING["alibi_slopes"],
    }  # fmt: skip
    wanted = results((q, k, v), **options)
    q[0, :, 2] = k[0, :, 6:] = v[0, :, 6:] = k[1, :, 3] = v[1, :, 3] = filled
    found = results((q, k, v), **options)
    assert all(np.isfinite(a).all() for a in found)
    close(found, wanted, 1e-12 if dtype == np.float64 else 1e-5)
    y, dq, dk, dv, dmask = found
    for zeros in (
        y[0, :, 2],
        dq[0, :, 2],
        dk[0, :, 6],
        dv[1, :, 3],
        dmask[0, :, 2],
        dmask[1, ..., 3],
    ):
        assert not zeros.any()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("filled", [np.nan, -np.inf, "large"])
def test_what_nobody_sees_changes_no_second_derivative(filled, dtype):
    """Neither does the gradient that comes to a query that sees nothing."""
    filled = np.finfo(dtype).max if filled == "large" else filled
    q, k, v = arrays(T=7, dtype=dtype)
    g = np.random.default_rng(1).standard_normal((2, 4, 7, 2)).astype(dtype)

    def second():
        inputs = [ts.tensor(a, requires_grad=True) for a in (q, k, v, g)]
        y = F.scaled_dot_product_attention(
            *inputs[:3], is_causal=True, lengths=[6, 5], start=[-1, 0]
        )
        first = ts.grad(y, inputs[:3], inputs[3], create_graph=True)
        return [a.data for a in ts.grad(sum((a * a).sum() for a in first), inputs)]

    wanted = second()
    for change in (g[0, :, 0], q[0, :, 0], k[0, :, 6], v[1, :, 5:]):
        change[:] = filled
        close(second(), wanted, 1e-12 if dtype == np.float64 else 1e-4)


@pytest.mark.parametrize("hidden", [-1e9, np.finfo(np.float32).min])
def test_a_mask_that_hides_every_key_by_a_large_number_weighs_them_alike(hidden):
    """Beside it a score is lost to rounding."""
    q, k, v = arrays(M=4, T=20, S=150, d=8, dv=8, dtype=np.float32)
    mask = np.full((20, 150), hidden, np.float32)
    g = np.random.default_rng(1).standard_normal((2, 4, 20, 8))
    slope = (g @ v.swapaxes(2, 3) - g @ v.mean(2)[..., None]) / 150 * 8**-0.5
    dv = np.broadcast_to(g.sum(2, keepdims=True) / 150, v.shape)
    y = np.broadcast_to(v.mean(2, keepdims=True), q.shape)
    found = results((q, k, v), mask=mask, weights=g)
    wanted = y, slope @ k, slope.swapaxes(2, 3) @ q, dv, slope.sum((0, 1)) * 8**0.5
    close(found, [np.asarray(a, np.float32) for a in wanted], 1e-4)
    hides = ts.tensor(mask)  # without a gradient of its own
    inputs = [ts.tensor(a, requires_grad=True) for a in (q, k, v)]
    y = F.scaled_dot_product_attention(*inputs, hides)
    close([a.data for a in ts.grad(y, inputs, ts.tensor(g.astype(np.float32)))], found[1:4], 1e-4)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("recorded", [False, True])
@pytest.mark.parametrize("filled", [np.nan, np.inf])
def test_what_comes_later_does_not_reach_what_came_before(filled, recorded, dtype):
    """Causal, with a last key and value that are no numbers: only the last query sees them."""
    q, k, v = arrays(T=7, dtype=dtype)
    weights = np.ones((2, 4, 7, 2))
    options = {"is_causal": True, "recorded": recorded, "weights": weights}
    wanted = results((q, k, v), **options)
    k[:, :, -1] = v[:, :, -1] = filled
    y, dq, _, _ = results((q, k, v), **options)
    tolerance = 1e-12 if dtype == np.float64 else 1e-5
    close([y[:, :, :-1], dq[:, :, :-1]], [wanted[0][:, :, :-1], wanted[1][:, :, :-1]], tolerance)
    if np.isnan(filled):  # of infinities a score of -inf may come, and its weight is 0
        assert np.isnan(y[:, :, -1]).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("recorded", [False, True])
def test_who_sees_nothing_gets_zeros_and_gives_none(recorded, dtype):
    given = arrays(T=9, dtype=dtype)  # the first two queries stand before the first key
    for options in ({"is_causal": True}, {"lengths": [0, 0]}, {"mask": np.zeros((1, 7), bool)}):
        found = results(given, recorded=recorded, **options)
        blind = slice(2) if "is_causal" in options else slice(None)
        assert not found[0][:, :, blind].any() and not found[1][:, :, blind].any()
        assert all(np.isfinite(a).all() for a in found)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("empty", ["B", "T", "S"])
@pytest.mark.parametrize("options", [{}, EVERYTHING, {"dropout_p": 0.5}])
def test_sizes_of_nothing(empty, options, dtype):
    given = arrays(**{empty: 0}, dtype=dtype)
    y, *grads = results(given, **options)
    assert y.shape == (*given[0].shape[:3], 2) and not y.any()
    for g, a in zip(grads, given, strict=True):
        assert g.shape == a.shape and not g.any()
    packed = ts.tensor(np.zeros((0, 3, 24), dtype), requires_grad=True)
    for qkv in (packed, packed.reshape(3, 0, 24)):
        y = ops.packed_attention(qkv, 4, 2, **options)
        assert y.shape == (*qkv.shape[:2], 12)
        y.sum().backward()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_masks_are_stretched_in_every_dimension(dtype):
    given, sizes = arrays(dtype=dtype), (2, 4, 5, 7)
    random = np.random.default_rng(3)
    for which in np.ndindex(2, 2, 2, 2):
        shape = [n if full else 1 for n, full in zip(sizes, which, strict=True)]
        seen = random.random(shape) < 0.7
        floats = np.where(seen, random.standard_normal(shape), -np.inf).astype(dtype)
        for mask in (seen, floats):
            whole = np.ascontiguousarray(np.broadcast_to(mask, sizes))
            found, wanted = results(given, mask=mask), results(given, mask=whole)
            if mask is floats:
                axes = tuple(i for i, full in enumerate(which) if not full)
                wanted[4] = wanted[4].sum(axes, keepdims=True)
            close(found, wanted, 1e-12 if dtype == np.float64 else 1e-5)
    short = random.random(7) < 0.7  # fewer dimensions
    close(results(given, mask=short), results(given, mask=short[None, None, None]), 0)


def test_shared_heads_are_repeated_ones():
    q, k, v = arrays(N=6, M=2)
    y, dq, dk, dv = results((q, k, v))
    again = results((q, np.repeat(k, 3, 1), np.repeat(v, 3, 1)))
    close([y, dq], again[:2])
    close([dk, dv], [g.reshape(2, 2, 3, 7, -1).sum(2) for g in again[2:]])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_pieces_of_queries_are_the_whole(dtype):
    """As a cache cuts them, the keys to come not being there yet."""
    q, k, v = arrays(T=7, dtype=dtype)
    whole = F.scaled_dot_product_attention(q, k, v, **EVERYTHING).data
    for first, last in ((0, 1), (1, 4), (4, 7)):
        part = F.scaled_dot_product_attention(
            q[:, :, first:last], k[:, :, :last], v[:, :, :last], **EVERYTHING
        )
        close([part.data], [whole[:, :, first:last]], 1e-12 if dtype == np.float64 else 1e-6)
        placed = F.scaled_dot_product_attention(
            q[:, :, first:last], k, v, start=[first, first], **EVERYTHING
        )
        close([placed.data], [whole[:, :, first:last]], 1e-12 if dtype == np.float64 else 1e-6)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("mask", [None, "bool", "float"])
def test_packed_is_the_same_as_apart(mask, dtype):
    random = np.random.default_rng(0)
    qkv = ts.tensor(random.standard_normal((2, 5, 24)).astype(dtype), requires_grad=True)
    masks = []
    if mask == "bool":
        masks = [random.random((5, 5)) < 0.7]
    elif mask:
        masks = [ts.tensor(random.standard_normal((4, 1, 5)).astype(dtype), requires_grad=True)]
    q, k, v = (
        x.reshape(2, 5, -1, 3).transpose(1, 2) for x in ops.split(qkv, [12, 6, 6], 2)
    )  # fmt: skip
    apart = F.scaled_dot_product_attention(q, k, v, *masks, lengths=[5, 3], **EVERYTHING)
    apart = apart.transpose(1, 2).reshape(2, 5, 12)
    packed = ops.packed_attention(qkv, 4, 2, *masks, lengths=[5, 3], **EVERYTHING)
    assert packed.op is not None and packed.data.flags.c_contiguous
    weights = ts.tensor(random.standard_normal((2, 5, 12)).astype(dtype))
    wanted = [qkv, *(m for m in masks if isinstance(m, ts.Tensor))]
    found = [[y, *ts.grad(y, wanted, weights)] for y in (packed, apart)]
    close(*([x.data for x in xs] for xs in found), 1e-12 if dtype == np.float64 else 1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_dropout_is_drawn_anew_and_scales_what_is_left(dtype):
    q, k, v = arrays(T=50, S=60, dtype=dtype)
    ones = np.ones_like(v)

    def share(seed, p):
        ts.manual_seed(seed)
        return F.scaled_dot_product_attention(q * 0, k, ones, dropout_p=p).data

    assert np.array_equal(share(1, 0.3), share(1, 0.3))
    assert not np.array_equal(share(1, 0.3), share(2, 0.3))
    kept = share(1, 0.3) * 60 * 0.7  # of 60 equal weights, how many are left
    np.testing.assert_allclose(kept, kept.round(), atol=1e-3)
    assert abs(kept.mean() / 60 - 0.7) < 0.01
    assert not share(1, 1.0).any()
    with ts.no_grad():
        np.testing.assert_allclose(share(1, 0.0), 1, rtol=1e-6)


def test_nothing_is_remembered_without_gradients():
    q, k, v = (ts.tensor(a, requires_grad=True) for a in arrays())
    with ts.no_grad():
        y = F.scaled_dot_product_attention(q, k, v)
    assert y.op is None and not y.requires_grad
    assert F.scaled_dot_product_attention(q.detach(), k.detach(), v.detach()).op is None


def test_the_heads_of_y_lie_side_by_side():
    y = F.scaled_dot_product_attention(*arrays()).data
    assert np.shares_memory(y, y.transpose(0, 2, 1, 3).reshape(2, 5, 8))


Q, K, V = (ts.zeros(shape) for shape in [(2, 4, 5, 3), (2, 2, 7, 3), (2, 2, 7, 6)])
QKV = ts.zeros(2, 5, 24)


def call(q=Q, k=K, v=V, mask=None, **options):
    return lambda: F.scaled_dot_product_attention(q, k, v, mask, **options)


def pack(qkv=QKV, heads=4, kv_heads=2, **options):
    return lambda: ops.packed_attention(qkv, heads, kv_heads, **options)


VALUES = [
    (call(q=Q[0]), r"query must be \(B, heads, time, size\), got \(4, 5, 3\)"),
    (call(k=K[0]), r"key must be \(B, heads, time, size\), got \(2, 7, 3\)"),
    (call(v=V[0, 0]), r"value must be \(B, heads, time, size\), got \(7, 6\)"),
    (call(k=K[:1]), r"key must be \(2, M, S, 3\), got \(1, 2, 7, 3\)"),
    (call(k=ts.zeros(2, 2, 7, 4)), r"key must be \(2, M, S, 3\), got \(2, 2, 7, 4\)"),
    (call(v=V[:, :, 1:]), r"value must be \(2, 2, 7, dv\), got \(2, 2, 6, 6\)"),
    (call(v=V[:, :1]), r"value must be \(2, 2, 7, dv\), got \(2, 1, 7, 6\)"),
    (call(q=Q[:, :3]), "heads of queries must be a multiple of those of keys, got 3 and 2"),
    (call(q=Q[:, :0]), "heads of queries must be a multiple of those of keys, got 0 and 2"),
    (call(k=K[:, :0], v=V[:, :0]), "must be a multiple of those of keys, got 4 and 0"),
    (call(q=Q[..., :0], k=K[..., :0]), "sizes of heads must be at least 1, got 0 and 6"),
    (call(v=V[..., :0]), "sizes of heads must be at least 1, got 3 and 0"),
    (call(mask=ts.zeros(5, 6)), r"attn_mask must broadcast to \(2, 4, 5, 7\), got \(5, 6\)"),
    (call(mask=ts.zeros(2, 5, 7)), r"attn_mask must broadcast to \(2, 4, 5, 7\), got \(2, 5, 7\)"),
    (call(mask=ts.zeros(1, 1, 1, 5, 7)), r"must broadcast to \(2, 4, 5, 7\), got \(1, 1, 1, 5, 7"),
    (call(dropout_p=-0.1), "dropout_p must be from 0 to 1, got -0.1"),
    (call(dropout_p=float("nan")), "dropout_p must be from 0 to 1, got nan"),
    (call(scale=float("inf")), "scale must be a finite number, got inf"),
    (call(softcap=0.0), "softcap must be above 0 and finite, got 0.0"),
    (call(softcap=float("inf")), "softcap must be above 0 and finite, got inf"),
    (call(window=0), "window must be at least 1, got 0"),
    (call(lengths=[1]), r"lengths must be \(2,\), got \(1,\)"),
    (call(lengths=[1, 8]), "lengths must be from 0 to 7, got 8"),
    (call(lengths=[-1, 2]), "lengths must be from 0 to 7, got -1"),
    (call(start=3), r"start must be \(2,\), got \(\)"),
    (call(start=[0, 2**62]), "start must be a position, got 4611686018427387904"),
    (call(alibi_slopes=[1.0, 2.0]), r"alibi_slopes must be \(4,\), got \(2,\)"),
    (call(alibi_slopes=[1.0, 2.0, 3.0, np.nan]), "alibi_slopes must be finite"),
    (call(alibi_slopes=ts.zeros(4, requires_grad=True)), "alibi_slopes are constants"),
    (pack(qkv=QKV[0]), r"qkv must be \(B, T, 8 d\), got \(5, 24\)"),
    (pack(qkv=QKV[..., 1:]), r"qkv must be \(B, T, 8 d\), got \(2, 5, 23\)"),
    (pack(qkv=QKV[..., :0]), r"qkv must be \(B, T, 8 d\), got \(2, 5, 0\)"),
    (pack(heads=3), "heads of queries must be a multiple of those of keys, got 3 and 2"),
    (pack(kv_heads=0), "must be a multiple of those of keys, got 4 and 0"),
    (pack(heads=-2), "must be a multiple of those of keys, got -2 and 2"),
    (pack(lengths=[6, 1]), "lengths must be from 0 to 5, got 6"),
]  # fmt: skip

TYPES = [
    (call(q=ts.arange(6).reshape(1, 1, 2, 3)), "query must hold floats, got int64"),
    (call(k=np.zeros(K.shape)), "key must be float32 as query is, got float64"),
    (call(v=ts.zeros(V.shape, dtype=bool)), "value must hold floats, got bool"),
    (call(mask=np.zeros((5, 7))), "attn_mask must be bool, or float32 as query is, got float64"),
    (call(mask=np.ones((5, 7), int)), "attn_mask must be bool, or float32 as query is, got int64"),
    (call(lengths=[1.0, 2.0]), "lengths must be whole numbers, got float"),
    (call(start=[1.0, 2.0]), "start must be whole numbers, got float"),
    (call(window=2.0), "window must be a whole number, got 2.0"),
    (call(window=True), "window must be a whole number, got True"),
    (call(alibi_slopes=[1, 2, 3, 4]), "alibi_slopes must hold floats, got int64"),
    (pack(qkv=np.zeros((2, 5, 24), int)), "qkv must hold floats, got int64"),
    (pack(heads=4.0), "heads must be a whole number, got 4.0"),
    (pack(kv_heads=True), "kv_heads must be a whole number, got True"),
]


@pytest.mark.parametrize(
    "error, refused, message",
    [(e, *case) for e, cases in ((ValueError, VALUES), (TypeError, TYPES)) for case in cases],
)
def test_refused(error, refused, message):
    with pytest.raises(error, match=rf"^(scaled_dot_product|packed)_attention: .*{message}"):
        refused()
