"""Layers with attention to test, and comparisons that are exact where the kernels promise it."""

import numpy as np
import pytest

import tinyseq as ts
from tinyseq import nn

VARIANTS = {
    "plain": {},
    "shared": {"num_kv_heads": 1},
    "window": {"window": 3},
    "rotary": {"rotary": 4},
    "some rotary, interleaved": {"rotary": 2},
    "alibi": {"alibi": True},
    "all at once": {"num_kv_heads": 1, "window": 5, "rotary": 2, "alibi": True},
}


def make(variant, dtype=np.float32):
    """A layer of width 12 with 3 heads, its biases not zeros."""
    options = dict(VARIANTS[variant])
    if "rotary" in options:
        turned = options["rotary"]
        options["rotary"] = nn.RotaryEmbedding(turned, base=20.0, interleaved=turned == 2)
    ts.manual_seed(0)
    layer = nn.MultiheadAttention(12, 3, **options)
    for p in layer.parameters():
        ts.init.normal_(p, std=0.4)
    return layer.to(dtype)


def randn(*shape, seed=0, dtype=np.float32):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


IN_C = ts.backend.info()["kernels"]["attention_forward"] == "c"
on_c = pytest.mark.skipif(not IN_C, reason="the C kernels' promise")

# float32 in C: the same bits. float64, in NumPy: but for rounding.
EXACT = [np.float64, pytest.param(np.float32, marks=on_c)]


def same(got, wanted, dtype):
    """Equal bits in float32, if C does the work; else nearly equal."""
    for a, b in zip(got, wanted, strict=True):
        if dtype == np.float32 and IN_C:
            np.testing.assert_array_equal(a.data, b.data)
        else:
            close = 1e-9 if dtype == np.float64 else 1e-4
            np.testing.assert_allclose(a.data, b.data, rtol=close, atol=close)
