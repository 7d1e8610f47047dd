"""Tensors from nothing: values, dtypes, and what follows the seed."""

import numpy as np
import pytest

import tinyseq as ts
from tinyseq import ops


def same(got, wanted, dtype):
    assert got.dtype == dtype and got.shape == np.shape(wanted)
    np.testing.assert_allclose(got.data, wanted, rtol=1e-7)


def test_values_and_dtypes():
    same(ts.tensor([1.5, 2]), [1.5, 2], np.float32)
    same(ts.tensor([1, 2]), [1, 2], np.int64)
    same(ts.tensor([True]), [True], np.bool_)
    same(ts.tensor(np.ones(2)), [1, 1], np.float64)
    same(ts.zeros(2, 3), np.zeros((2, 3)), np.float32)
    same(ts.ones((2, 0)), np.ones((2, 0)), np.float32)
    same(ts.ones(()), 1, np.float32)
    same(ts.full((2,), 3), [3, 3], np.int64)
    same(ts.full((2,), 0.5), [0.5, 0.5], np.float32)
    same(ts.full((1,), True), [True], np.bool_)
    same(ts.eye(2, 3), np.eye(2, 3), np.float32)


def test_arange_and_linspace():
    same(ts.arange(3), [0, 1, 2], np.int64)
    same(ts.arange(1, 7, 2), [1, 3, 5], np.int64)
    same(ts.arange(np.int64(5), 0, -2), [5, 3, 1], np.int64)
    same(ts.arange(0), [], np.int64)
    same(ts.arange(0, 1, 0.25), [0, 0.25, 0.5, 0.75], np.float32)
    same(ts.arange(3, dtype=np.float64), [0, 1, 2], np.float64)
    same(ts.linspace(0, 1, 5), [0, 0.25, 0.5, 0.75, 1], np.float32)
    same(ts.linspace(2, -2, 3), [2, 0, -2], np.float32)
    same(ts.linspace(3, 9, 1), [3], np.float32)
    same(ts.linspace(3, 9, 0), [], np.float32)
    # The last of a million steps is as exact as the first.
    assert ts.arange(0, 100_000, 0.1).data[-1] == np.float32(99_999.9)


def test_likes():
    for x in (ts.zeros(2, 3), ts.arange(4), ts.ones(0, 2, dtype=np.float64)):
        same(ts.zeros_like(x), np.zeros(x.shape), x.dtype)
        same(ts.ones_like(x), np.ones(x.shape), x.dtype)
        same(ts.full_like(x, 2), np.full(x.shape, 2), x.dtype)
        same(ts.ones_like(x, dtype=np.float32), np.ones(x.shape), np.float32)
        whole = ts.randint_like(x, 2, 5)
        assert whole.shape == x.shape and whole.dtype == x.dtype
        assert ((whole.data >= 2) & (whole.data < 5)).all()
    for draw in (ts.rand_like, ts.randn_like):
        assert draw(ts.zeros(2, 3)).dtype == np.float32
        assert draw(ts.zeros(2, 3, dtype=np.float64)).dtype == np.float64
        assert draw(ts.arange(3), dtype=np.float32).shape == (3,)
        with pytest.raises(TypeError, match=f"{draw.__name__}: dtype must be float32 or float64"):
            draw(ts.arange(3))


def test_gradients_can_be_asked_for():
    for x in (
        ts.tensor([1.0], requires_grad=True), ts.zeros(1, requires_grad=True),
        ts.ones(1, requires_grad=True), ts.full((1,), 0.5, requires_grad=True),
        ts.arange(2.0, requires_grad=True), ts.linspace(0, 1, 2, requires_grad=True),
        ts.eye(2, requires_grad=True), ts.rand(2, requires_grad=True),
        ts.randn(2, requires_grad=True), ts.zeros_like(ts.ones(2), requires_grad=True),
        ts.rand_like(ts.ones(2), requires_grad=True),
    ):  # fmt: skip
        assert x.requires_grad and x.is_leaf
    with pytest.raises(TypeError, match="floating-point"):
        ts.arange(3, requires_grad=True)


def draws():
    return [
        ts.rand(3), ts.rand((2, 2)), ts.randn(3), ts.randint(9, (5,)), ts.randint(-3, 3, (2, 2)),
        ts.rand_like(ts.ones(3)), ts.randn_like(ts.ones(3)), ts.randint_like(ts.ones(3), 7),
        ts.bernoulli(ts.full((8,), 0.5)),
    ]  # fmt: skip


def test_the_seed_decides_what_is_drawn():
    before = ts.random.get_state()
    ts.manual_seed(11)
    first = [x.tolist() for x in draws()]
    again = [x.tolist() for x in draws()]
    ts.manual_seed(11)
    assert [x.tolist() for x in draws()] == first != again
    ts.random.set_state(before)


def test_bernoulli():
    p = ts.tensor([[0.0, 1.0], [0.0, 1.0]], requires_grad=True)
    same(ts.bernoulli(p), [[0, 1], [0, 1]], np.float32)
    assert not ts.bernoulli(p).requires_grad
    assert ts.bernoulli(np.full(10_000, 0.3)).data.mean() == pytest.approx(0.3, abs=0.03)
    assert ts.bernoulli(ts.zeros(0, 3)).shape == (0, 3)
    assert ts.rand().shape == () and ts.randint(1, ()).item() == 0


def test_as_tensor_shares():
    array = np.ones(2)
    assert ops.as_tensor(array).data is array
    x = ts.ones(1)
    assert ops.as_tensor(x) is x


def test_sizes_and_limits_by_name():
    for make in (ts.zeros, ts.ones, ts.rand, ts.randn):
        assert make(size=(2, 3)).shape == make(2, 3).shape == make([2, 3]).shape == (2, 3)
        assert make().shape == ()
    assert ts.arange(start=1, end=5, step=2).tolist() == ts.arange(1, 5, step=2).tolist() == [1, 3]
    assert ts.arange(end=2).tolist() == [0, 1]
    assert ts.randint(low=1, high=2, size=(2,)).tolist() == [1, 1]
    x = ts.ones(2, 3)
    assert x.reshape(shape=(3, 2)).shape == x.permute(dims=(1, 0)).shape == (3, 2)
    assert x.flip(dims=(0,)).tile(dims=(2,)).repeat(repeats=(1, 2)).shape == (2, 12)
    assert x.expand(size=(4, -1, 3)).broadcast_to(size=(4, 2, 3)).dim() == 3
