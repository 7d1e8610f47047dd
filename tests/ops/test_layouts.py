"""Every case again on arrays that lie otherwise in memory, and in float32 on the backend in use."""

import numpy as np
import pytest

from tests.ops.cases import CASES
from tinyseq.autograd import Tensor, grad


def backwards(a):
    return np.flip(np.flip(a).copy())


def every_other(a):
    wide = np.full([2 * n for n in a.shape], np.nan, a.dtype)
    view = wide[(..., *(slice(None, None, 2) for _ in a.shape))]
    view[...] = a
    return view


def columns_first(a):
    return a.T.copy().T


def misaligned(a):
    return np.frombuffer(b"x" + a.tobytes(), a.dtype, offset=1).reshape(a.shape)  # and read-only


def run(fn, args):
    inputs = [Tensor(a, requires_grad=True) for a in args]
    results = fn(*inputs)
    results = list(results) if isinstance(results, tuple) else [results]
    weights = [np.linspace(0.5, 1.5, y.numel()).reshape(y.shape) for y in results]
    weights = [w.astype(y.dtype) for w, y in zip(weights, results, strict=True)]
    gradients = grad(results, inputs, weights, allow_unused=True)
    return results + [g for g in gradients if g is not None]


@pytest.mark.parametrize("name, fn, args", CASES, ids=[case[0] for case in CASES])
def test_any_layout_gives_the_same(name, fn, args):
    args = [np.array(a, np.float64) for a in args]
    wanted = run(fn, args)
    for layout in (backwards, every_other, columns_first, misaligned):
        given = [layout(a) for a in args]
        before = [a.copy() for a in given]
        for got, y in zip(run(fn, given), wanted, strict=True):
            np.testing.assert_allclose(got.data, y.data, rtol=1e-12, atol=1e-14)
        for a, b in zip(given, before, strict=True):
            np.testing.assert_array_equal(a, b)  # nothing is changed in place


# What takes float64 in, by its constants or on purpose.
WIDER = (
    "cast",
    "binary_cross_entropy_with_logits",
)


@pytest.mark.parametrize("name, fn, args", CASES, ids=[case[0] for case in CASES])
def test_float32_stays_float32(name, fn, args):
    args = [np.array(a, np.float64) for a in args]
    wanted = run(fn, args)
    for layout in (np.ascontiguousarray, backwards, every_other):
        given = [layout(a.astype(np.float32)).reshape(a.shape) for a in args]
        for got, y in zip(run(fn, given), wanted, strict=True):
            assert got.dtype == np.float32 or name.startswith(WIDER)
            np.testing.assert_allclose(got.data, y.data, rtol=2e-4, atol=2e-5)
