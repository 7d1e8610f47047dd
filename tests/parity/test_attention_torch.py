"""Attention by tinyseq and by PyTorch: values and all gradients, over the product of options."""

from itertools import product

import numpy as np
import pytest

import tinyseq as ts
from tinyseq.nn import functional as F

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

SIZES = [
    (2, 4, 4, 5, 5, 8, 8),
    (1, 6, 2, 7, 9, 3, 5),
    (3, 2, 1, 9, 4, 1, 1),
    (2, 3, 3, 70, 131, 40, 7),
]
MASKS = [None, "bool", "float", "of keys", "of queries", "of heads", "of rows"]
STRETCHED = {"of keys": (0, 1, 2), "of queries": (0, 1, 3), "of heads": (0, 2), "of rows": (1,)}


def problem(size, kind, dtype, seed=0):
    """q, k, v, a mask or None, the weights of y's elements."""
    B, N, M, T, S, d, dv = size
    random = np.random.default_rng(seed)
    shapes = (B, N, T, d), (B, M, S, d), (B, M, S, dv), (B, N, T, dv)
    q, k, v, g = (random.standard_normal(shape).astype(dtype) for shape in shapes)
    if kind is None:
        return q, k, v, None, g
    shape = [1 if i in STRETCHED.get(kind, ()) else n for i, n in enumerate((B, N, T, S))]
    mask = random.random(shape) < 0.7
    if kind != "bool":
        mask = np.where(mask, random.standard_normal(shape), -np.inf).astype(dtype)
    return q, k, v, mask, g


def theirs(q, k, v, mask, g, causal, bias=None, scale=None):
    """PyTorch's y and gradients of q, k, v and, of floats, the mask; both may hide keys.

    causal is spelled out, for PyTorch's own counts from the first key; and so are rows that see
    nothing, of which PyTorch's plain path makes NaN.
    """
    q, k, v, g = (torch.tensor(a, requires_grad=True) for a in (q, k, v, g))
    inputs, (T, S) = [q, k, v], (q.shape[2], k.shape[2])
    seen = torch.ones(T, S, dtype=torch.bool)
    if causal:
        seen = seen.tril(S - T)
    added = torch.zeros(1, dtype=q.dtype)
    if bias is not None:
        seen, added = seen & torch.tensor(bias != -np.inf), torch.tensor(np.maximum(bias, -1e9))
    if mask is not None:
        mask = torch.tensor(mask, requires_grad=mask.dtype != bool)
        if mask.dtype == torch.bool:
            seen = seen & mask
        else:
            inputs.append(mask)
            seen, added = seen & (mask > -torch.inf), added + mask
    # A row that sees nothing is let see all, and taken away from y.
    blind = ~seen.any(-1, keepdim=True)
    whole = torch.where(seen, torch.where(seen, added, 0), torch.where(blind, 0, -torch.inf))
    y = torch.nn.functional.scaled_dot_product_attention(
        q, k, v, whole, scale=scale, enable_gqa=k.shape[1] != q.shape[1]
    )
    y = torch.where(blind, 0, y)
    grads = torch.autograd.grad(y, inputs, g.detach())
    return [a.numpy(force=True) for a in (y, *grads)]


def ours(q, k, v, mask, g, **options):
    inputs = [ts.tensor(a, requires_grad=True) for a in (q, k, v)]
    if mask is not None and mask.dtype != bool:
        mask = ts.tensor(mask, requires_grad=True)
        inputs.append(mask)
    y = F.scaled_dot_product_attention(*inputs[:3], mask, **options)
    return [a.data for a in (y, *ts.grad(y, inputs, ts.tensor(g)))]


def close(results, wanted):
    for a, b in zip(results, wanted, strict=True):
        assert a.shape == b.shape and a.dtype == b.dtype
        tolerance = 1e-11 if a.dtype == np.float64 else 2e-5
        scale = max(1, np.abs(b).max(initial=0))
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance * scale)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_the_product_of_options(size, dtype):
    for kind, causal, scale in product(MASKS, [False, True], [None, 0.3]):
        given = problem(size, kind, dtype)
        close(
            ours(*given, is_causal=causal, scale=scale), theirs(*given, causal=causal, scale=scale)
        )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("causal", [False, True])
def test_their_own_causal_and_plain_kernels(causal, dtype):
    """With no mask PyTorch takes its fused kernel."""
    for T, d in product([1, 2, 63, 129, 300], [7, 32, 64, 100]):
        given = problem((2, 2, 2, T, T, d, d), None, dtype, seed=T)
        inputs = [torch.tensor(a, requires_grad=True) for a in given[:3]]
        y = torch.nn.functional.scaled_dot_product_attention(*inputs, is_causal=causal)
        grads = torch.autograd.grad(y, inputs, torch.tensor(given[4]))
        close(ours(*given, is_causal=causal), [a.numpy(force=True) for a in (y, *grads)])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_windows_slopes_lengths_and_starts_as_masks(size, dtype):
    B, N, _, T, S, _, _ = size
    random = np.random.default_rng(1)
    for kind, causal, window, alibi, lengths, start in product(
        [None, "float"], *[[False, True]] * 5
    ):
        first = random.integers(0, S, B) if start else np.full(B, S - T)
        away = (first[:, None] + np.arange(T))[:, None, :, None] - np.arange(S)
        bias, options = np.zeros((B, N, T, S)), {"is_causal": causal}
        if causal:
            bias = np.where(away >= 0, bias, -np.inf)
        if alibi:
            options["alibi_slopes"] = slopes = random.random(N)
            bias = bias - slopes[:, None, None] * np.abs(away)
        if window:
            options["window"] = 3
            bias = np.where(np.abs(away) < 3, bias, -np.inf)
        if lengths:
            options["lengths"] = ends = random.integers(0, S + 1, B)
            bias = np.where(np.arange(S) < ends[:, None, None, None], bias, -np.inf)
        if start:
            options["start"] = first
        given = problem(size, kind, dtype)
        close(ours(*given, **options), theirs(*given, causal=False, bias=bias.astype(dtype)))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("causal", [False, True])
def test_softcap_spelled_out(causal, dtype):
    q, k, v, mask, g = problem((2, 4, 2, 9, 11, 5, 3), "float", dtype)
    inputs = [torch.tensor(a, requires_grad=True) for a in (q, k, v, mask)]
    key, value = (x.repeat_interleave(2, 1) for x in inputs[1:3])
    scores = 0.8 * torch.tanh(inputs[0] @ key.mT * 5**-0.5 / 0.8) + inputs[3]
    if causal:
        scores = scores.masked_fill(~torch.ones(9, 11, dtype=torch.bool).tril(2), -torch.inf)
    y = torch.softmax(scores, -1) @ value
    grads = torch.autograd.grad(y, inputs, torch.tensor(g))
    wanted = [a.numpy(force=True) for a in (y, *grads)]
    close(ours(q, k, v, mask, g, softcap=0.8, is_causal=causal), wanted)
