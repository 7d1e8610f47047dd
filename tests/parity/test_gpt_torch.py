"""The GPT beside one written here in PyTorch's plainest terms, under the same weights."""

import math

import numpy as np
import pytest

import tinyseq as ts
from tinyseq import nn, optim
from tinyseq.models import GPT, gpt2_state

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

V, BLOCK, E = 13, 12, 24
KINDS = {
    "gpt-2": {},
    "without bias": {"bias": False},
    "grouped": {"n_kv_head": 2},
    "one pair of heads": {"n_kv_head": 1, "activation": "gelu"},
    "window": {"window": 4},
    "rotary": {"positions": "rotary"},
    "all together": {
        "positions": "rotary", "window": 5, "n_kv_head": 2, "bias": False, "activation": "gelu",
        "tied": False,
    },
}  # fmt: skip


def normed(x, w, name):
    gap = x - x.mean(-1, keepdim=True)
    y = gap / torch.sqrt((gap * gap).mean(-1, keepdim=True) + 1e-5) * w[f"{name}.weight"]
    return y + w[f"{name}.bias"] if f"{name}.bias" in w else y


def product(x, w, name):
    y = x @ w[f"{name}.weight"].T
    return y + w[f"{name}.bias"] if f"{name}.bias" in w else y


def turned(x):
    """Features i and i + d/2 of each head as a complex number, times exp(i position / λ)."""
    _, _, T, d = x.shape
    steps = 10000.0 ** (-torch.arange(0, d, 2, dtype=torch.float64) / d)
    angles = (torch.arange(T, dtype=torch.float64)[:, None] * steps).to(x.dtype)
    z = torch.complex(x[..., : d // 2], x[..., d // 2 :]) * torch.polar(
        torch.ones_like(angles), angles
    )
    return torch.cat((z.real, z.imag), -1)


def logits(w, ids, N, options):
    """(B,T) -> (B,T,V), with every score in memory."""
    T = ids.shape[1]
    x = w["transformer.wte.weight"][ids]
    if "transformer.wpe.weight" in w:
        x = x + w["transformer.wpe.weight"][:T]
    M = options.get("n_kv_head", N)
    d = E // N
    distance = torch.arange(T)[:, None] - torch.arange(T)
    hidden = (distance < 0) | (distance >= (options.get("window") or T))
    layers = sum(name.endswith("c_fc.weight") for name in w)
    for i in range(layers):
        at = f"transformer.h.{i}"
        packed = product(normed(x, w, f"{at}.ln_1"), w, f"{at}.attn.c_attn")
        q, k, v = packed.split([N * d, M * d, M * d], -1)
        q, k, v = (a.unflatten(-1, (-1, d)).transpose(1, 2) for a in (q, k, v))
        if options.get("positions") == "rotary":
            q, k = turned(q), turned(k)
        k, v = (a.repeat_interleave(N // M, 1) for a in (k, v))
        scores = (q @ k.transpose(2, 3) / math.sqrt(d)).masked_fill(hidden, -math.inf)
        y = (torch.softmax(scores, -1) @ v).transpose(1, 2).flatten(2)
        x = x + product(y, w, f"{at}.attn.c_proj")
        inside = product(normed(x, w, f"{at}.ln_2"), w, f"{at}.mlp.c_fc")
        approximate = "none" if options.get("activation") == "gelu" else "tanh"
        inside = torch.nn.functional.gelu(inside, approximate=approximate)
        x = x + product(inside, w, f"{at}.mlp.c_proj")
    return normed(x, w, "transformer.ln_f") @ w["lm_head.weight"].T


def pair(kind, dtype):
    """Ours, its options, and the other's weights by name, in which tied ones are one."""
    options = KINDS[kind]
    ts.manual_seed(0)
    model = GPT(V, BLOCK, 2, 4, E, **options).to(dtype)
    rng = np.random.default_rng(0)
    for p in model.parameters():  # far from the first values, which are all alike
        p.data[...] += rng.normal(size=p.shape, scale=0.15)
    w = {name: torch.tensor(p.data, requires_grad=True) for name, p in model.named_parameters()}
    w.setdefault("lm_head.weight", w["transformer.wte.weight"])
    return model, options, w


def batch(seed):
    rng = np.random.default_rng(seed)
    return rng.integers(0, V, (3, BLOCK)), rng.integers(0, V, (3, BLOCK))


def their_loss(w, ids, targets, options):
    y = logits(w, torch.tensor(ids), 4, options)
    return torch.nn.functional.cross_entropy(y.flatten(0, 1), torch.tensor(targets).flatten())


def close(ours, theirs, tolerance):
    theirs = theirs.detach().numpy()
    assert ours.shape == theirs.shape and ours.dtype == theirs.dtype
    scale = max(np.abs(theirs).max(), 1e-3)
    np.testing.assert_allclose(ours, theirs, rtol=tolerance, atol=tolerance * scale)


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 5e-5), (np.float64, 1e-11)])
@pytest.mark.parametrize("kind", KINDS)
def test_values_and_every_gradient(kind, dtype, tolerance):
    model, options, w = pair(kind, dtype)
    ids, targets = batch(1)
    close(model(ids).data, logits(w, torch.tensor(ids), 4, options), tolerance)
    loss, loss_t = model.loss(ids, targets), their_loss(w, ids, targets, options)
    close(loss.data, loss_t, tolerance)
    loss.backward()
    loss_t.backward()
    for name, p in model.named_parameters():
        close(p.grad.data, w[name].grad, tolerance)


@pytest.mark.parametrize("kind", ["gpt-2", "all together"])
def test_gradients_of_gradients(kind):
    model, options, w = pair(kind, np.float64)
    ids, targets = batch(1)
    names = [name for name, _ in model.named_parameters()]
    ours, theirs = list(model.parameters()), [w[name] for name in names]
    first = ts.grad(model.loss(ids, targets), ours, create_graph=True)
    loss_t = their_loss(w, ids, targets, options)
    first_t = torch.autograd.grad(loss_t, theirs, create_graph=True)
    second = ts.grad(sum((g * g).sum() for g in first), ours)
    second_t = torch.autograd.grad(sum((g * g).sum() for g in first_t), theirs)
    for g, g_t in zip(second, second_t, strict=True):
        close(g.data, g_t, 1e-9)


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float32, 1e-4), (np.float64, 1e-9)])
@pytest.mark.parametrize("kind", ["gpt-2", "all together"])
def test_ten_steps_of_adamw_with_clipping(kind, dtype, tolerance):
    model, options, w = pair(kind, dtype)
    theirs = [w[name] for name, _ in model.named_parameters()]
    optimizer = optim.AdamW(model.parameters(), lr=3e-3, betas=(0.9, 0.95), weight_decay=0.1)
    optimizer_t = torch.optim.AdamW(theirs, lr=3e-3, betas=(0.9, 0.95), weight_decay=0.1)
    for step in range(10):
        ids, targets = batch(step)
        optimizer.zero_grad()
        optimizer_t.zero_grad()
        loss, loss_t = model.loss(ids, targets), their_loss(w, ids, targets, options)
        loss.backward()
        loss_t.backward()
        norm = nn.utils.clip_grad_norm_(model.parameters(), 0.5)
        norm_t = torch.nn.utils.clip_grad_norm_(theirs, 0.5)
        assert norm > 0.5  # it is clipped
        assert norm == pytest.approx(norm_t.item(), rel=tolerance)
        assert loss.item() == pytest.approx(loss_t.item(), rel=tolerance)
        optimizer.step()
        optimizer_t.step()
    # Adam divides by a gradient's own size: of one that is nearly zero, rounding decides the sign.
    for p, p_t in zip(model.parameters(), theirs, strict=True):
        gap = np.abs(p.data - p_t.detach().numpy())
        assert np.median(gap) < tolerance * 1e-2 and gap.max() < 30 * tolerance


def test_gpt2s_layout_is_turned():
    """PyTorch's GPT-2 holds products as (in, out); the model that its file makes is the same."""
    model, options, w = pair("gpt-2", np.float64)
    file = {
        name.removeprefix("transformer."): (
            array.detach().T.contiguous() if "c_" in name and array.ndim == 2 else array.detach()
        )
        for name, array in w.items()
        if name != "lm_head.weight"
    }
    loaded = GPT(V, BLOCK, 2, 4, E).to(np.float64)
    loaded.load_state_dict(gpt2_state(file))
    ids, _ = batch(3)
    close(loaded(ids).data, logits(w, torch.tensor(ids), 4, options), 1e-11)
    assert loaded.lm_head.weight is loaded.transformer.wte.weight
    assert model.state_dict().keys() == loaded.state_dict().keys()
