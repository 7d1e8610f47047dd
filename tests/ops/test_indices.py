"""Reading, writing and ordering by position, against loops and NumPy."""

import numpy as np
import pytest

import tinyseq as ts
from tinyseq import ops
from tinyseq.autograd import Tensor

random = np.random.default_rng(0)
X = random.standard_normal((3, 4, 2))
INDEX = random.integers(0, 2, (2, 3, 2))


def same(got, wanted):
    assert got.shape == np.shape(wanted)
    np.testing.assert_allclose(got.data, wanted, rtol=1e-12)


@pytest.mark.parametrize("dim", [0, 1, -1])
def test_gather_and_scatter_add_are_these_loops(dim):
    src = random.standard_normal((2, 4, 2))
    picked, added = np.empty(INDEX.shape), X.copy()
    for place in np.ndindex(INDEX.shape):
        at = list(place)
        at[dim] = INDEX[place]
        picked[place] = X[tuple(at)]
        added[tuple(at)] += src[place]
    same(ops.gather(Tensor(X), dim, INDEX), picked)
    before = X.copy()
    same(ops.scatter_add(Tensor(X), dim, Tensor(INDEX), src), added)
    np.testing.assert_array_equal(X, before)


def test_slices_by_position():
    rows = [2, 0, 2]
    same(ops.index_select(X, 1, rows), X[:, rows])
    same(ops.index_select(X, 0, []), X[:0])
    same(ops.index_select(X[0], 0, 1), X[0, [1]])
    added = X.copy()
    np.add.at(added, (slice(None), rows), 2 * X[:, :3])
    same(ops.index_add(X, 1, rows, X[:, :3], alpha=2), added)
    order = np.argsort(X, 1)
    same(ops.take_along_dim(X, order, 1), np.sort(X, 1))
    same(ops.take_along_dim(X, order[:1, :, :1], 1), np.take_along_axis(X, order[:1, :, :1], 1))
    same(ops.take_along_dim(X, [[[5, 0]]]), X.reshape(-1)[[5, 0]])


def test_index_put():
    wanted = X.copy()
    wanted[[0, 2], 1] = 7
    same(ops.index_put(X, ([0, 2], 1), 7.0), wanted)
    wanted[X > 1] = -1
    same(ops.index_put(Tensor(wanted), (ts.tensor(X > 1),), -1.0), wanted)
    wanted = X.copy()
    np.add.at(wanted, ([0, 0], slice(1, 3)), 1)
    same(ops.index_put(X, ([0, 0], slice(1, 3)), 1.0, accumulate=True), wanted)


def test_masks_and_triangles():
    same(ops.masked_fill(X, X > 0, -np.inf), np.where(X > 0, -np.inf, X))
    same(ops.masked_fill(X[0], X[:, :1] > 0, 0.0), np.where(X[:, :1] > 0, 0, X[0]))
    for k in (-1, 0, 2):
        same(ops.tril(X, k), np.tril(X, k))
        same(ops.triu(X, k), np.triu(X, k))
    same(ops.one_hot([[2, 0]]), [[[0, 0, 1], [1, 0, 0]]])
    same(ops.one_hot(ts.tensor([1]), 4), [[0, 1, 0, 0]])
    assert ops.one_hot([], 3).shape == (0, 3)


def test_orders():
    values, indices = ops.sort(X, 1)
    same(values, np.sort(X, 1))
    same(indices, np.argsort(X, 1, kind="stable"))
    same(ops.sort(X, descending=True).values, np.sort(X)[..., ::-1])
    values, indices = ops.topk(X, 3, 1)
    same(values, np.sort(X, 1)[:, :0:-1])
    same(values, np.take_along_axis(X, indices.data, 1))
    same(ops.topk(X, 1, 0, largest=False).values, X.min(0, keepdims=True))
    assert ops.topk(X, 0).values.shape == (3, 4, 0)
    values, indices = ops.max(X, 1, keepdim=True)
    same(values, X.max(1, keepdims=True))
    same(indices, X.argmax(1)[:, None])
    same(ops.min(X, -1)[0], X.min(-1))
    assert np.isnan(ops.max(np.array([1.0, np.nan, 2.0]), 0).values.item())


def test_turned_padded_and_repeated():
    same(ops.flip(X, 0, -1), np.flip(X, (0, -1)))
    same(ops.roll(X, 3), np.roll(X, 3))
    same(ops.roll(X, (1, -2), (0, 1)), np.roll(X, (1, -2), (0, 1)))
    same(ops.tile(X, 2, 1, 3), np.tile(X, (2, 1, 3)))
    same(ops.tile(X, 2), np.tile(X, 2))
    same(ops.repeat(X, 2, 1, 1, 3), np.tile(X, (2, 1, 1, 3)))
    same(ops.repeat(X, 0, 1, 1), X[:0])
    same(ops.pad(X, (1, 2, 0, 3), value=5), np.pad(X, ((0, 0), (0, 3), (1, 2)), constant_values=5))
    same(ops.pad(X, (-1, 0, -1, -2)), X[:, 1:-2, 1:])
    for mode, name in (("reflect", "reflect"), ("replicate", "edge"), ("circular", "wrap")):
        widths = [(0, 0), (2, 1), (0, 1)]
        same(ops.pad(X, (0, 1, 2, 1), mode), np.pad(X, widths, mode=name))


def test_sums_and_products_that_grow():
    same(ops.cumsum(X, 1), X.cumsum(1))
    same(ops.prod(X, 1, True), X.prod(1, keepdims=True))
    same(ops.prod(X, (0, -1)), X.prod((0, 2)))
    same(ops.prod(X), X.prod())
    same(ops.prod(X[:, :0], 1), np.ones((3, 2)))
    for p in (1, 2, 3.5, np.inf, -np.inf, 0):
        same(ops.norm(X[0], p, 1), np.linalg.norm(X[0], p, 1))
    same(ops.norm(X), np.sqrt((X**2).sum()))
    same(ops.norm(X, 2, (0, 2), True), np.sqrt((X**2).sum((0, 2), keepdims=True)))
    same(ops.normalize(X, dim=-1), X / np.linalg.norm(X, axis=-1, keepdims=True))
    same(ops.any(X > 2, 0), (X > 2).any(0))
    same(ops.all(X > -2, (0, 1)), (X > -2).all((0, 1)))


def test_a_long_product_with_zeros_has_its_gradient():
    x = Tensor(np.array([2.0] * 40 + [0.0]), requires_grad=True)
    ops.prod(x).backward()
    np.testing.assert_array_equal(x.grad.data, [0.0] * 40 + [2.0**40])


@pytest.mark.parametrize(
    "function",
    [
        lambda x, index: ops.embedding(index, x),
        lambda x, index: ops.cross_entropy(x, index, reduction="sum"),
        lambda x, index: ops.gather(x, 1, index[:, None]),
        lambda x, index: ops.index_select(x, 0, index),
    ],
    ids="embedding cross_entropy gather index_select".split(),
)
def test_indices_may_be_overwritten_before_the_gradient(function):
    """As a loader does that fills one buffer again and again."""
    gradients = []
    for later in (None, 3, -7, 10**9):
        x = ts.tensor(np.arange(16.0, dtype=np.float32).reshape(4, 4), requires_grad=True)
        index = np.array([0, 2, 1, 2])
        y = function(x, index)
        if later is not None:
            index[:] = later
        (y * y).sum().backward()
        gradients.append(x.grad.data)
    assert all(np.array_equal(gradients[0], other) for other in gradients[1:])
