"""MultiheadAttention beside PyTorch's under its own weights: values and every gradient."""

from itertools import product

import numpy as np
import pytest

import tinyseq as ts
from tinyseq import nn

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

CLOSE = {np.float32: 3e-5, np.float64: 1e-11}
B, T, S, E, N = 3, 5, 7, 12, 3


def close(ours, theirs, dtype):
    theirs = theirs.detach().numpy()
    assert ours.shape == theirs.shape and ours.dtype == theirs.dtype == dtype
    scale = max(1.0, np.abs(theirs).max(initial=0.0))
    np.testing.assert_allclose(ours.data, theirs, rtol=CLOSE[dtype], atol=CLOSE[dtype] * scale)


def both(array):
    return ts.tensor(array, requires_grad=True), torch.tensor(array, requires_grad=True)


def loaded(dtype, *args, **options):
    """Our layer and PyTorch's, with its weights; its biases begin as zeros, which hides much."""
    torch.manual_seed(0)
    theirs = torch.nn.MultiheadAttention(*args, **options, batch_first=True)
    for p in theirs.parameters():
        torch.nn.init.normal_(p, std=0.3)
    theirs = theirs.to(getattr(torch, np.dtype(dtype).name))
    ours = nn.MultiheadAttention(*args, **options).to(dtype)
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


def padding(kind, dtype, rng, S):
    """A key_padding_mask; no query is without a key, of which PyTorch makes NaN."""
    ends = np.arange(S) >= np.array([S, 1, S - 2])[:, None]
    holes = rng.random((B, S)) < 0.4
    holes[:, 1] = False
    return {
        "none": None,
        "ends": ends,
        "holes": holes,
        "floats": np.where(holes, -np.inf, rng.normal(size=(B, S))).astype(dtype),
    }[kind]


def attn(kind, dtype, rng, T, S):
    hidden = rng.random((T, S)) < 0.4
    hidden[:, :2] = False
    each = rng.random((B * N, T, S)) < 0.4
    each[..., :2] = False
    return {
        "none": None,
        "bool": hidden,
        "each head": each,
        "floats": rng.normal(size=(T, S)).astype(dtype),
        "each head's floats": rng.normal(size=(B * N, T, S)).astype(dtype),
    }[kind]


SIZES = {"self": {}, "cross": {}, "kdim and vdim": {"kdim": 5, "vdim": 9}, "vdim": {"vdim": 8}}


@pytest.mark.parametrize("dtype", CLOSE, ids=["float32", "float64"])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("sizes", SIZES)
def test_every_mask_and_result(sizes, bias, dtype):
    ours, theirs = loaded(dtype, E, N, bias=bias, **SIZES[sizes])
    rng = np.random.default_rng(0)
    shapes = [(B, T, E), (B, S, ours.kdim), (B, S, ours.vdim)][: 1 if sizes == "self" else 3]
    arrays = [rng.normal(size=shape).astype(dtype) for shape in shapes]
    keys = T if sizes == "self" else S
    pads = ("none", "ends", "holes", "floats")
    masks = ("none", "bool", "each head", "floats", "each head's floats")
    for pad, mask, need, average in product(pads, masks, [True, False], [True, False]):
        if not need and not average:
            continue
        pad, mask = padding(pad, dtype, rng, keys), attn(mask, dtype, rng, T, keys)
        if pad is not None and mask is not None and (pad.dtype == bool) != (mask.dtype == bool):
            continue  # PyTorch frowns on it
        xs, others = zip(*map(both, arrays), strict=True)
        y, weights = ours(
            *(xs * 3 if sizes == "self" else xs),
            key_padding_mask=pad, need_weights=need, attn_mask=mask, average_attn_weights=average,
        )  # fmt: skip
        yt, wt = theirs(
            *(others * 3 if sizes == "self" else others),
            key_padding_mask=None if pad is None else torch.tensor(pad), need_weights=need,
            attn_mask=None if mask is None else torch.tensor(mask), average_attn_weights=average,
        )  # fmt: skip
        close(y, yt, dtype)
        loss, other = (y * y).sum(), (yt * yt).sum()
        assert (weights is None) == (wt is None) == (not need)
        if need:
            close(weights, wt, dtype)
            loss, other = loss + (weights**3).sum(), other + (wt**3).sum()
        ours.zero_grad()
        theirs.zero_grad()
        loss.backward()
        other.backward()
        for x, o in zip(xs, others, strict=True):
            close(x.grad, o.grad, dtype)
        gradients = {name: p.grad for name, p in theirs.named_parameters()}
        assert {name for name, _ in ours.named_parameters()} == set(gradients)
        for name, p in ours.named_parameters():
            close(p.grad, gradients[name], dtype)


@pytest.mark.parametrize("dtype", CLOSE, ids=["float32", "float64"])
def test_a_mask_of_floats_gets_its_gradient(dtype):
    ours, theirs = loaded(dtype, E, N)
    rng = np.random.default_rng(0)
    x, xt = both(rng.normal(size=(B, T, E)).astype(dtype))
    mask, mt = both(rng.normal(size=(T, T)).astype(dtype))
    pad, pt = both(rng.normal(size=(B, T)).astype(dtype))
    y, _ = ours(x, x, x, pad, False, mask)
    yt, _ = theirs(xt, xt, xt, pt, False, mt)
    close(y, yt, dtype)
    (y * y).sum().backward()
    (yt * yt).sum().backward()
    close(mask.grad, mt.grad, dtype)
    close(pad.grad, pt.grad, dtype)


@pytest.mark.parametrize("dtype", CLOSE, ids=["float32", "float64"])
@pytest.mark.parametrize("kind", [bool, float])
def test_causal_by_name_and_by_mask(kind, dtype):
    ours, theirs = loaded(dtype, E, N)
    x, xt = both(np.random.default_rng(0).normal(size=(B, T, E)).astype(dtype))
    mask = torch.nn.Transformer.generate_square_subsequent_mask(T).to(xt.dtype)
    mask = mask < 0 if kind is bool else mask
    yt, wt = theirs(xt, xt, xt, attn_mask=mask)
    for options in ({"attn_mask": mask.numpy()}, {"is_causal": True}):
        y, weights = ours(x, x, x, **options)
        close(y, yt, dtype)
        close(weights, wt, dtype)
        close(ours(x, x, x, need_weights=False, **options)[0], yt, dtype)


@pytest.mark.parametrize("sizes", SIZES)
@pytest.mark.parametrize("bias", [True, False])
def test_names_shapes_and_first_values(sizes, bias):
    """As many, under the same names, and spread alike."""
    theirs = torch.nn.MultiheadAttention(96, 4, bias=bias, **SIZES[sizes]).state_dict()
    ours = nn.MultiheadAttention(96, 4, bias=bias, **SIZES[sizes]).state_dict()
    assert {n: tuple(p.shape) for n, p in theirs.items()} == {n: p.shape for n, p in ours.items()}
    for name, p in theirs.items():
        p = p.numpy()
        assert np.abs(ours[name].data).max() == pytest.approx(np.abs(p).max(), rel=0.02)
        assert ours[name].data.std() == pytest.approx(p.std(), rel=0.1)
