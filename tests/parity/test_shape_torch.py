"""Shapes, indices and what is written at them, beside PyTorch's."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
F = torch.nn.functional

from tests.parity.compare import compare  # noqa: E402
from tinyseq import ops  # noqa: E402

random = np.random.default_rng(0)
X = random.standard_normal((3, 4, 2))
EMPTY = np.zeros((0, 4, 2))
LAYOUTS = [X, X[:1], EMPTY, X[::-1, ::2], X.T.copy().T]


@pytest.mark.parametrize("x", LAYOUTS)
@pytest.mark.parametrize(
    "method",
    [
        lambda x: x.reshape(-1) if x.numel() else x.reshape(0),
        lambda x: x.flatten(1),
        lambda x: x.flatten(0, 1),
        lambda x: x.permute(2, 0, 1),
        lambda x: x.transpose(0, -1),
        lambda x: x.unsqueeze(-1).squeeze(-1),
        lambda x: x.squeeze(),
        lambda x: x.squeeze((0, 1)),
        lambda x: x.unsqueeze(1).expand(-1, 3, -1, -1),
        lambda x: x.split(3, 1),
        lambda x: x.split([1, x.shape[1] - 1], 1),
        lambda x: x.chunk(3, 1),
        lambda x: x.flip(0),
        lambda x: x.flip((0, -1)),
        lambda x: x.roll(1),
        lambda x: x.roll(-2, 1),
        lambda x: x.roll((1, 5), (0, 1)),
        lambda x: x.tile(2),
        lambda x: x.tile((2, 1, 1, 3)),
        lambda x: x.repeat(1, 2, 3),
        lambda x: x.repeat(2, 1, 0, 1),
        lambda x: x.unbind(1),
        lambda x: x.tril(),
        lambda x: x.triu(1),
        lambda x: x.tril(-1),
        lambda x: x[..., 0],
        lambda x: x[:, None, 1:],
        lambda x: x[x > 0],
    ],
)
def test_methods(method, x):
    def both(x):
        return method(x * x)

    compare(both, both, [x])


@pytest.mark.parametrize(
    "widths, mode",
    [
        ((1, 2), "constant"), ((-1, 2, 1, -2), "constant"), ((0, 0, 0, 0, 2, 1), "constant"),
        ((1, 2), "reflect"), ((1, 2), "replicate"), ((3, 1), "circular"), ((-1, 2), "circular"),
        ((-1, 2), "reflect"), ((2, -1), "reflect"), ((-3, 1), "replicate"),
    ],
)  # fmt: skip
def test_pad(widths, mode):
    x = np.swapaxes(X, 1, 2)  # (3, 2, 4): PyTorch pads the last of three dimensions in any mode
    value = {"value": 1.5} if mode == "constant" else {}
    compare(
        lambda x: ops.pad(x * x, widths, mode, **value),
        lambda x: F.pad(x * x, widths, mode, **value),
        [x],
    )


def test_joining():
    for dim in (0, 1, -1):
        shape = list(X.shape)
        shape[dim] = 1
        y = random.standard_normal(shape)
        compare(
            lambda a, b, d=dim: ops.cat([a, b * b, a], d),
            lambda a, b, d=dim: torch.cat([a, b * b, a], d),
            [X, y],
        )
    compare(lambda a: ops.stack([a, a * a], -1), lambda a: torch.stack([a, a * a], -1), [X])


INDEX = np.array([[[0, 1], [3, 3]], [[2, 0], [1, 1]]])  # (2, 2, 2), for dim 1 of X


@pytest.mark.parametrize("index", [INDEX, INDEX[:1], INDEX[:0], INDEX[:, :, ::-1], INDEX[:, :1]])
def test_gather_and_scatter_add(index):
    wanted = torch.tensor(np.ascontiguousarray(index))
    compare(lambda x: (x * x).gather(1, index), lambda x: (x * x).gather(1, wanted), [X])
    # PyTorch takes a src larger than the index, but cannot differentiate it.
    for shape, order in ((index.shape, 2), ((2, 3, 2), 0)):
        compare(
            lambda x, s: x.scatter_add(1, index, s * s),
            lambda x, s: x.scatter_add(1, wanted, s * s),
            [X, random.standard_normal(shape)],
            order=order,
        )


@pytest.mark.parametrize("rows", [[2, 0, 2], [1], []])
def test_index_select_and_index_add(rows):
    index, wanted = np.array(rows, np.int64), torch.tensor(rows, dtype=torch.int64)
    for dim in (0, 2 if max(rows, default=0) < 2 else 1):
        compare(
            lambda x, d=dim: (x * x).index_select(d, index),
            lambda x, d=dim: (x * x).index_select(d, wanted),
            [X],
        )
        source = random.standard_normal(
            [len(rows) if d == dim else n for d, n in enumerate(X.shape)]
        )
        compare(
            lambda x, s, d=dim: x.index_add(d, index, s, alpha=2.5),
            lambda x, s, d=dim: x.index_add(d, wanted, s, alpha=2.5),
            [X, source],
        )


def test_take_along_dim():
    for index, dim in (
        (INDEX[:1, :, :1], 1),
        (INDEX[:1, :1] % 3, 0),
        (np.array([[[5, 5, 23]]]), None),
    ):
        compare(
            lambda x, i=index, d=dim: ops.take_along_dim(x * x, i, d),
            lambda x, i=index, d=dim: torch.take_along_dim(x * x, torch.tensor(i), d),
            [X],
        )


def test_masked_fill():
    for mask in (X > 0, X[:, :1, 0:1] > 0, np.array(True)):
        for value in (0.0, -np.inf, 3):
            compare(
                lambda x, m=mask, v=value: (x * x).masked_fill(m, v),
                lambda x, m=mask, v=value: (x * x).masked_fill(torch.tensor(m), v),
                [X],
            )
        compare(
            lambda x, v, m=mask: x.masked_fill(m, v * v),
            lambda x, v, m=mask: x.masked_fill(torch.tensor(m), v * v),
            [X, np.array(2.0)],
        )


@pytest.mark.parametrize("accumulate", [False, True])
def test_index_put(accumulate):
    keys = [
        ((np.array([0, 2]), np.array([3, 1])), (2, 2)),
        ((np.array([0, 2]), np.array([3, 1])), ()),
        ((X > 0.5,), ()),
        ((np.array([1, 0]),), (2, 1, 2)),
    ]
    if accumulate:
        keys.append(((np.array([0, 0, 2]), np.array([3, 3, 1])), (3, 2)))
    for key, shape in keys:
        compare(
            lambda x, v, k=key: x.index_put(k, v * v, accumulate),
            lambda x, v, k=key: x.index_put(tuple(map(torch.tensor, k)), v * v, accumulate),
            [X, random.standard_normal(shape)],
        )


def test_one_hot_and_embedding():
    index = np.array([[2, 0, 1], [1, 1, 2]])
    for classes in (-1, 5):
        ours, wanted = ops.one_hot(index, classes), F.one_hot(torch.tensor(index), classes)
        np.testing.assert_array_equal(ours.data, wanted.numpy())
        assert ours.dtype == np.int64
    for padding in (None, 1, -1):
        compare(
            lambda w, p=padding: ops.embedding(index, w * w, p),
            lambda w, p=padding: F.embedding(torch.tensor(index), w * w, p),
            [X[:, :, 0]],
        )
