"""The Transformer's layers and stacks: lengths, caches, refusals.

Numbers beside PyTorch's are in tests/parity/test_transformer_torch.py.
"""

import pickle

import numpy as np
import pytest

import tinyseq as ts
from tests.nn.attention_kinds import EXACT, randn, same
from tinyseq import nn
from tinyseq.testing import check_grads

E, N, W = 12, 3, 20
OPTIONS = [
    {"norm_first": first, "bias": bias, "activation": activation}
    for first in (False, True)
    for bias in (True, False)
    for activation in ("relu", "gelu")
]
options_of = pytest.mark.parametrize(
    "options", OPTIONS, ids=lambda o: " ".join(f"{k}={v}" for k, v in o.items())
)


def spread(module, dtype=np.float32):
    """The module with parameters none of which is 0 or 1."""
    ts.manual_seed(0)
    for p in module.parameters():
        ts.init.normal_(p, std=0.4)
    return module.to(dtype)


def encoder(dtype=np.float32, layers=2, **options):
    layer = nn.TransformerEncoderLayer(E, N, W, 0.0, **options)
    return spread(nn.TransformerEncoder(layer, layers, nn.LayerNorm(E)), dtype)


def decoder(dtype=np.float32, layers=2, **options):
    layer = nn.TransformerDecoderLayer(E, N, W, 0.0, **options)
    return spread(nn.TransformerDecoder(layer, layers, nn.LayerNorm(E)), dtype)


@options_of
@pytest.mark.parametrize("dtype", EXACT)
def test_a_row_does_not_know_how_long_the_others_are(options, dtype):
    x, memory = randn(3, 9, E, dtype=dtype), randn(3, 8, E, seed=1, dtype=dtype)
    lengths, sizes = [9, 4, 0], [3, 8, 0]
    for module, others in ((encoder(dtype, **options), ()), (decoder(dtype, **options), (memory,))):
        more = {"memory_lengths": sizes} if others else {}
        y = module(x, *others, lengths=lengths, **more)
        assert (y.data[1, 4:] == 0).all() and (y.data[2] == 0).all()
        for b in (0, 1):
            mine = [o[b : b + 1, : sizes[b]] for o in others]
            alone = module(x[b : b + 1, : lengths[b]], *mine)
            same((y[b : b + 1, : lengths[b]],), (alone,), dtype)


@pytest.mark.parametrize("norm_first", [False, True])
@pytest.mark.parametrize("how", ["lengths", "masks"])
def test_what_is_not_there_leaves_no_trace(norm_first, how):
    x, memory = randn(3, 6, E), randn(3, 5, E, seed=1)
    beyond = np.arange(6) >= np.array([6, 1, 3])[:, None]
    nowhere = np.arange(5) >= np.array([2, 0, 5])[:, None]
    given = {"lengths": [6, 1, 3], "memory_lengths": [2, 0, 5]}
    if how == "masks":
        given = {"tgt_key_padding_mask": beyond, "memory_key_padding_mask": nowhere}
    module, found = decoder(norm_first=norm_first), []
    for filling in (0.0, np.nan, np.inf):
        x[beyond], memory[nowhere] = filling, filling
        one, two = (ts.tensor(a, requires_grad=True) for a in (x, memory))
        module.zero_grad()
        y = module(one, two, tgt_is_causal=True, **given)
        (y[~beyond] ** 2).sum().backward()
        assert (one.grad.data[beyond] == 0).all() and (two.grad.data[nowhere] == 0).all()
        gradients = [one.grad, two.grad, *(p.grad for p in module.parameters())]
        found.append([y.data[~beyond], *(g.data for g in gradients)])
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


@options_of
@pytest.mark.parametrize("dtype", EXACT)
def test_step_by_step_is_the_whole_sequence(options, dtype):
    module = decoder(dtype, **options)
    x, memory = randn(2, 90, E, dtype=dtype), randn(2, 70, E, seed=1, dtype=dtype)
    whole = module(x, memory, tgt_is_causal=True, memory_lengths=[70, 66])
    for sizes in ([1] * 90, [65, 1, 20, 4]):
        cache, ys, at = module.cache(memory, [70, 66]), [], 0
        for t in sizes:
            chunk = x[:, at] if t == 1 else x[:, at : at + t]
            y = module.step(chunk, cache)
            assert y.shape == chunk.shape and not y.requires_grad
            ys.append(y.data.reshape(2, t, E))
            at += t
        same((ts.tensor(np.concatenate(ys, 1)),), (whole,), dtype)


@pytest.mark.parametrize("dtype", EXACT)
def test_rows_of_unequal_lengths_go_on_each_from_its_end(dtype):
    module = decoder(dtype)
    x, memory = randn(2, 12, E, dtype=dtype), randn(2, 7, E, seed=1, dtype=dtype)
    cache = module.cache(memory)
    first = module.step(x[:, :8], cache, lengths=[8, 3]).data
    after = [module.step(np.stack([x[0, 8 + t], x[1, 3 + t]]), cache).data for t in range(4)]
    whole = module(x, memory, tgt_is_causal=True)
    for b, T in enumerate((8, 3)):
        got = np.concatenate([first[b, :T], np.stack([y[b] for y in after])])
        same((ts.tensor(got),), (whole[b, : T + 4],), dtype)


def test_causal_by_name_is_causal_by_mask():
    module = spread(nn.Transformer(E, N, 1, 1, W, 0.0))
    src, tgt = randn(2, 5, E), randn(2, 3, E, seed=1)
    for name, mask, T in (("src", "src_mask", 5), ("tgt", "tgt_mask", 3), ("memory", "", 3)):
        given = {mask: ~np.tri(T, dtype=bool)}
        if name == "memory":  # from the end
            given = {"memory_mask": ~np.tri(3, 5, 2, dtype=bool)}
        y = module(src, tgt, **{f"{name}_is_causal": True})
        np.testing.assert_allclose(y.data, module(src, tgt, **given).data, rtol=1e-4, atol=1e-5)
        assert (y.data != module(src, tgt).data).any()


def test_memory_is_projected_once():
    module, memory = decoder(), randn(2, 7, E)
    cache = module.cache(memory)
    before = [kept.memory.k.data.copy() for kept in cache]
    for layer in module.layers:
        layer.multihead_attn.in_proj_weight.data[E:] = np.nan
    assert np.isfinite(module.step(randn(2, E), cache).data).all()
    for kept, k in zip(cache, before, strict=True):
        np.testing.assert_array_equal(kept.memory.k.data, k)


@pytest.mark.parametrize("norm_first", [False, True])
@pytest.mark.parametrize("activation", ["gelu", ts.tanh])
def test_gradients_of_first_and_second_order(norm_first, activation):
    """Without relu, whose bends finite differences fall over."""
    module = decoder(np.float64, layers=1, norm_first=norm_first, activation=activation)
    weights = [
        (owner, name)
        for owner in module.modules()
        for name, p in vars(owner).items()
        if isinstance(p, nn.Parameter)
    ]
    values = [getattr(m, n).data.copy() for m, n in weights]
    ways = [randn(*v.shape, seed=i, dtype=np.float64) for i, v in enumerate(values)]

    # Each weight by itself is checked for the ops; here all are moved along one way at once.
    def run(x, memory, step):
        for (owner, name), value, way in zip(weights, values, ways, strict=True):
            vars(owner)[name] = ts.tensor(value) + step * way
        return module(x, memory, tgt_is_causal=True, lengths=[2, 1], memory_lengths=[0, 1])

    check_grads(run, randn(2, 2, E), randn(2, 1, E, seed=1), np.zeros(()), order=2)


def test_dropout_is_of_training_alone():
    module = nn.Transformer(E, N, 1, 1, W, 0.5)
    x = ts.tensor(randn(2, 5, E))
    assert (module(x, x).data != module(x, x).data).any()
    module.eval()
    np.testing.assert_array_equal(module(x, x).data, module(x, x).data)
    other = nn.Transformer(E, N, 1, 1, W, 0.0)
    other.load_state_dict(module.state_dict())
    same((module(x, x),), (other(x, x),), np.float32)


@pytest.mark.parametrize("norm_first", [False, True])
@pytest.mark.parametrize(
    ("name", "silent"),
    [
        ("dropout", ["linear2.weight"]),
        ("dropout1", ["self_attn.out_proj.weight", "self_attn.out_proj.bias"]),
        ("dropout2", ["multihead_attn.out_proj.weight", "multihead_attn.out_proj.bias"]),
        ("dropout3", ["linear2.weight", "linear2.bias"]),
    ],
)
def test_each_dropout_has_its_place(name, silent, norm_first):
    """Where all is dropped, it is as if the weights there were zeros."""
    x, memory = randn(2, 5, E), randn(2, 4, E, seed=1)
    (layer,) = decoder(layers=1, norm_first=norm_first).layers
    full = layer(x, memory)
    getattr(layer, name).p = 1.0
    dropped = layer(x, memory)
    same((layer.eval()(x, memory),), (full,), np.float32)
    for parameter in silent:
        layer.state_dict()[parameter].data[...] = 0
    same((dropped,), (layer(x, memory),), np.float32)
    assert (dropped.data != full.data).any()


def test_layers_begin_alike_and_are_apart():
    layer = nn.TransformerEncoderLayer(E, N, W)
    stack = nn.TransformerEncoder(layer, 3)
    one, two, three = (list(layer.parameters()) for layer in stack.layers)
    for a, b, c in zip(one, two, three, strict=True):
        np.testing.assert_array_equal(a.data, b.data)
        assert a is not b and not np.shares_memory(b.data, c.data)
    weights = [layer.linear1.weight.data for layer in nn.Transformer(E, N).encoder.layers]
    assert (weights[0] != weights[1]).any()


def test_a_custom_encoder():
    class Doubled(nn.Module):
        def forward(self, src, *masks, lengths=None):
            return src * 2.0

    module = nn.Transformer(E, N, 1, 1, W, 0.0, custom_encoder=Doubled())
    x, y = ts.tensor(randn(2, 4, E)), ts.tensor(randn(2, 3, E))
    same((module(x, y),), (module.decoder(y, x * 2.0),), np.float32)


def test_functions_with_a_name_go_by_it():
    for given in ("gelu", nn.functional.gelu):
        assert nn.TransformerEncoderLayer(E, N, W, activation=given).activation == "gelu"


def test_pickles():
    module = nn.Transformer(E, N, 1, 1, W, 0.0)
    x = randn(2, 5, E)
    copy = pickle.loads(pickle.dumps(module))
    np.testing.assert_array_equal(copy(x, x).data, module(x, x).data)


@pytest.mark.parametrize(("B", "T", "S"), [(0, 3, 4), (2, 0, 4), (2, 3, 0), (0, 0, 0), (1, 1, 1)])
@pytest.mark.parametrize("norm_first", [False, True])
def test_nothing_is_an_input(B, T, S, norm_first):
    module = nn.Transformer(E, N, 1, 1, W, norm_first=norm_first)
    src, tgt = ts.zeros(B, S, E, requires_grad=True), ts.zeros(B, T, E, requires_grad=True)
    y = module(src, tgt, tgt_is_causal=True, src_lengths=[S] * B, tgt_lengths=[T] * B)
    assert y.shape == (B, T, E)
    y.sum().backward()
    y = module.decoder.step(ts.zeros(B, E), module.decoder.cache(src))
    assert y.shape == (B, E)


def test_bad_arguments_are_named():
    layer = nn.TransformerEncoderLayer(E, N, W)
    for error, match, make in [
        (ValueError, "EncoderLayer: d_model must be", lambda: nn.TransformerEncoderLayer(0, 1)),
        (ValueError, "not a multiple of num_heads 5", lambda: nn.TransformerDecoderLayer(E, 5)),
        (ValueError, "dim_feedforward must be", lambda: nn.TransformerEncoderLayer(E, N, 0)),
        (ValueError, "must be .* got 1.5", lambda: nn.TransformerEncoderLayer(E, N, W, 1.5)),
        (
            ValueError,
            "EncoderLayer: activation must be relu or gelu, got 'tanh'",
            lambda: nn.TransformerEncoderLayer(E, N, activation="tanh"),
        ),
        (
            TypeError,
            "DecoderLayer: activation must be a function, got 3",
            lambda: nn.TransformerDecoderLayer(E, N, activation=3),
        ),
        (ValueError, "Encoder: num_layers must be", lambda: nn.TransformerEncoder(layer, 0)),
        (
            TypeError,
            "TransformerDecoder: expected a TransformerDecoderLayer, got TransformerEncoderLayer",
            lambda: nn.TransformerDecoder(layer, 2),
        ),
        (ValueError, "sz must be", lambda: nn.Transformer.generate_square_subsequent_mask(-1)),
    ]:  # fmt: skip
        with pytest.raises(error, match=match):
            make()


def test_bad_input_is_named():
    module, x, memory = decoder(), ts.zeros(2, 3, E), ts.zeros(2, 4, E)
    wrong = np.zeros((2, 2), bool)
    for error, match, arguments, given in [
        (ValueError, r"tgt must be \(B, T, 12\), got \(2, 3, 4\)", (x[..., :4], memory), {}),
        (ValueError, r"memory must be \(B, S, 12\), got \(4, 12\)", (x, memory[0]), {}),
        (ValueError, "memory must have 2 rows as tgt has, got 1", (x, memory[:1]), {}),
        (TypeError, "memory must be float32 .* got float64", (x, memory.to(np.float64)), {}),
        (ValueError, r"tgt_mask must be \(3, 3\) or \(6, 3, 3\)", (x, memory), {"tgt_mask": wrong}),
        (ValueError, r"memory_mask must be \(3, 4\) or", (x, memory), {"memory_mask": wrong}),
        (
            ValueError,
            r"memory_key_padding_mask must be \(2, 4\), got \(2, 2\)",
            (x, memory),
            {"memory_key_padding_mask": wrong},
        ),
        (
            ValueError,
            r"tgt_key_padding_mask must be \(2, 3\), got \(2, 2\)",
            (x, memory),
            {"tgt_key_padding_mask": wrong},
        ),
        (ValueError, "lengths must be from 0 to 3, got 4", (x, memory), {"lengths": [1, 4]}),
        (
            ValueError,
            "memory: lengths must be from 0 to 4, got 5",
            (x, memory),
            {"memory_lengths": [1, 5]},
        ),
    ]:
        for layer in (module, next(iter(module.layers))):
            with pytest.raises(error, match=f"^{type(layer).__name__}[:,] .*{match}"):
                layer(*arguments, **given)
    with pytest.raises(ValueError, match=r"^TransformerEncoder: src_mask must be \(3, 3\)"):
        encoder()(x, mask=wrong)
    with pytest.raises(ValueError, match=r"^TransformerEncoderLayer: src must be \(B, T, 12\)"):
        nn.TransformerEncoderLayer(E, N)(x[0])


def test_step_refuses_what_does_not_fit():
    module = decoder()
    cache = module.cache(ts.zeros(2, 4, E))
    for match, x, kept in [
        (r"Decoder.step: cache must have 2 layers, got 1", (2, E), cache[:1]),
        (r"step: x_t must be \(B, 12\) or \(B, t, 12\), got \(2, 3\)", (2, 3), cache),
        (r"Layer.step: x_t must have the memory's 2 rows, got 3", (3, E), cache),
    ]:
        with pytest.raises(ValueError, match=match):
            module.step(ts.zeros(*x), kept)
    assert all(kept.own.position.size == 0 for kept in cache)  # what failed left nothing behind
    assert module.step(ts.zeros(2, E), cache).shape == (2, E)
