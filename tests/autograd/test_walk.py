"""The backward walk: what it computes, what it keeps, and what it refuses."""

import gc
import weakref

import numpy as np
import pytest

import tinyseq as ts
from tinyseq import nn
from tinyseq.nn import functional as F


def leaf(*values):
    return ts.tensor(np.array(values), requires_grad=True)


def test_backward_adds_to_grad():
    x = leaf(1.0, 2.0)
    (x * x).sum().backward()
    np.testing.assert_array_equal(x.grad.data, [2, 4])
    (3 * x).sum().backward()
    np.testing.assert_array_equal(x.grad.data, [5, 7])


def test_a_tensor_used_twice_gets_both_shares():
    x = leaf(3.0)
    y = x * x
    (y * y + y).sum().backward()
    np.testing.assert_array_equal(x.grad.data, [4 * 27 + 6])


def test_a_gradient_has_its_tensors_shape_and_dtype():
    x = ts.tensor(np.ones((2, 1), np.float32), requires_grad=True)
    (x * np.ones((3, 2, 4))).sum().backward()
    assert x.grad.shape == (2, 1) and x.grad.dtype == np.float32


def test_a_leafs_gradient_is_its_own():
    x, y = leaf(1.0), leaf(1.0)
    (x + y).backward()
    x.grad.data *= 5
    np.testing.assert_array_equal(y.grad.data, [1])


def test_a_freed_graph_is_refused_and_a_retained_one_is_not():
    x = leaf(2.0)
    y = x * x
    y.backward(retain_graph=True)
    y.backward()
    np.testing.assert_array_equal(x.grad.data, [8])
    with pytest.raises(RuntimeError, match="freed by an earlier backward"):
        y.backward()


def test_clear_errors():
    x = leaf(1.0, 2.0)
    with pytest.raises(RuntimeError, match=r"shape \(2,\)"):
        (x * x).backward()
    with pytest.raises(ValueError, match=r"shape \(2,\), got \(3,\)"):
        (x * x).backward(np.ones(3))
    with pytest.raises(RuntimeError, match="does not require a gradient"):
        ts.tensor([1.0]).backward()
    with pytest.raises(TypeError, match="floating-point"):
        ts.tensor([1, 2], requires_grad=True)
    with pytest.raises(RuntimeError, match="not used"):
        ts.grad((x * x).sum(), [x, leaf(1.0)])
    with pytest.raises(RuntimeError, match="does not require"):
        ts.grad((x * x).sum(), ts.tensor([1.0]))


def test_grad_of_several_outputs_by_several_inputs():
    x, y, unused = leaf(2.0), leaf(3.0), leaf(1.0)
    a, b = x * y, x * x
    gx, gy, gu = ts.grad([a, b], [x, y, unused], [np.array([10.0]), None], allow_unused=True)
    np.testing.assert_array_equal(gx.data, [34])
    np.testing.assert_array_equal(gy.data, [20])
    assert gu is None and x.grad is None


def test_one_output_takes_one_gradient_as_it_is():
    x = leaf(2.0, 3.0)
    for given in (np.array([1.0, 10.0]), ts.tensor(np.array([1.0, 10.0])), [np.array([1.0, 10.0])]):
        np.testing.assert_array_equal(ts.grad(x * x, x, given)[0].data, [4, 60])
    with pytest.raises(ValueError, match="expected 1 grad_outputs, got 2"):
        ts.grad(x * x, x, [None, None])


def test_grad_by_a_tensor_on_the_way():
    x = leaf(2.0)
    y = x * x
    (g,) = ts.grad((y * y).sum(), y)
    np.testing.assert_array_equal(g.data, [8])


def test_derivatives_to_the_fourth_order():
    x = leaf(0.7)
    y = ts.ops.exp(x * x)
    for _ in range(4):
        (y,) = ts.grad(y.sum(), x, create_graph=True)
    v = 0.7
    expected = np.exp(v * v) * (16 * v**4 + 48 * v**2 + 12)
    np.testing.assert_allclose(y.data, [expected], rtol=1e-12)


def test_nothing_is_left_alive_after_a_training_step_without_the_garbage_collector():
    model = nn.LSTM(3, 4)
    gc.collect()
    gc.disable()
    try:
        x = ts.randn(2, 5, 3)
        y, (h, c) = model(x)
        loss = F.cross_entropy(y.reshape(-1, 4), np.zeros(10, np.int64)) + h.sum() + c.mean()
        watched = [weakref.ref(t) for t in (x, y, h, c, loss, *loss.inputs)]
        loss.backward()
        del x, y, h, c, loss
        assert [ref() for ref in watched] == [None] * len(watched)
        unwalked = model(ts.randn(2, 5, 3))[0].sum()
        watched = [weakref.ref(t) for t in (unwalked, *unwalked.inputs)]
        del unwalked
        assert [ref() for ref in watched] == [None] * len(watched)
    finally:
        gc.enable()


def test_a_walk_up_to_a_tensor_leaves_its_own_making_alone():
    """So a backward pass can be cut in two there."""
    x = ts.tensor([1.0, 2.0], requires_grad=True)
    middle = x * x
    for _ in range(2):
        (g,) = ts.grad((middle * 3).sum(), middle)
        assert g.tolist() == [3, 3]
    middle.backward(g)
    assert x.grad.tolist() == [6, 12]
    with pytest.raises(RuntimeError, match="this graph was freed"):
        middle.backward(g)
