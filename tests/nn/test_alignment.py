"""Attention for recurrences, additive and by products."""

import numpy as np
import pytest

import tinyseq as ts
from tests.nn.attention_kinds import randn
from tinyseq import nn
from tinyseq.testing import check_grads

KINDS = {
    "additive": lambda: nn.AdditiveAttention(3, 5, 4),
    "dot": lambda: nn.DotAttention(5),
    "general": lambda: nn.DotAttention(3, 5, "general"),
}


def score(layer, q, k):
    """The papers' score of one query and one key."""
    if isinstance(layer, nn.AdditiveAttention):
        W, U = layer.query_proj.weight.data, layer.key_proj.weight.data
        return layer.v.data @ np.tanh(W @ q + U @ k)
    if layer.score == "dot":
        return q @ k
    return q @ layer.query_proj.weight.data.T @ k


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("steps", [(), (2,)])
@pytest.mark.parametrize("lengths", [None, [4, 0, 1]])
def test_contexts_and_weights_follow_the_papers(kind, steps, lengths):
    layer = KINDS[kind]().to(np.float64)
    q, k, v = (
        randn(3, *shape, dtype=np.float64) for shape in ((*steps, layer.query_size), (4, 5), (4, 2))
    )
    for values in (None, v):
        context, weights = layer(q, k, values, lengths)
        assert context.shape == (3, *steps, 5 if values is None else 2)
        assert weights.shape == (3, *steps, 4)
        for b in range(3):
            real = 4 if lengths is None else lengths[b]
            for at in np.ndindex(*steps):
                scores = np.array([score(layer, q[b][at], key) for key in k[b, :real]])
                wanted = np.exp(scores) / np.exp(scores).sum()
                np.testing.assert_allclose(weights.data[b][at][:real], wanted, rtol=1e-10)
                assert (weights.data[b][at][real:] == 0).all()
                gathered = wanted @ (k if values is None else v)[b, :real]
                np.testing.assert_allclose(context.data[b][at], gathered, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_of_first_and_second_order(kind):
    layer = KINDS[kind]().to(np.float64)
    Q = layer.query_size
    for q in (randn(2, Q, dtype=np.float64), randn(2, 2, Q, dtype=np.float64)):
        check_grads(lambda q, k, v: layer(q, k, v, [3, 2]), q, randn(2, 3, 5), randn(2, 3, 2))
    if kind == "additive":
        x, k = ts.tensor(randn(2, 3, dtype=np.float64)), ts.tensor(randn(2, 4, 5, dtype=np.float64))

        def by_weights(w, u, v):
            other = nn.AdditiveAttention(3, 5, 4)
            other.query_proj.weight, other.key_proj.weight, other.v = w, u, v
            return other._scores(x.unsqueeze(1), other.project(k))

        check_grads(by_weights, *(p.data for p in (
            layer.query_proj.weight, layer.key_proj.weight, layer.v)))  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_not_there_leaves_no_trace(kind):
    layer, found = KINDS[kind](), []
    beyond = np.arange(4) >= np.array([4, 0, 2])[:, None]
    for filling in (0.0, np.nan, np.inf):
        k = randn(3, 4, 5)
        k[beyond] = filling
        q, k = (ts.tensor(a, requires_grad=True) for a in (randn(3, layer.query_size), k))
        layer.zero_grad()
        context, weights = layer(q, k, lengths=[4, 0, 2])
        assert (context.data[1] == 0).all() and (weights.data[1] == 0).all()
        ((context * context).sum() + (weights**3).sum()).backward()
        assert (k.grad.data[beyond] == 0).all() and (q.grad.data[1] == 0).all()
        gradients = [q.grad, k.grad, *(p.grad for p in layer.parameters())]
        found.append([context.data, weights.data, *(g.data for g in gradients)])
    for other in found[1:]:
        for a, b in zip(found[0], other, strict=True):
            np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("B", "S"), [(0, 3), (2, 0), (0, 0)])
def test_nothing_is_an_input(kind, B, S):
    layer = KINDS[kind]()
    context, weights = layer(ts.zeros(B, layer.query_size), ts.zeros(B, S, 5))
    assert context.shape == (B, 5) and weights.shape == (B, S)
    assert (context.data == 0).all()


def test_a_decoder_that_looks_back_learns_to_reverse():
    """An encoder, a decoder of cells, and attention between them, trained together."""
    ts.manual_seed(0)
    rng = np.random.default_rng(0)
    encoder, decoder = nn.GRU(5, 16, bidirectional=True), nn.GRUCell(32, 16)
    look, out = nn.AdditiveAttention(16, 32, 16), nn.Linear(16, 5)
    parts = (encoder, decoder, look, out)
    optimizer = ts.optim.Adam([p for part in parts for p in part.parameters()], 0.02)
    losses = []
    for _ in range(60):
        given = rng.integers(0, 5, (16, 4))
        keys, _ = encoder(np.eye(5, dtype=np.float32)[given])
        h, logits = ts.zeros(16, 16), []
        for _ in range(4):
            context, _ = look(h, keys)
            h = decoder(context, h)
            logits.append(out(h))
        loss = nn.functional.cross_entropy(
            ts.stack(logits, 1).reshape(-1, 5), given[:, ::-1].reshape(-1).copy()
        )
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.7 * losses[0]


def test_names_of_parameters():
    assert [name for name, _ in KINDS["additive"]().named_parameters()] == [
        "v",
        "query_proj.weight",
        "key_proj.weight",
    ]
    assert [name for name, _ in KINDS["general"]().named_parameters()] == ["query_proj.weight"]
    assert list(KINDS["dot"]().parameters()) == []


def test_bad_arguments_are_named():
    for make, match in [
        (lambda: nn.AdditiveAttention(0, 1, 1), "AdditiveAttention: query_size must be"),
        (lambda: nn.AdditiveAttention(1, 1, -1), "AdditiveAttention: hidden_size must be"),
        (lambda: nn.DotAttention(2, 0), "DotAttention: key_size must be"),
        (lambda: nn.DotAttention(2, 3), "dot wants keys of the queries' size 2, got 3"),
        (lambda: nn.DotAttention(2, score="concat"), "score must be dot or general, got 'concat'"),
    ]:
        with pytest.raises(ValueError, match=match):
            make()


@pytest.mark.parametrize("kind", KINDS)
def test_bad_input_is_named(kind):
    layer = KINDS[kind]()
    name, Q = type(layer).__name__, layer.query_size
    q, k = ts.zeros(2, Q), ts.zeros(2, 4, 5)
    for error, match, arguments in [
        (ValueError, rf"query must be \(B, {Q}\) or .*, got \(2, 7\)", (ts.zeros(2, 7), k)),
        (ValueError, r"keys must be \(2, S, 5\), got \(2, 4, 4\)", (q, k[..., :4])),
        (ValueError, r"keys must be \(2, S, 5\), got \(1, 4, 5\)", (q, k[:1])),
        (ValueError, r"values must be \(2, 4, C\), got \(2, 3, 5\)", (q, k, k[:, :3])),
        (TypeError, "keys must be float32 .* got float64", (q, k.to(np.float64))),
        (TypeError, "query must be an array of numbers, got str", ("q", k)),
        (ValueError, "lengths must be from 0 to 4, got 5", (q, k, None, [5, 1])),
    ]:  # fmt: skip
        with pytest.raises(error, match=f"^{name}: {match}"):
            layer(*arguments)


@pytest.mark.parametrize("kind", KINDS)
def test_keys_projected_before_give_the_same(kind, monkeypatch):
    layer = KINDS[kind]()
    q, k = ts.tensor(randn(2, layer.query_size)), ts.tensor(randn(2, 4, 5))
    projected = layer.project(k)
    wanted = [y.data for y in layer(q, k, lengths=[4, 2])]
    monkeypatch.setattr(type(layer), "project", None)  # not once more
    for found, y in zip(layer(q, k, lengths=[4, 2], projected=projected), wanted, strict=True):
        np.testing.assert_array_equal(found.data, y)
