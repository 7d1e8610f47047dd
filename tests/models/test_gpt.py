import math

import numpy as np
import pytest

import tinyseq as ts
from tinyseq.models import GPT, gpt2_state
from tinyseq.nn import functional as F

KINDS = {
    "learned": {},
    "rotary": {"positions": "rotary"},
    "grouped": {"n_kv_head": 2},
    "window": {"window": 5, "n_kv_head": 1, "bias": False},
    "rotary window": {"positions": "rotary", "window": 3, "n_kv_head": 2, "activation": "gelu"},
}


def gpt(V=11, block=16, L=2, N=4, E=32, **options):
    ts.manual_seed(0)
    return GPT(V, block, L, N, E, **options)


def symbols(*shape, V=11, seed=0):
    return np.random.default_rng(seed).integers(0, V, shape)


def test_names_and_shapes_are_gpt2s():
    found = {name: p.shape for name, p in gpt(E=8).named_parameters()}
    layer = {
        "ln_1.weight": (8,), "ln_1.bias": (8,), "attn.c_attn.weight": (24, 8),
        "attn.c_attn.bias": (24,), "attn.c_proj.weight": (8, 8), "attn.c_proj.bias": (8,),
        "ln_2.weight": (8,), "ln_2.bias": (8,), "mlp.c_fc.weight": (32, 8), "mlp.c_fc.bias": (32,),
        "mlp.c_proj.weight": (8, 32), "mlp.c_proj.bias": (8,),
    }  # fmt: skip
    assert found == {
        "transformer.wte.weight": (11, 8),
        "transformer.wpe.weight": (16, 8),
        **{f"transformer.h.{i}.{name}": shape for i in (0, 1) for name, shape in layer.items()},
        "transformer.ln_f.weight": (8,),
        "transformer.ln_f.bias": (8,),
    }
    few = {name for name, _ in gpt(n_kv_head=2, bias=False, positions="rotary").named_parameters()}
    assert not any(name.endswith("bias") or "wpe" in name for name in few)


def test_the_last_product_shares_the_embedding_and_counts_once():
    tied, free = gpt(), gpt(tied=False)
    assert tied.lm_head.weight is tied.transformer.wte.weight
    assert len(list(free.parameters())) == len(list(tied.parameters())) + 1
    assert tied.state_dict().keys() == free.state_dict().keys()
    ids = symbols(2, 9)
    free.load_state_dict(tied.state_dict())
    tied.loss(ids, symbols(2, 9, seed=1)).backward()
    free.loss(ids, symbols(2, 9, seed=1)).backward()
    both = free.transformer.wte.weight.grad.data + free.lm_head.weight.grad.data
    np.testing.assert_allclose(tied.lm_head.weight.grad.data, both, rtol=1e-5, atol=1e-7)


def test_first_values():
    model = gpt(V=300, block=200, L=8, E=128)
    for name, p in model.named_parameters():
        if p.ndim == 1:
            assert (p.data == (1.0 if name.endswith("weight") else 0.0)).all()
        else:
            std = 0.02 / (4 if name.endswith("c_proj.weight") else 1)
            assert p.data.std() == pytest.approx(std, rel=0.05)
            assert abs(p.data.mean()) < std / 20


@pytest.mark.parametrize("kind", KINDS)
def test_the_loss_is_that_of_the_logits(kind):
    model = gpt(**KINDS[kind])
    ids, targets = symbols(3, 12), symbols(3, 12, seed=1)
    logits = model(ids)
    assert logits.shape == (3, 12, 11)
    each = F.cross_entropy(logits.reshape(-1, 11), targets.reshape(-1), reduction="none").data
    found = model.loss(ids, targets, reduction="none")
    np.testing.assert_allclose(found.data, each.reshape(3, 12), rtol=1e-5, atol=1e-6)
    assert model.loss(ids, targets).item() == pytest.approx(each.mean(), rel=1e-5)
    assert model.loss(ids, targets, reduction="sum").item() == pytest.approx(each.sum(), rel=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_it_sees_nothing_to_come_and_in_a_window_nothing_long_gone(kind):
    model = gpt(L=1, **KINDS[kind])
    ids = symbols(1, 12)
    before = model(ids).data[0]
    for t in range(12):
        other = ids.copy()
        other[0, t] = (other[0, t] + 1) % 11
        changed = np.abs(model(other).data[0] - before).max(1) > 0
        last = t + (KINDS[kind].get("window") or 12)
        assert not changed[:t].any() and changed[t:last].all() and not changed[last:].any()


@pytest.mark.skipif(ts.backend.info()["backend"] != "c", reason="a promise of the C kernels")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cuts", [[1] * 150, [150], [70, 1, 1, 78], [3, 64, 83]])
def test_steps_give_the_bits_of_the_whole(kind, cuts):
    model = gpt(block=150, **KINDS[kind]).eval()
    ids = symbols(2, 150)
    with ts.no_grad():
        whole = model(ids).data
    cache, t, found = model.cache(), 0, []
    for n in cuts:
        single = n == 1
        y = model.step(ids[:, t] if single else ids[:, t : t + n], cache)
        assert not y.requires_grad and y.shape == ((2, 11) if single else (2, n, 11))
        found.append(y.data[:, None] if single else y.data)
        t += n
    assert (np.concatenate(found, 1) == whole).all()


def test_steps_agree_with_the_whole_in_double():
    model = gpt(positions="rotary", window=7).to(np.float64).eval()
    ids = symbols(2, 30)
    cache = model.cache()
    found = [model.step(ids[:, t], cache).data for t in range(30)]
    np.testing.assert_allclose(np.stack(found, 1), model(ids).data, rtol=1e-10, atol=1e-12)


def test_a_window_keeps_the_cache_bounded():
    model = gpt(positions="rotary", window=8)
    cache = model.cache()
    sizes = []
    for _ in range(1000):
        model.step(np.array([1]), cache)
        sizes.append(sum(layer.nbytes for layer in cache))
    assert max(sizes) < 1.1 * max(sizes[:200])


@pytest.mark.parametrize("kind", KINDS)
def test_gradients_to_second_order(kind):
    model = gpt(V=5, block=4, L=1, N=4, E=8, **KINDS[kind]).to(np.float64)
    rng = np.random.default_rng(0)
    for p in model.parameters():  # larger weights than the first ones, so that all has curvature
        p.data[...] = rng.normal(size=p.shape, scale=0.5)
    ids, targets = symbols(2, 4, V=5), symbols(2, 4, V=5, seed=1)
    parameters = list(model.parameters())
    directions = [rng.normal(size=p.shape) for p in parameters]

    def slope():
        """The derivative of the loss along the directions, and that slope's own gradient."""
        grads = ts.grad(model.loss(ids, targets), parameters, create_graph=True)
        total = sum((g * d).sum() for g, d in zip(grads, directions, strict=True))
        second = ts.grad(total, parameters)
        return total.item(), [g.data.copy() for g in second]

    def moved(by, what):
        for p, d in zip(parameters, directions, strict=True):
            p.data[...] += by * d
        value = what()
        for p, d in zip(parameters, directions, strict=True):
            p.data[...] -= by * d
        return value

    first, second = slope()
    step = 1e-5
    rise = moved(step, lambda: model.loss(ids, targets).item())
    rise -= moved(-step, lambda: model.loss(ids, targets).item())
    assert first == pytest.approx(rise / (2 * step), rel=1e-6)
    curve = moved(step, lambda: slope()[0]) - moved(-step, lambda: slope()[0])
    along = sum((g * d).sum() for g, d in zip(second, directions, strict=True))
    assert along == pytest.approx(curve / (2 * step), rel=1e-5)


def test_dropout_only_in_training():
    model = gpt(dropout=0.5)
    ids = symbols(1, 8)
    assert (model(ids).data != model(ids).data).any()
    model.eval()
    assert (model(ids).data == model(ids).data).all()


def test_an_empty_batch_and_an_empty_sequence():
    model = gpt()
    assert model(np.zeros((0, 5), np.int64)).shape == (0, 5, 11)
    assert model(np.zeros((2, 0), np.int64)).shape == (2, 0, 11)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"V": 0}, "vocab_size"), ({"block": 0}, "block_size"), ({"L": -1}, "n_layer"),
        ({"N": 0}, "n_head"), ({"E": 30}, "n_embd must be a multiple of n_head"),
        ({"n_kv_head": 3}, "and that of n_kv_head"), ({"n_kv_head": 0}, "n_kv_head"),
        ({"dropout": 1.5}, "dropout"), ({"window": -1}, "window"),
        ({"positions": "none"}, "positions must be learned or rotary, got 'none'"),
        ({"activation": "relu"}, "activation must be gelu_tanh or gelu, got 'relu'"),
        ({"E": 12, "positions": "rotary"}, "even, got 3"),
    ],
)  # fmt: skip
def test_sizes_and_names_that_cannot_be(options, message):
    with pytest.raises(ValueError, match=message):
        gpt(**options)


def test_bad_input_is_named():
    model = gpt()
    with pytest.raises(ValueError, match=r"GPT: ids must be \(B, T\), got \(3,\)"):
        model(symbols(3))
    with pytest.raises(ValueError, match="17 positions asked for, block_size is 16"):
        model(symbols(1, 17))
    with pytest.raises(IndexError, match="out of range"):
        model(np.array([[11]]))
    with pytest.raises(TypeError, match="whole numbers"):
        model(np.array([[1.5]]))
    with pytest.raises(ValueError, match=r"target must be \(2, 3\)"):
        model.loss(symbols(2, 3), symbols(2, 4))
    with pytest.raises(ValueError, match="cache must be of 2 layers, got 1"):
        model.step(symbols(1), model.cache()[:1])
    cache = model.cache()
    model.step(symbols(1, 16), cache)
    with pytest.raises(ValueError, match="17 positions asked for"):
        model.step(symbols(1), cache)


@pytest.mark.parametrize("prefix", ["", "transformer."])
def test_gpt2s_files_load(prefix):
    model = gpt()
    published = {}
    for name, tensor in model.state_dict().items():
        if name == "lm_head.weight":
            continue
        turned = tensor.ndim == 2 and ".h." in name
        array = tensor.data.T.copy() if turned else tensor.data.copy()
        published[prefix + name.removeprefix("transformer.")] = array
    for i in (0, 1):
        published[f"{prefix}h.{i}.attn.bias"] = np.tril(np.ones((1, 1, 16, 16)))
        published[f"{prefix}h.{i}.attn.masked_bias"] = np.array(-1e4)
    ts.manual_seed(1)
    other = GPT(11, 16, 2, 4, 32)
    other.load_state_dict(gpt2_state(published))
    ids = symbols(2, 7)
    assert (other(ids).data == model(ids).data).all()


def test_it_learns_to_copy():
    """What came eight symbols before comes again: only attention can know it."""
    model = gpt(E=32, L=2)
    optimizer = ts.optim.AdamW(model.parameters(), 3e-3)
    rng = np.random.default_rng(0)
    for _ in range(250):
        half = rng.integers(0, 11, (16, 8))
        ids = np.concatenate([half, half], 1)
        targets = np.where(np.arange(15) < 7, -100, ids[:, 1:])
        loss = model.loss(ids[:, :-1], targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss.item() < 0.3 < math.log(11)
