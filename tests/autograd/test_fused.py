"""Fused ops: the kernels' gradient and the reference's are the same gradient."""

import contextlib
import weakref

import numpy as np
import pytest

import tinyseq as ts
from tinyseq import ops

ARGUMENTS = [(3, 5, 4), (3, 6), (3, 6), (24, 4), (24, 6), (24,), (24,)]


def test_the_recorded_gradient_is_the_kernels(dtype=np.float64):
    random = np.random.default_rng(0)
    inputs = [ts.tensor(random.standard_normal(s), requires_grad=True) for s in ARGUMENTS]
    for results in (slice(0, 1), slice(1, 3), slice(0, 3)):
        parts = ops.lstm(*inputs)[results]
        total = parts[0].sum()
        for part in parts[1:]:
            total = total + (part * part).sum()
        kernels = ts.grad(total, inputs, retain_graph=True)
        recorded = ts.grad(total, inputs, create_graph=True)
        for a, b in zip(kernels, recorded, strict=True):
            np.testing.assert_allclose(a.data, b.data, rtol=1e-9, atol=1e-12)
            assert b.requires_grad and not a.requires_grad


def test_second_order_stops_at_the_ops_own_inputs():
    """The inner gradient must not walk through what made the inputs."""
    x = ts.tensor(np.random.default_rng(0).standard_normal((2, 3)), requires_grad=True)
    visited = []

    @ts.op
    def watched(x):
        return x * 1

    @watched.vjp
    def _(g, y, x):
        visited.append(1)
        return (g,)

    try:
        loss = ops.cross_entropy(watched(x), np.array([0, 2]))
        ts.grad(loss, x, create_graph=True)
        assert len(visited) == 1
    finally:
        del ts.autograd.REGISTRY["watched"]


def test_nothing_is_kept_when_nothing_is_recorded():
    inputs = [ts.tensor(np.zeros(s, np.float32), requires_grad=True) for s in ARGUMENTS]
    with ts.no_grad():
        y, _, _ = ops.lstm(*inputs)
    assert y.inputs == () and not y.requires_grad


@pytest.mark.parametrize("noted", [False, True])
def test_a_result_that_backward_does_not_need_lives_as_long_as_its_tensor(noted):
    rng = np.random.default_rng(0)
    x, w = (ts.tensor(rng.normal(size=(3, 3)).astype(np.float32), requires_grad=True) for _ in "xw")
    with ts.detect_anomaly() if noted else contextlib.nullcontext():
        y = ops.linear(x, w, None, "gelu")
        array = weakref.ref(y.data)
        wanted = ts.grad(y, [x, w], ts.ones(3, 3), retain_graph=True)
        y.data = np.zeros((3, 3), np.float32)
        assert (array() is None) != noted  # for anomaly mode compares it with what it was
    if not noted:
        got = ts.grad(y, [x, w], ts.ones(3, 3))
        assert all((a.data == b.data).all() for a, b in zip(got, wanted, strict=True))
