"""MultiheadAttention: shapes, lengths, options without a peer, the cache, refusals.

Numbers beside PyTorch's are in tests/parity/test_attention_layers_torch.py.
"""

import pickle

import numpy as np
import pytest

import tinyseq as ts
from tests.nn.attention_kinds import EXACT, VARIANTS, make, randn, same
from tinyseq import nn
from tinyseq.backend.attention import KEY_TILE
from tinyseq.testing import check_grads


def plain(layer, x, lengths=None, causal=False):
    """Self-attention by a loop over rows, heads and queries."""
    (B, T, E), N, M, d = x.shape, layer.num_heads, layer.num_kv_heads, layer.head_dim
    qkv = x @ layer.in_proj_weight.data.T + layer.in_proj_bias.data
    q, k, v = np.split(qkv, [E, E + M * d], -1)
    y = np.zeros((B, T, N, d))
    for b in range(B):
        rows = T if lengths is None else lengths[b]
        for n in range(N):
            m = n // (N // M)
            for p in range(T):
                seen = [
                    j
                    for j in range(rows)
                    if (j <= p or not causal) and (not layer.window or abs(p - j) < layer.window)
                ]
                if not seen:
                    continue
                here = q[b, p, n * d : (n + 1) * d]
                keys = k[b][:, m * d : (m + 1) * d]
                turn = layer.rotary
                scores = []
                for j in seen:
                    key = keys[j]
                    if turn is not None:
                        one = turn(here[None, None, None], offset=p).data[0, 0, 0]
                        two = turn(key[None, None, None], offset=j).data[0, 0, 0]
                    else:
                        one, two = here, key
                    score = one @ two / np.sqrt(d)
                    if layer.slopes is not None:
                        score -= layer.slopes.data[n] * abs(p - j)
                    scores.append(score)
                weights = np.exp(np.array(scores) - max(scores))
                weights /= weights.sum()
                y[b, p, n] = weights @ v[b][seen, m * d : (m + 1) * d]
    return y.reshape(B, T, E) @ layer.out_proj.weight.data.T + layer.out_proj.bias.data


@pytest.mark.parametrize("variant", VARIANTS)
def test_every_option_follows_the_equation(variant):
    layer = make(variant, np.float64)
    x = randn(3, 9, 12, dtype=np.float64)
    for lengths in (None, [9, 0, 4]):
        for causal in (False, True):
            for need in (False, True):
                y, weights = layer(x, x, x, is_causal=causal, lengths=lengths, need_weights=need)
                # The slopes are float32, one rounding away.
                wanted = plain(layer, x, lengths, causal)
                np.testing.assert_allclose(y.data, wanted, rtol=1e-7, atol=1e-9)
            np.testing.assert_allclose(
                weights.data.sum(-1), (np.abs(weights.data).max(-1) > 0) * 1.0, rtol=1e-12
            )


@pytest.mark.parametrize("variant", VARIANTS)
def test_weights_are_those_that_values_are_gathered_with(variant):
    """With values that say which head and key they belong to, y shows the weights."""
    layer = make(variant, np.float64)
    x = randn(2, layer.head_dim, 12, dtype=np.float64)
    layer.in_proj_weight.data[layer.in_proj_weight.shape[0] - layer._sizes[2] :] = 0
    layer.in_proj_bias.data[:] = 0
    layer.out_proj.weight.data[:] = np.eye(12)
    layer.out_proj.bias.data[:] = 0
    _, weights = layer(x, x, x, is_causal=True, average_attn_weights=False, lengths=[4, 2])
    assert weights.shape == (2, layer.num_heads, layer.head_dim, layer.head_dim)
    q, k, _ = layer._heads(ts.tensor(x), ts.tensor(x), ts.tensor(x), 0)
    eye = np.broadcast_to(np.eye(layer.head_dim), (2, layer.num_kv_heads, *[layer.head_dim] * 2))
    y = nn.functional.scaled_dot_product_attention(
        q, k, ts.tensor(eye.copy()), is_causal=True, lengths=[4, 2], window=layer.window or None,
        alibi_slopes=layer.slopes,
    )  # fmt: skip
    np.testing.assert_allclose(weights.data, y.data, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("variant", VARIANTS)
def test_gradients_of_first_and_second_order(variant):
    layer = make(variant, np.float64)
    names = [name for name, _ in layer.named_parameters()]
    values = [p.data.copy() for p in layer.parameters()]
    ways = [randn(*v.shape, seed=i, dtype=np.float64) for i, v in enumerate(values)]

    # Each weight by itself is checked for the ops; here all are moved along one way at once.
    def run(x, step):
        for name, value, way in zip(names, values, ways, strict=True):
            owner = layer.out_proj if name.startswith("out_proj") else layer
            vars(owner)[name.removeprefix("out_proj.")] = ts.tensor(value) + step * way
        return layer(x, x, x, is_causal=True, lengths=[3, 2])

    check_grads(run, randn(2, 3, 12, dtype=np.float64), np.zeros(()), order=2)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("how", ["lengths", "bool", "floats"])
def test_what_is_not_there_leaves_no_trace(variant, how):
    """NaN and infinities in padding reach neither results nor gradients; it gets none itself."""
    layer, lengths = make(variant), [5, 0, 2]
    beyond = np.arange(5) >= np.array(lengths)[:, None]
    given = {
        "lengths": {"lengths": lengths},
        "bool": {"key_padding_mask": beyond},
        "floats": {"key_padding_mask": np.where(beyond, -np.inf, 0.0).astype(np.float32)},
    }[how]
    found = []
    for filling in (0.0, np.nan, np.inf):
        x = randn(3, 5, 12)
        x[beyond] = filling
        x = ts.tensor(x, requires_grad=True)
        layer.zero_grad()
        y, weights = layer(x, x, x, is_causal=True, **given)
        loss = (y * y * (~beyond)[..., None]).sum() + (
            weights * (~beyond)[..., None]
        ).square().sum()
        loss.backward()
        assert (x.grad.data[beyond] == 0).all()
        assert (weights.data[1] == 0).all()
        assert np.isfinite(y.data).all()
        found.append([y.data[~beyond], x.grad.data, *(p.grad.data for p in layer.parameters())])
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


def test_a_query_without_keys_gives_the_bias_alone():
    layer = nn.MultiheadAttention(8, 2)
    layer.out_proj.bias.data[:] = np.arange(8)
    q, k = (ts.tensor(randn(2, 3, 8), requires_grad=True) for _ in range(2))
    for given in (
        {"lengths": [0, 0]},
        {"key_padding_mask": np.ones((2, 3), bool)},
        {"attn_mask": np.ones((3, 3), bool)},
        {"attn_mask": np.full((3, 3), -np.inf, np.float32)},
    ):
        y, weights = layer(q, k, k, **given)
        assert (y.data == np.arange(8)).all() and (weights.data == 0).all()
        (y.sum() + weights.sum()).backward()
        assert (q.grad.data == 0).all() and (k.grad.data == 0).all()


@pytest.mark.parametrize(("B", "T", "S"), [(0, 3, 4), (2, 0, 4), (2, 3, 0), (0, 0, 0), (1, 1, 1)])
def test_nothing_is_an_input(B, T, S):
    layer = nn.MultiheadAttention(8, 2)
    q, k = ts.zeros(B, T, 8, requires_grad=True), ts.zeros(B, S, 8, requires_grad=True)
    for need in (False, True):
        y, weights = layer(q, k, k, need_weights=need, lengths=[S] * B)
        assert y.shape == (B, T, 8)
        y.sum().backward()
    assert weights.shape == (B, T, S)


def test_one_tensor_three_times_is_one_product():
    """It has the bits of three that are equal."""
    layer = nn.MultiheadAttention(12, 3)
    x = ts.tensor(randn(2, 5, 12))
    y, _ = layer(x, x, x, need_weights=False)
    for others in ((x.detach(), x.detach()), (ts.tensor(x.data.copy()),) * 2):
        same((layer(x, *others, need_weights=False)[0],), (y,), np.float32)
    same((layer(x.data, x.data, x.data)[0],), (y,), np.float32)


@pytest.mark.parametrize("dtype", EXACT)
@pytest.mark.parametrize("variant", VARIANTS)
def test_fewer_queries_than_keys_stand_at_the_end(variant, dtype):
    layer, x = make(variant, dtype), ts.tensor(randn(2, 9, 12, dtype=dtype))
    y, weights = layer(x, x, x, is_causal=True)
    last, some = layer(x[:, 6:], x, x, is_causal=True)
    fast, _ = layer(x[:, 6:], x, x, is_causal=True, need_weights=False)
    same((last, fast), (y[:, 6:], y[:, 6:]), dtype)
    np.testing.assert_allclose(some.data, weights.data[:, 6:], rtol=1e-5, atol=1e-6)


def test_dropout_is_of_training_alone():
    layer = nn.MultiheadAttention(12, 3, dropout=0.5)
    x = ts.tensor(randn(2, 5, 12))
    ts.manual_seed(0)
    drawn = layer(x, x, x)[0].data
    ts.manual_seed(0)
    np.testing.assert_array_equal(drawn, layer(x, x, x, need_weights=False)[0].data)
    assert (drawn != layer(x, x, x)[0].data).any()
    layer.eval()
    np.testing.assert_array_equal(layer(x, x, x)[0].data, layer(x, x, x)[0].data)
    other = nn.MultiheadAttention(12, 3)
    other.load_state_dict(layer.state_dict())
    same((layer(x, x, x)[0],), (other(x, x, x)[0],), np.float32)


def test_parameters_of_shared_heads():
    layer = nn.MultiheadAttention(12, 6, num_kv_heads=2)
    assert layer.in_proj_weight.shape == (12 + 2 * 2 * 2, 12)
    assert layer.in_proj_bias.shape == (20,)
    layer = nn.MultiheadAttention(12, 6, num_kv_heads=3, kdim=5, vdim=7)
    assert layer.k_proj_weight.shape == (6, 5) and layer.v_proj_weight.shape == (6, 7)
    y, weights = layer(ts.zeros(2, 3, 12), ts.zeros(2, 4, 5), ts.zeros(2, 4, 7))
    assert y.shape == (2, 3, 12) and weights.shape == (2, 3, 4)
    assert "rotary" not in " ".join(make("rotary").state_dict())


def test_pickles():
    layer = make("all at once")
    x = randn(2, 5, 12)
    copy = pickle.loads(pickle.dumps(layer))
    np.testing.assert_array_equal(copy(x, x, x)[0].data, layer(x, x, x)[0].data)


# The cache


@pytest.mark.parametrize("dtype", EXACT)
@pytest.mark.parametrize("variant", VARIANTS)
def test_step_by_step_is_the_whole_sequence(variant, dtype):
    layer, T = make(variant, dtype), 2 * KEY_TILE + 9
    x = randn(2, T, 12, dtype=dtype)
    whole, _ = layer(x, x, x, is_causal=True, need_weights=False)
    for sizes in ([1] * T, [70, 1, 1, T - 72], [T]):
        cache, ys, at = layer.cache(), [], 0
        for t in sizes:
            chunk = x[:, at] if t == 1 else x[:, at : at + t]
            y = layer.step(chunk, cache)
            assert y.shape == chunk.shape and not y.requires_grad
            ys.append(y.data.reshape(2, t, 12))
            at += t
        same((ts.tensor(np.concatenate(ys, 1)),), (whole,), dtype)


@pytest.mark.parametrize("dtype", EXACT)
@pytest.mark.parametrize("variant", VARIANTS)
def test_rows_of_unequal_lengths_go_on_each_from_its_end(variant, dtype):
    layer = make(variant, dtype)
    rows = [randn(1, T + 20, 12, dtype=dtype, seed=T) for T in (80, 3, 0)]
    prompt = np.full((3, 80, 12), np.nan, dtype)
    for row, T, into in zip(rows, (80, 3, 0), prompt, strict=True):
        into[:T] = row[0, :T]
    cache = layer.cache()
    first = layer.step(prompt, cache, lengths=[80, 3, 0]).data
    ys = [
        layer.step(np.stack([r[0, T + t] for r, T in zip(rows, (80, 3, 0), strict=True)]), cache)
        for t in range(20)
    ]
    for b, (row, T) in enumerate(zip(rows, (80, 3, 0), strict=True)):
        whole = layer(row, row, row, is_causal=True, need_weights=False)[0].data[0]
        got = np.concatenate([first[b, :T], np.stack([y.data[b] for y in ys])])
        same((ts.tensor(got),), (ts.tensor(whole),), dtype)


@pytest.mark.parametrize("dtype", EXACT)
def test_memory_is_projected_once(dtype):
    layer = nn.MultiheadAttention(12, 3, kdim=5, vdim=7).to(dtype)
    q, k, v = (randn(2, *s, dtype=dtype) for s in ((4, 12), (70, 5), (70, 7)))
    k[1, 50:] = v[1, 50:] = np.nan
    whole, _ = layer(q, k, v, need_weights=False, lengths=[70, 50])
    memory = layer.memory(k, v, [70, 50])
    ys = [layer.step(q[:, t], memory).data for t in range(4)]
    same((ts.tensor(np.stack(ys, 1)),), (whole,), dtype)


def test_a_cache_holds_the_shared_heads_alone_and_a_window_is_bounded():
    layer = nn.MultiheadAttention(32, 8, num_kv_heads=2, window=20)
    cache = layer.cache()
    for _ in range(600):
        layer.step(ts.zeros(3, 32), cache)
    assert cache.nbytes <= 2 * 3 * 2 * 4 * 4 * 2 * (20 + KEY_TILE)


# What is refused


def test_bad_arguments_are_named():
    for match, arguments, options in [
        ("embed_dim must be a whole number above 0, got 0", (0, 1), {}),
        ("num_heads must be a whole number above 0, got 1.5", (4, 1.5), {}),
        ("embed_dim 4 is not a multiple of num_heads 3", (4, 3), {}),
        ("num_heads 4 is not a multiple of num_kv_heads 3", (4, 4), {"num_kv_heads": 3}),
        ("num_kv_heads must be a whole number above 0, got 0", (4, 4), {"num_kv_heads": 0}),
        ("dropout must be a number from 0 to 1, got 1.5", (4, 2, 1.5), {}),
        ("kdim must be a whole number above 0, got 0", (4, 2), {"kdim": 0}),
        ("vdim must be a whole number above 0, got -1", (4, 2), {"vdim": -1}),
        ("window must be a whole number from 0 up, got -1", (4, 2), {"window": -1}),
        ("rotary turns 4 of 2 features", (4, 2), {"rotary": nn.RotaryEmbedding(4)}),
    ]:
        with pytest.raises(ValueError, match=f"^MultiheadAttention: {match}"):
            nn.MultiheadAttention(*arguments, **options)
    with pytest.raises(TypeError, match="add_bias_kv"):
        nn.MultiheadAttention(4, 2, add_bias_kv=True)


def test_bad_input_is_named():
    layer, q, k = nn.MultiheadAttention(4, 2), ts.zeros(2, 3, 4), ts.zeros(2, 5, 4)
    for error, match, arguments, options in [
        (ValueError, r"query must be \(B, T, 4\), got \(2, 3, 5\)", (ts.zeros(2, 3, 5), k, k), {}),
        (ValueError, r"query must be \(B, T, 4\), got \(3, 4\)", (q[0], k, k), {}),
        (ValueError, r"key must be \(B, S, 4\), got \(2, 5, 3\)", (q, ts.zeros(2, 5, 3), k), {}),
        (ValueError, r"value must be \(B, S, 4\), got \(5, 4\)", (q, k, k[0]), {}),
        (ValueError, "key must have 2 rows as query has, got 1", (q, k[:1], k[:1]), {}),
        (ValueError, r"agree in B and S, got \(2, 5, 4\) and \(2, 3, 4\)", (q, k, q), {}),
        (TypeError, "query must be float32 .* got float64", (q.to(np.float64), k, k), {}),
        (TypeError, "key must be an array of numbers, got NoneType", (q, None, None), {}),
        (
            ValueError,
            r"attn_mask must be \(3, 5\) or \(4, 3, 5\), got \(3, 3\)",
            (q, k, k),
            {"attn_mask": np.zeros((3, 3), bool)},
        ),
        (
            TypeError,
            "attn_mask must be bool or float32, got int64",
            (q, k, k),
            {"attn_mask": np.zeros((3, 5), np.int64)},
        ),
        (
            ValueError,
            r"key_padding_mask must be \(2, 5\), got \(5, 2\)",
            (q, k, k),
            {"key_padding_mask": np.zeros((5, 2), bool)},
        ),
        (ValueError, r"lengths must be \(2,\), got \(3,\)", (q, k, k), {"lengths": [1, 2, 3]}),
        (ValueError, "lengths must be from 0 to 5, got 6", (q, k, k), {"lengths": [1, 6]}),
        (TypeError, "lengths must be whole numbers", (q, k, k), {"lengths": [1.0, 2.0]}),
    ]:
        with pytest.raises(error, match=f"^MultiheadAttention: .*{match}"):
            layer(*arguments, **options)
    other = nn.MultiheadAttention(4, 2, kdim=3)
    with pytest.raises(ValueError, match=r"key must be \(B, S, 3\), got \(2, 3, 4\)"):
        other(q, q, q)


def test_step_refuses_what_does_not_fit():
    layer = nn.MultiheadAttention(4, 2, window=3)
    cache = layer.cache()
    layer.step(ts.zeros(2, 4), cache)
    for error, match, x, kept, lengths in [
        (ValueError, r"x_t must be \(B, 4\) or \(B, t, 4\), got \(2, 3\)", (2, 3), cache, None),
        (ValueError, r"x_t must be .* got \(4,\)", (4,), cache, None),
        (ValueError, "cache has window 0, not 3", (2, 4), nn.KeyValueCache(), None),
        (ValueError, r"k must be \(2, 2, t, 2\), got \(3, 2, 1, 2\)", (3, 4), cache, None),
        (ValueError, "lengths must be from 0 to 1, got 2", (2, 4), cache, [1, 2]),
    ]:
        with pytest.raises(error, match=match):
            layer.step(ts.zeros(*x), kept, lengths)
    assert cache.position.tolist() == [1, 1]
    with pytest.raises(ValueError, match=r"MultiheadAttention.memory: key must be \(B, S, 4\)"):
        nn.MultiheadAttention(4, 2).memory(ts.zeros(2, 3))
    with pytest.raises(ValueError, match="memory: not with window, rotary or alibi"):
        nn.MultiheadAttention(4, 2, alibi=True).memory(ts.zeros(2, 3, 4))
