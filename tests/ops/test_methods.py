"""Methods and operators, NumPy arrays and Python numbers on either side."""

import operator

import numpy as np
import pytest

import tinyseq as ts
from tinyseq import ops
from tinyseq.autograd import Tensor

ARRAY = np.array([[0.5, -1.5, 2.0], [1.0, 3.0, -0.25]], np.float32)
X = Tensor(ARRAY)
METHODS = {
    "abs exp expm1 log1p square reciprocal rsqrt sin cos tan tanh sigmoid erf relu logsigmoid neg "
    "sign floor round sqrt log": (),
    "add sub mul div pow maximum minimum lt le gt ge eq ne": (X,),
    "sum mean prod var std amax amin argmax argmin logsumexp cumsum any all": (1,),
    "max min sort norm": (1,),
    "flatten flip unsqueeze squeeze unbind softmax log_softmax": (0,),
    "clamp": (-1, 1), "topk": (2,), "reshape": (3, 2), "permute": (1, 0), "transpose": (0, 1),
    "expand": (4, 2, 3), "broadcast_to": (4, 2, 3), "split": (1,), "chunk": (2,), "roll": (1,),
    "tile": (2,), "repeat": (2, 1), "gather": (0, [[1, 0, 1]]), "index_select": (0, [1]),
    "take_along_dim": ([[1, 0, 1]], 0), "scatter_add": (0, [[1, 0, 1]], X),
    "index_add": (0, [1, 1], X), "index_put": (([1],), 0.0), "masked_fill": (ARRAY > 0, 0.0),
    "tril triu": (), "matmul": (ARRAY.T,),
}  # fmt: skip
PAIRS = [(name, args) for names, args in METHODS.items() for name in names.split()]


def arrays(result):
    results = result if isinstance(result, tuple) else (result,)
    assert all(isinstance(y, Tensor) for y in results)
    return [y.data for y in results]


@pytest.mark.parametrize("name, args", PAIRS, ids=[name for name, _ in PAIRS])
def test_a_method_is_the_function(name, args):
    """And the function takes an array in the place of a Tensor."""
    wanted = arrays(getattr(ops, name)(X, *args))
    assert all(y.dtype.type in (np.float32, np.int64, np.bool_) for y in wanted)
    for got in (getattr(X, name)(*args), getattr(ops, name)(ARRAY, *args)):
        for y, other in zip(arrays(got), wanted, strict=True):
            assert y.dtype == other.dtype
            np.testing.assert_array_equal(y, other)


def test_methods_of_vectors_and_batches():
    v = X[0]
    for got, wanted in (
        (v.dot(v), ARRAY[0] @ ARRAY[0]),
        (v.outer(X[1]), np.outer(ARRAY[0], ARRAY[1])),
        (X.unsqueeze(0).bmm(X.T.unsqueeze(0)), (ARRAY @ ARRAY.T)[None]),
        (X.where(ARRAY > 0, 7), np.where(ARRAY > 0, ARRAY, 7)),
        (X.max(), ARRAY.max()),
        (X.min(ts.zeros(3)), np.minimum(ARRAY, 0)),
    ):
        np.testing.assert_allclose(got.data, wanted, rtol=1e-6)


OPERATORS = [
    operator.add, operator.sub, operator.mul, operator.truediv, operator.pow, operator.lt,
    operator.le, operator.gt, operator.ge, operator.eq, operator.ne,
]  # fmt: skip


@pytest.mark.parametrize("operate", OPERATORS)
def test_operators_with_arrays_and_numbers_on_either_side(operate):
    a = np.abs(ARRAY)
    for other in (a + 1, a[0], 2, 0.5, True, np.float32(2), np.float64(0.3), np.int64(3)):
        for got, wanted in (
            (operate(Tensor(a), other), operate(a.astype(float), other)),
            (operate(other, Tensor(a)), operate(other, a.astype(float))),
        ):
            assert isinstance(got, Tensor)
            assert got.dtype in (np.float32, np.bool_)
            np.testing.assert_allclose(got.data, wanted, rtol=1e-6)


def test_products_with_arrays_on_either_side():
    for got in (ARRAY.T @ X, Tensor(ARRAY.T) @ ARRAY):
        assert isinstance(got, Tensor)
        np.testing.assert_allclose(got.data, ARRAY.T @ ARRAY, rtol=1e-6)


NUMBERS = [
    lambda x: ops.maximum(x, 0.5), lambda x: ops.minimum(0.5, x), lambda x: ops.clamp(x, -0.5, 0.5),
    lambda x: ops.where(x > 0, x, 0.1), lambda x: ops.where(x > 0, 0.1, x), ops.gelu, ops.silu,
    lambda x: ops.gelu(x, "tanh"), lambda x: ops.elu(x, 0.3), lambda x: ops.leaky_relu(x, 0.1),
    ops.softplus, ops.logsigmoid, lambda x: ops.huber_loss(x, x * 2, delta=0.3), ops.std, ops.norm,
    lambda x: ops.norm(x, 1.5), ops.normalize, lambda x: ops.masked_fill(x, ARRAY > 0, -np.inf),
    lambda x: ops.index_put(x, ([0],), 0.5), lambda x: ops.index_add(x, 0, [0, 1], x, alpha=0.3),
    lambda x: ops.pad(x, (1, 1), value=0.1), lambda x: ops.kl_div(x, ops.softmax(x, 1), "sum"),
    lambda x: ops.cross_entropy(x, [0, 1], label_smoothing=0.1), ops.prod, ops.mean,
    lambda x: ops.cross_entropy(x, [0, 1], weight=np.ones(3)), ops.erf, ops.rsqrt,
    lambda x: ops.binary_cross_entropy_with_logits(x, x, weight=0.5, pos_weight=2.0),
]  # fmt: skip


@pytest.mark.parametrize("function", NUMBERS)
def test_python_numbers_never_promote_float32(function):
    x = Tensor(ARRAY, requires_grad=True)
    y = function(x)
    assert y.dtype == np.float32
    y.backward(np.ones(y.shape, np.float32))
    assert x.grad.dtype == np.float32
    assert function(Tensor(ARRAY.astype(np.float64))).dtype == np.float64


def test_whole_numbers_and_truths():
    n = ts.tensor([[3, 0, -2]])
    positive = n > 0
    whole, truth, real = np.int64, np.bool_, np.float32
    for got, wanted, dtype in (
        (n.sum(), 1, whole), (n.prod(1), [0], whole), (n.cumsum(1), [[3, 3, 1]], whole),
        (positive.sum(), 1, whole), (positive.cumsum(1), [[1, 1, 1]], whole), (n.max(), 3, whole),
        (positive.prod(), 0, whole), (positive.any(), True, truth), (n.all(1), [False], truth),
        (n.exp(), np.exp([[3, 0, -2]]), real), (n.erf(), [[0.999978, 0, -0.995322]], real),
        (n.clamp(0, 2), [[2, 0, 0]], whole), (n / 2, [[1.5, 0, -1]], real),
        (ops.einsum("ij->i", n), [1], whole), (n.sort(1).values, [[-2, 0, 3]], whole),
        (n.masked_fill(n < 0, 9), [[3, 0, 9]], whole), (n.mean(), 1 / 3, real),
    ):  # fmt: skip
        assert got.dtype == dtype
        np.testing.assert_allclose(got.data, wanted, rtol=1e-5)


def test_steps_have_no_gradient():
    x = Tensor(ARRAY, requires_grad=True)
    for y in (x.floor(), x.round(), x > 0, x.argmin(), x.any(), x.sort().indices):
        assert not y.requires_grad


def test_ties_keep_their_order():
    x = ts.tensor([1.0, 0.0, 1.0, 0.0, 1.0])
    assert x.sort().indices.tolist() == [1, 3, 0, 2, 4]
    assert x.sort(descending=True).indices.tolist() == [0, 2, 4, 1, 3]
    assert x.topk(2).indices.tolist() == [0, 2]
    assert x.max(0).indices.item() == 0 and x.min(0).indices.item() == 1
