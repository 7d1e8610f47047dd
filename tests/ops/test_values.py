"""What the ops compute, against NumPy, and what they refuse."""

import numpy as np
import pytest

import tinyseq as ts
from tinyseq import ops
from tinyseq.autograd import Tensor

random = np.random.default_rng(0)
ARRAY = random.standard_normal((2, 3, 4))
X = Tensor(ARRAY)


def same(got, wanted):
    assert isinstance(got, Tensor) and got.shape == np.shape(wanted)
    np.testing.assert_allclose(got.data, wanted, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("dim", [None, 0, -1, (0, 2), (-1, -3), ()])
@pytest.mark.parametrize("keepdim", [False, True])
def test_reductions(dim, keepdim):
    how = {"axis": dim, "keepdims": keepdim}
    same(ops.sum(X, dim, keepdim), ARRAY.sum(**how))
    same(ops.mean(X, dim, keepdim), ARRAY.mean(**how))
    same(ops.amax(X, dim, keepdim), ARRAY.max(**how))
    same(ops.amin(X, dim, keepdim), ARRAY.min(**how))
    same(ops.logsumexp(X, dim, keepdim), np.log(np.exp(ARRAY).sum(**how)))
    same(ops.var(X, dim, 0, keepdim), ARRAY.var(**how))
    if isinstance(dim, tuple):
        same(ops.sum(X, list(dim), keepdim), ARRAY.sum(**how))
    if dim != ():
        same(ops.var(X, dim, keepdim=keepdim), ARRAY.var(ddof=1, **how))
        same(ops.std(X, dim, keepdim=keepdim), ARRAY.std(ddof=1, **how))


def test_reductions_of_nothing():
    nothing = ts.zeros(0, 3)
    same(ops.sum(nothing, 0), np.zeros(3))
    assert np.isnan(ops.mean(nothing).item())
    assert np.isnan(ops.var(ts.ones(1)).item())
    same(ops.logsumexp(nothing, 0), np.full(3, -np.inf))


def test_a_dimension_out_of_range_is_named():
    by_dim = (
        ops.sum, ops.mean, ops.var, ops.logsumexp, ops.softmax, ops.log_softmax, ops.squeeze,
        ops.flatten, ops.unbind,
    )  # fmt: skip
    for function in by_dim:
        for dim in (3, -4):
            with pytest.raises(IndexError, match=f"dim {dim} is out of range"):
                function(X, dim)
    for call in (
        lambda: ops.unsqueeze(X, 4),
        lambda: ops.transpose(X, 0, 3),
        lambda: ops.split(X, 1, 3),
        lambda: ops.chunk(X, 1, -4),
    ):
        with pytest.raises(IndexError, match="is out of range"):
            call()


def test_logsumexp_at_the_ends():
    huge = Tensor(np.array([[1e4, 1e4], [-np.inf, -np.inf], [np.inf, 0.0], [-1e4, -np.inf]]))
    same(ops.logsumexp(huge, 1), [1e4 + np.log(2), -np.inf, np.inf, -1e4])


def test_a_tensor_without_dimensions_along_0():
    x = Tensor(np.array(2.0), requires_grad=True)
    for dim in (0, -1):
        for f in (ops.sum, ops.amax, ops.cumsum, ops.logsumexp, ops.prod):
            same(f(x, dim), 2.0)
            assert ts.grad(f(x, dim), x)[0].item() == 1
        same(ops.softmax(x, dim), 1.0)
        same(ops.argmax(x, dim), 0)
        for picked in (ops.sort(x, dim), ops.topk(x, 1, dim), ops.max(x, dim)):
            same(picked.values, 2.0)
            same(picked.indices, 0)


def test_std_keeps_to_float32_whatever_the_squares_do():
    for factor in (1e30, 1e-30):
        x = ts.tensor([factor, 2 * factor, 4 * factor], requires_grad=True)
        y = ops.std(x)
        assert y.dtype == np.float32
        np.testing.assert_allclose(y.item(), 1.5275252 * factor, rtol=1e-6)
        slope = [-0.4364358, -0.1091089, 0.5455447]
        np.testing.assert_allclose(ts.grad(y, x)[0].data, slope, rtol=1e-5)


def test_norm_of_a_negative_order_is_infinite_where_nothing_is_finite():
    same(ops.norm(Tensor(np.array([np.inf, -np.inf])), -1), np.inf)


def test_logsumexp_and_amax_give_a_gradient_where_they_are_not_finite():
    x = Tensor(np.array([np.inf, 1e308, 1.0]), requires_grad=True)
    np.testing.assert_array_equal(ts.grad(ops.logsumexp(x), x)[0].data, [np.nan, 0, 0])
    x = Tensor(np.array([np.nan, 1.0, np.nan]), requires_grad=True)
    np.testing.assert_array_equal(ts.grad(ops.amax(x), x)[0].data, [0.5, 0, 0.5])


def test_argmax_takes_the_first():
    same(ops.argmax(Tensor(np.array([[1, 3, 3], [2, 2, 0]])), 1), [1, 0])
    same(ops.argmax(X), ARRAY.argmax())
    assert not ops.argmax(Tensor(ARRAY, requires_grad=True)).requires_grad


def test_shapes():
    same(ops.reshape(X, 4, -1), ARRAY.reshape(4, -1))
    same(ops.reshape(X, (6, 4)), ARRAY.reshape(6, 4))
    same(ops.flatten(X, 1), ARRAY.reshape(2, 12))
    same(ops.flatten(X, 0, -2), ARRAY.reshape(6, 4))
    same(ops.flatten(Tensor(np.array(3.0))), [3.0])
    same(ops.permute(X, -1, 0, 1), ARRAY.transpose(2, 0, 1))
    same(ops.transpose(X, 0, -1), ARRAY.swapaxes(0, -1))
    same(X.T, ARRAY.T)
    same(X.mT, ARRAY.swapaxes(-1, -2))
    one = Tensor(ARRAY[:1, :, None])
    same(ops.squeeze(one), ARRAY[0])
    same(ops.squeeze(one, 0), ARRAY[0][:, None])
    same(ops.squeeze(one, 1), one.data)
    same(ops.unsqueeze(X, -1), ARRAY[..., None])
    same(ops.unsqueeze(X, 0), ARRAY[None])
    same(ops.expand(one, -1, 3, 5, 4), np.broadcast_to(one.data, (1, 3, 5, 4)))
    same(ops.broadcast_to(X, 5, 2, 3, 4), np.broadcast_to(ARRAY, (5, 2, 3, 4)))


def test_joining_and_cutting():
    same(ops.cat([X, X[:, :1]], 1), np.concatenate([ARRAY, ARRAY[:, :1]], 1))
    same(ops.cat([X, ts.zeros(2, 3, 0)], -1), ARRAY)
    same(ops.stack([X, X], -1), np.stack([ARRAY, ARRAY], -1))
    for got, wanted in zip(ops.split(X, 3, -1), np.split(ARRAY, [3], -1), strict=True):
        same(got, wanted)
    for got, wanted in zip(ops.split(X, [1, 0, 2], 1), np.split(ARRAY, [1, 1], 1), strict=True):
        same(got, wanted)
    assert [part.shape[1] for part in ops.chunk(X, 2, 1)] == [2, 1]
    assert [part.shape for part in ops.chunk(ts.zeros(0, 3), 2)] == [(0, 3)] * 2
    (nothing,) = ops.split(ts.zeros(0, 3), 2)
    assert nothing.shape == (0, 3)
    for got, wanted in zip(ops.unbind(X, 1), np.moveaxis(ARRAY, 1, 0), strict=True):
        same(got, wanted)
    with pytest.raises(ValueError, match=r"sum to 3, got \[1, 1\]"):
        ops.split(X, [1, 1], 1)


KEYS = [
    0, -1, slice(None, None, -1), (0, 1, 2), (..., 0), (None, slice(1), ..., None), [1, 0, 1],
    (slice(None), [2, 2]), ([0, 1], [2, 0]), ARRAY > 0, slice(2, 2), np.int64(1), (0, [True] * 3),
]  # fmt: skip


@pytest.mark.parametrize("key", KEYS, ids=range(len(KEYS)))
def test_indexing(key):
    same(X[key], ARRAY[key])
    x = Tensor(ARRAY.copy(), requires_grad=True)
    x[key].sum().backward()
    counts = np.zeros_like(ARRAY)
    np.add.at(counts, key, 1)  # a place picked twice gets its gradient twice
    np.testing.assert_array_equal(x.grad.data, counts)


def test_numbers_pick_first_and_arrays_from_what_is_left():
    """As in PyTorch; NumPy alone would bring the array's dimension to the front."""
    x = Tensor(random.standard_normal((2, 3, 4, 2)), requires_grad=True)
    pair, mask = np.array([[1, 0, 1]]), np.array([True, False, True, True])
    for key, first, rest in (
        ((0, slice(None), pair), 0, (slice(None), pair)),
        ((pair, ..., -1), (..., -1), pair),
        (
            (np.int64(1), None, [0, 2], slice(1, 3)),
            (1, None, slice(None), slice(1, 3)),
            (0, [0, 2]),
        ),
        ((ts.tensor(1), slice(None), ts.tensor(mask)), 1, (slice(None), mask)),
        ((0, slice(None), mask, pair), 0, (slice(None), mask, pair)),
    ):
        if key[1] is None:
            rest = (slice(None), [0, 2])
        wanted = x.data[first][rest]
        y = x[key]
        same(y, wanted)
        (g,) = ts.grad((y * y).sum(), x)
        counts = np.zeros_like(x.data)
        np.add.at(counts[first], rest, 2 * wanted)
        np.testing.assert_allclose(g.data, counts)


def test_indices_that_do_not_fit():
    for key, message in (
        (2, r"index: shape \(2, 3, 4\): index 2 is out of bounds"),
        ((0, 0, 0, 0), r"index: shape \(2, 3, 4\): too many indices"),
        (ts.zeros(1), "index: .* must be of integer"),
        ((0, slice(None), [5]), "index: .* index 5 is out of bounds"),
    ):
        with pytest.raises(IndexError, match=message):
            X[key]


def test_membership():
    assert 2 in ts.arange(3) and 3 not in ts.arange(3) and 0.0 not in ts.zeros(0, 2)


def test_indexing_by_tensors():
    same(X[ts.tensor([1, 0])], ARRAY[[1, 0]])
    same(X[:, ts.tensor([1, 1])], ARRAY[:, [1, 1]])
    same(X[X > 0], ARRAY[ARRAY > 0])


def test_embedding():
    table = Tensor(ARRAY[0])
    same(ops.embedding([[2, 0]], table), ARRAY[0][[[2, 0]]])
    same(ops.embedding(ts.tensor(1), table), ARRAY[0][1])
    same(ops.embedding([], table), np.zeros((0, 4)))
    with pytest.raises(IndexError, match="embedding: index 3 is out of range for 3 rows"):
        ops.embedding([0, 3], table)
    with pytest.raises(IndexError, match="index -1"):
        ops.embedding([-1], table)
    with pytest.raises(TypeError, match="whole numbers, got float64"):
        ops.embedding(np.zeros(2), table)


SHAPES = [
    ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((2, 3), (3, 4)), ((5, 2, 3), (3, 4)),
    ((3,), (5, 3, 4)), ((5, 2, 3), (3,)), ((2, 3), (5, 3, 4)), ((5, 1, 2, 3), (4, 3, 2)),
    ((0, 3), (3, 2)), ((2, 0), (0, 3)), ((0,), (0,)), ((0, 2, 3), (3, 2)), ((2, 3), (0, 3, 1)),
]  # fmt: skip


@pytest.mark.parametrize("dtype, tolerance", [(np.float64, 1e-12), (np.float32, 1e-5)])
@pytest.mark.parametrize("a, b", SHAPES)
def test_matmul(a, b, dtype, tolerance):
    a, b = (random.standard_normal(s).astype(dtype) for s in (a, b))
    got = ops.matmul(a, b)
    wanted = np.matmul(a.astype(np.float64), b.astype(np.float64))
    assert got.dtype == dtype and got.shape == wanted.shape
    np.testing.assert_allclose(got.data, wanted, rtol=tolerance, atol=tolerance)


def test_matmul_of_any_layout():
    a, b = random.standard_normal((2, 6, 4, 3)).astype(np.float32)
    for left, right in ((a[::-1], b.swapaxes(1, 2)), (a[:, ::2], b[:, ::-1, ::-1].swapaxes(1, 2))):
        wanted = left.astype(np.float64) @ right
        np.testing.assert_allclose(ops.matmul(left, right).data, wanted, atol=1e-5)


@pytest.mark.parametrize("a, b", [((2, 3), (2, 3)), ((3,), (2,)), ((), (3,)), ((3, 0), (3, 0))])
def test_matmul_of_what_does_not_fit(a, b):
    with pytest.raises(ValueError, match=r"matmul: shapes .* do not fit"):
        ops.matmul(np.zeros(a), np.zeros(b))


def test_linear():
    w, b = random.standard_normal((5, 4)), random.standard_normal(5)
    same(ops.linear(X, Tensor(w), Tensor(b), "relu"), np.maximum(ARRAY @ w.T + b, 0))
    same(ops.linear(X[0, 0], Tensor(w)), w @ ARRAY[0, 0])
    same(ops.linear(X[:0], Tensor(w)), np.zeros((0, 3, 5)))
    with pytest.raises(ValueError, match=r"x must be \(..., K\)"):
        ops.linear(X, Tensor(w.T))
    with pytest.raises(ValueError, match=r"bias must be \(5,\), got \(4,\)"):
        ops.linear(X, Tensor(w), Tensor(b[:4]))
    with pytest.raises(ValueError, match="got 'selu'"):
        ops.linear(X, Tensor(w), None, "selu")


def test_softmax():
    e = np.exp(ARRAY)
    for dim in (0, 1, -1):
        share = e / e.sum(dim, keepdims=True)
        same(ops.softmax(X, dim), share)
        same(ops.log_softmax(X, dim), np.log(share))
    same(ops.softmax(Tensor(np.array([1e4, 1e4, -np.inf])), 0), [0.5, 0.5, 0])
    assert np.isnan(ops.softmax(Tensor(np.full(2, -np.inf)), 0).data).all()


def test_cross_entropy():
    targets = np.array([[0, 2, 1, -100], [1, 1, -100, 0]])  # for (N, V, ...) = (2, 3, 4)
    losses = -np.log(np.exp(ARRAY) / np.exp(ARRAY).sum(1, keepdims=True))
    kept = targets != -100
    picked = np.take_along_axis(losses, np.where(kept, targets, 0)[:, None], 1)[:, 0] * kept
    same(ops.cross_entropy(X, targets, reduction="none"), picked)
    same(ops.cross_entropy(X, ts.tensor(targets), reduction="sum"), picked.sum())
    same(ops.cross_entropy(X, targets), picked.sum() / kept.sum())
    same(ops.cross_entropy(X[:, :, 0], [0, 1], reduction="none"), picked[:, 0])
    same(
        ops.cross_entropy(X, np.where(kept, targets, 7), ignore_index=7), picked.sum() / kept.sum()
    )


def test_cross_entropy_of_nothing():
    assert np.isnan(ops.cross_entropy(X[:, :, 0], [-100, -100]).item())
    assert ops.cross_entropy(ts.zeros(0, 3), [], reduction="sum").item() == 0
    x = ts.zeros(2, 3, requires_grad=True)
    ops.cross_entropy(x, [-100, -100], reduction="sum").backward()
    assert not x.grad.data.any()


def test_cross_entropy_refuses():
    x = ts.zeros(2, 3)
    with pytest.raises(ValueError, match="reduction must be mean, sum or none, got 'max'"):
        ops.cross_entropy(x, [0, 1], reduction="max")
    with pytest.raises(ValueError, match=r"got \(2, 3\) and \(3,\)"):
        ops.cross_entropy(x, [0, 1, 2])
    with pytest.raises(ValueError, match="input must be"):
        ops.cross_entropy(x[0], [0, 1, 2])
    with pytest.raises(TypeError, match="whole numbers"):
        ops.cross_entropy(x, [0.0, 1.0])
    with pytest.raises(IndexError, match="cross_entropy: index 3 is out of range"):
        ops.cross_entropy(x, [0, 3])


def test_the_extremes_pass_nan_on_and_where_keeps_its_dtype():
    same(ops.maximum(Tensor(np.array([np.nan, 1.0])), 2.0), [np.nan, 2])
    assert ops.where(np.array([True]), ts.ones(1), 0.5).dtype == np.float32
    assert ops.where(np.array([True]), 1.0, ts.ones(1)).dtype == np.float32


@pytest.mark.parametrize("power", [2, 3, 1, 0])
def test_all_derivatives_of_a_power_at_zero(power):
    """x^n has a derivative of every order everywhere, at 0 too."""
    x = Tensor(np.zeros(1), requires_grad=True)
    y = x**power
    for order in range(1, 5):
        (y,) = ts.grad(y.sum(), x, create_graph=True, allow_unused=True)
        if y is None or not y.requires_grad:
            break
        assert y.data[0] == (np.prod(np.arange(1.0, power + 1)) if order == power else 0)
