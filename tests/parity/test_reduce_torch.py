"""Reductions, norms and orders beside PyTorch's: ties, zeros, infinities, empty dimensions."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
F = torch.nn.functional

from tests.parity.compare import compare  # noqa: E402
from tinyseq import ops  # noqa: E402
from tinyseq.autograd import Tensor  # noqa: E402

random = np.random.default_rng(0)
X = random.standard_normal((3, 4, 2))
TIES = np.array([[1.0, 2.0, 2.0, -2.0], [0.0, 0.0, 0.0, 0.0], [3.0, -1.0, 3.0, 0.0]])
LARGE = TIES * 1e150
ENDS = np.array([[np.inf, 1.0, -2.0], [-np.inf, 1.0, np.inf], [np.inf, np.inf, 2.0]])


@pytest.mark.parametrize("name", "sum mean prod var std amax amin logsumexp any all".split())
@pytest.mark.parametrize("dim, keepdim", [(0, False), (-1, True), (1, True)])
@pytest.mark.parametrize("x", [X, TIES, X[:, :1], X[::-2, :, ::-1]])
def test_along_a_dim(name, dim, keepdim, x):
    def run(module):
        # The second derivative of a standard deviation at 0 is NaN in PyTorch, and 0 here.
        return lambda x: getattr(module, name)(x, dim=dim, keepdim=keepdim)

    if name in ("var", "std") and x.shape[dim] == 1:
        pytest.skip("PyTorch warns of too few degrees of freedom")
    compare(run(ops), run(torch), [x], order=1 if name == "std" else 2)


@pytest.mark.parametrize("name", "sum mean var std amax amin logsumexp any all".split())
def test_along_dims(name):
    for dims in [(0, 2), (-1, 0, 1)]:
        compare(
            lambda x, d=dims: getattr(ops, name)(x, dim=d),
            lambda x, d=dims: getattr(torch, name)(x, dim=d),
            [X],
        )


@pytest.mark.parametrize("name", "sum mean prod var std max min argmax argmin any all norm".split())
def test_over_everything(name):
    for x in (X, np.array(2.5)[None, None].repeat(2, 0)):
        order = 1 if name in ("std", "norm") else 2
        compare(getattr(ops, name), getattr(torch, name), [x], order=order)


@pytest.mark.parametrize("name", "sum prod logsumexp any all cumsum".split())
def test_of_nothing(name):
    nothing = np.zeros((0, 3))
    for dim in (0, 1):
        compare(
            lambda x, d=dim: getattr(ops, name)(x, dim=d),
            lambda x, d=dim: getattr(torch, name)(x, dim=d),
            [nothing],
        )


@pytest.mark.parametrize("name", "max min".split())
def test_the_extremes_and_where_they_are(name):
    for x in (X, TIES, ENDS):
        for dim, keepdim in ((0, False), (-1, True)):
            compare(
                lambda x, d=dim, k=keepdim: getattr(x * x * x, name)(d, k),
                lambda x, d=dim, k=keepdim: getattr(x * x * x, name)(d, k),
                [x],
                order=0 if x is ENDS else 2,
            )
    compare(lambda a, b: getattr(a, name)(b), lambda a, b: getattr(a, name)(b), [X, X[:1]])


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("x", [TIES, ENDS, X, np.array([[np.nan, 1.0, np.inf, np.nan, 1.0]])])
def test_sort(descending, x):
    for dim in (0, -1):
        compare(
            lambda x, d=dim: ops.sort(x, d, descending),
            lambda x, d=dim: torch.sort(x, dim=d, descending=descending, stable=True),
            [x],
        )


@pytest.mark.parametrize("largest", [False, True])
def test_topk(largest):
    for k, dim in ((2, 1), (0, 1), (3, 0)):
        compare(
            lambda x, k=k, d=dim: ops.topk(x * x, k, d, largest),
            lambda x, k=k, d=dim: torch.topk(x * x, k, d, largest),
            [X],
        )


def test_cumsum():
    for dim in (0, 1, -1):
        compare(lambda x, d=dim: ops.cumsum(x * x, d), lambda x, d=dim: torch.cumsum(x * x, d), [X])


@pytest.mark.parametrize("p", [2, "fro", 1, 3, 1.5, 0.5, 0, -1, np.inf, -np.inf])
@pytest.mark.parametrize("x", [TIES[[0, 2]], X[..., 0], X[::-2, ::-1, 1]])
def test_norm(p, x):
    if p in (0.5, -1) and (x == 0).any():
        x = x[:, :3]
    for dim in (0, 1):
        compare(
            lambda x, d=dim: ops.norm(x, p, d, True),
            lambda x, d=dim: torch.norm(x, p, d, True),
            [x],
            order=2 if (x != 0).all() else 1,
        )


@pytest.mark.parametrize("p", [2, 1, 3, 1.5, 0.5, 0, np.inf])
def test_norm_of_zeros(p):
    compare(lambda x: ops.norm(x, p, 1), lambda x: torch.norm(x, p, 1), [np.zeros((2, 3))], order=1)


def test_far_out():
    for name in ("sum", "mean", "logsumexp", "amax", "amin", "cumsum"):
        for x in (LARGE, ENDS):
            if name == "logsumexp" and x is LARGE:
                continue  # PyTorch gives each of those that tie the whole gradient, not a share
            compare(
                lambda x, n=name: getattr(ops, n)(x, dim=1),
                lambda x, n=name: getattr(torch, n)(x, dim=1),
                [x],
                order=1,
            )
    compare(lambda x: ops.norm(x, 2, 1), lambda x: torch.norm(x, 2, 1), [ENDS], order=1)
    low = np.full((2, 3), -np.inf)
    low[1, 0] = 0
    compare(lambda x: ops.logsumexp(x, 1), lambda x: torch.logsumexp(x, 1), [low], order=1)


def test_a_constant_has_no_deviation_and_no_gradient():
    for x in (np.full((2, 3), 0.5), np.zeros((1, 4))):
        compare(lambda x: ops.std(x, 1), lambda x: torch.std(x, 1), [x], order=1)


@pytest.mark.parametrize("p, dim", [(2.0, 1), (1.0, 0), (np.inf, -1), (3.0, 1)])
def test_normalize(p, dim):
    rows = np.array([[3.0, 4.0, -1.0], [1e-14, 0.5, 1e-14]])
    compare(lambda x: ops.normalize(x, p, dim), lambda x: F.normalize(x, p, dim), [rows], rtol=1e-9)
    compare(
        lambda x: ops.normalize(x, p, dim),
        lambda x: F.normalize(x, p, dim),
        [np.zeros((2, 3))],
        order=1,
    )


@pytest.mark.parametrize("name", ["softmax", "log_softmax"])
def test_softmax(name):
    ends = np.array([[0.0, -np.inf, 1e4], [np.inf, 0.0, 1.0], [-np.inf, -np.inf, -np.inf]])
    for x, dim in ((X, 1), (X * 100, -1), (X[:, :1], 1), (X[:0], 0), (ends, 1)):
        compare(
            lambda x, d=dim: getattr(ops, name)(x, d),
            lambda x, d=dim: getattr(F, name)(x, d),
            [x],
            order=1 if x is ends else 2,
        )


@pytest.mark.parametrize("dim", [0, -1])
def test_a_tensor_without_dimensions_along_0(dim):
    for name in "sum mean prod amax argmin logsumexp cumsum any softmax max sort".split():
        compare(
            lambda x, n=name: getattr(x * x, n)(dim=dim),
            lambda x, n=name: getattr(x * x, n)(dim=dim),
            [0.5],
        )
    compare(lambda x: ops.topk(x * x, 1, dim), lambda x: torch.topk(x * x, 1, dim), [0.5])
    compare(lambda x: x.squeeze(dim).transpose(0, dim), lambda x: x.transpose(0, dim), [0.5])
    index = np.array(0)
    compare(
        lambda x: ops.gather(x * x, dim, index),
        lambda x: torch.gather(x * x, dim, torch.tensor(index)),
        [0.5],
    )


def test_logsumexp_beside_an_infinity():
    for x in ([np.inf, 1e30, 0.5], [np.inf, -np.inf, 1e308]):
        for way in (ops.logsumexp, lambda x, dim: x.logsumexp(dim)):
            compare(
                lambda x, f=way: f(x, 0), lambda x: torch.logsumexp(x, 0), [x], order=1, rtol=1e-9
            )


def test_nan_among_the_largest():
    """Every NaN shares the gradient. (PyTorch's amax, not its max, gives NaN to every element.)"""
    for name in ("max", "min"):
        for x in ([np.nan, 1.0], [[2.0, np.nan], [np.nan, 3.0]]):
            compare(getattr(ops, name), getattr(torch, name), [x], order=1)


def test_the_dtype_in_which_to_add():
    whole = np.arange(5)
    for name in "sum mean prod".split():
        got = getattr(ops, name)(whole, dtype=np.float64)
        wanted = getattr(torch.tensor(whole), name)(dtype=torch.float64)
        assert got.dtype == np.float64 and got.item() == wanted.item()
    for name in "cumsum softmax log_softmax".split():
        got = getattr(ops, name)(whole, 0, dtype=np.float64)
        wanted = getattr(torch.tensor(whole), name)(0, dtype=torch.float64)
        np.testing.assert_allclose(got.data, wanted.numpy(), rtol=1e-12)


def test_the_deviation_of_large_and_small_float32():
    for factor in (1e30, 1.0, 1e-30):
        x = np.array([[1.0, 2.0, 4.0], [0.0, 0.0, 0.0]], np.float32) * np.float32(factor)
        ours, other = Tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
        y, wanted = ops.std(ours, 1), torch.std(other, 1)
        assert y.dtype == np.float32
        np.testing.assert_allclose(y.data, wanted.detach().numpy(), rtol=1e-6)
        y.sum().backward()
        # The slope does not depend on the factor; PyTorch's own leaves float32's range.
        slope = np.array([[-0.8728716, -0.2182179, 1.0910894], [0, 0, 0]]) / 2
        np.testing.assert_allclose(ours.grad.data, slope, rtol=1e-5)
