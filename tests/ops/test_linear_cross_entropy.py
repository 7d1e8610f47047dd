import tracemalloc

import numpy as np
import pytest

import tinyseq as ts
from tinyseq import backend
from tinyseq.nn import functional as F


def parameters(shape=(6, 4), V=5, dtype=np.float32, seed=0):
    r = np.random.default_rng(seed)
    x, weight, bias = (ts.tensor(r.standard_normal(s).astype(dtype), requires_grad=True)
                       for s in (shape, (V, shape[-1]), (V,)))  # fmt: skip
    target = r.integers(0, V, shape[:-1])
    target.reshape(-1)[::3] = -100
    return x, weight, bias, target


def unfused(x, weight, bias, target, **how):
    logits = F.linear(x, weight, bias).reshape(-1, weight.shape[0])
    losses = F.cross_entropy(logits, target.reshape(-1), **how)
    return losses.reshape(target.shape) if how.get("reduction") == "none" else losses


@pytest.mark.parametrize("shape", [(6, 4), (4,), (2, 3, 7), (0, 4), (300, 3), (2, 600, 5)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("how", ["mean", "sum", "none"])
@pytest.mark.parametrize("with_bias", [True, False])
def test_loss_and_gradients_are_those_of_the_two_layers(shape, dtype, how, with_bias):
    x, weight, bias, target = parameters(shape, dtype=dtype)
    leaves = [x, weight, bias][: 2 + with_bias]
    results = []
    for loss in (F.linear_cross_entropy, unfused):
        losses = loss(x, weight, bias if with_bias else None, target, reduction=how)
        upstream = 1 + ts.arange(losses.numel()).reshape(losses.shape).to(dtype) / 7
        gradients = ts.grad((losses * upstream).sum(), leaves)
        results.append([losses, *gradients])
        with ts.no_grad():
            again = loss(x, weight, bias if with_bias else None, target, reduction=how)
        np.testing.assert_array_equal(again.data, losses.data)
    tolerance = 1e-5 if dtype == np.float32 else 1e-12
    for got, expected in zip(*results, strict=True):
        assert got.dtype == dtype and got.shape == expected.shape
        scale = np.abs(expected.data).max(initial=0)
        np.testing.assert_allclose(got.data, expected.data, rtol=tolerance, atol=tolerance * scale)


@pytest.mark.parametrize("how", ["mean", "none"])
def test_a_graph_that_is_kept_gives_its_gradients_again(how):
    x, weight, bias, target = parameters()
    loss = F.linear_cross_entropy(x, weight, bias, target, reduction=how).sum() * 2
    first = ts.grad(loss, [x, weight, bias], retain_graph=True)
    kept = [g.data.copy() for g in first]
    for g in first:
        g.data[...] = 7
    for g, expected in zip(ts.grad(loss, [x, weight, bias]), kept, strict=True):
        np.testing.assert_array_equal(g.data, expected)


def test_no_target_that_counts():
    x, weight, bias, target = parameters()
    target[:] = -100
    loss = F.linear_cross_entropy(x, weight, bias, target)
    loss.backward()
    assert np.isnan(loss.item()) and not x.grad.data.any() and not weight.grad.data.any()
    assert F.linear_cross_entropy(x, weight, bias, target, reduction="sum").item() == 0
    target[:] = 9
    assert np.isnan(F.linear_cross_entropy(x, weight, bias, target, ignore_index=9).item())


def test_dtypes_that_differ_become_the_larger():
    x, weight, bias, target = parameters()
    loss = F.linear_cross_entropy(x, weight.to(np.float64), bias, target)
    assert loss.dtype == np.float64
    loss.backward()
    assert x.grad.dtype == np.float32


def test_it_refuses():
    x, weight, bias, target = parameters()
    for wrong, error, said in [
        (
            (x, weight[0], None, target),
            ValueError,
            r"x must be \(..., E\) and weight \(V, E\), got",
        ),
        ((x[:, :3], weight, None, target), ValueError, r"got \(6, 3\) and \(5, 4\)"),
        ((x, weight, bias[:2], target), ValueError, r"bias must be \(5,\), got \(2,\)"),
        ((x, weight, bias, target[:2]), ValueError, r"target must be \(6,\), got \(2,\)"),
        ((x, weight, bias, target + 0.5), TypeError, "whole numbers"),
        ((x, weight, bias, target, 0), IndexError, "index -100 is out of range for 5"),
        ((x, weight, bias, target, -100, "max"), ValueError, "mean, sum or none, got 'max'"),
    ]:
        with pytest.raises(error, match=f"linear_cross_entropy: .*{said}"):
            F.linear_cross_entropy(*wrong)


@pytest.mark.parametrize("how", ["mean", "none"])
def test_memory_never_holds_all_the_logits(how):
    R, V = 4096, 2000
    x, weight, bias, target = parameters((R, 8), V)
    before = backend.info()["backend"]
    backend.use("numpy")  # whose memory Python can watch
    tracemalloc.start()
    try:
        F.linear_cross_entropy(x, weight, bias, target, reduction=how).sum().backward()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        backend.use(before)
    assert peak < R * V * 4 / 4
