"""Functions of one number and activations, against their definitions."""

import math

import numpy as np
import pytest

import tinyseq as ts
from tinyseq import ops
from tinyseq.autograd import Tensor, grad

X = np.concatenate((np.linspace(-8, 8, 401), [1e-300, -1e-12, 1e-8, 40.0, -40.0]))
POSITIVE = np.abs(X) + 1e-3


def phi(x):
    return 0.5 * math.erfc(-x / math.sqrt(2))


@pytest.mark.parametrize(
    "ours, truth, x",
    [
        (ops.erf, math.erf, X),
        (ops.expm1, math.expm1, X),
        (ops.log1p, math.log1p, POSITIVE),
        (ops.rsqrt, lambda x: 1 / math.sqrt(x), POSITIVE),
        (ops.sin, math.sin, X),
        (ops.cos, math.cos, X),
        (ops.tan, math.tan, X),
        (ops.silu, lambda x: x / (1 + math.exp(-x)), X),
        (ops.logsigmoid, lambda x: -math.log1p(math.exp(-x)), X),
        (ops.softplus, lambda x: math.log1p(math.exp(x)), X),
        (ops.elu, lambda x: x if x > 0 else math.expm1(x), X),
        (lambda x: ops.leaky_relu(x, 0.1), lambda x: x if x > 0 else 0.1 * x, X),
        (ops.floor, math.floor, X),
        (ops.round, round, X),
        (lambda x: ops.clamp(x, -1, 2), lambda x: min(max(x, -1), 2), X),
    ],
)
def test_values(ours, truth, x):
    wanted = [truth(float(v)) for v in x]
    # softplus is x itself from 20 on, which is off by exp(-20) there
    np.testing.assert_allclose(ours(Tensor(x)).data, wanted, rtol=1e-9, atol=1e-300)


def test_gelu():
    np.testing.assert_allclose(
        ops.gelu(Tensor(X)).data, [v * phi(v) for v in X], rtol=1e-12, atol=1e-14
    )
    by_tanh = ops.gelu(Tensor(X), "tanh").data
    assert 1e-5 < np.abs(by_tanh - [v * phi(v) for v in X]).max() < 1e-3


def test_erf_is_exact_to_the_last_bits():
    wanted = np.array([math.erf(v) for v in X])
    np.testing.assert_allclose(ops.erf(Tensor(X)).data, wanted, rtol=5e-16)
    single = ops.erf(Tensor(X.astype(np.float32)))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single.data, wanted, rtol=4e-7, atol=1e-38)
    ends = ops.erf(Tensor(np.array([-np.inf, np.inf, np.nan, -0.0]))).data
    np.testing.assert_array_equal(ends, [-1, 1, np.nan, 0])
    assert np.signbit(ends[3])


@pytest.mark.parametrize("function", [ops.gelu, ops.silu, ops.elu, ops.softplus, ops.logsigmoid])
def test_activations_stay_finite_to_the_fourth_derivative(function):
    x = Tensor(np.array([-1e4, -50.0, 0.5, 50.0, 1e4]), requires_grad=True)
    y = function(x)
    for _ in range(4):
        (y,) = grad(y.sum(), x, create_graph=True)
        assert np.isfinite(y.data).all()
        if not y.requires_grad:
            break


def test_scaled_and_rounded():
    x, n = ts.tensor([-3.5, 2.0], requires_grad=True), ts.tensor([-7, 7])
    assert ops.add(x, 1, alpha=2).tolist() == [-1.5, 4]
    assert x.sub(ts.ones(2), alpha=0.5).tolist() == [-4, 1.5]
    assert ts.grad(ops.sub(1.0, x, alpha=3).sum(), x)[0].tolist() == [-3, -3]
    for mode, wanted, of_floats in (("floor", [-4, 3], [-2, 1]), ("trunc", [-3, 3], [-1, 1])):
        y = n.div(2, rounding_mode=mode)
        assert y.dtype == np.int64 and y.tolist() == wanted
        y = ops.div(x, 2.0, rounding_mode=mode)
        assert y.dtype == np.float32 and y.tolist() == of_floats and not y.requires_grad
    assert (n // 2).tolist() == [-4, 3] and (7 // ts.tensor([2, -2])).tolist() == [3, -4]


def test_truths_and_bits():
    a, b = ts.tensor([True, True, False]), np.array([True, False, False])
    for got, wanted in (
        (a & b, [True, False, False]), (b & a, [True, False, False]), (a | b, [True, True, False]),
        (b | a, [True, True, False]), (a ^ b, [False, True, False]), (b ^ a, [False, True, False]),
        (~a, [False, False, True]), (ops.bitwise_not(b), [False, True, True]),
    ):  # fmt: skip
        assert isinstance(got, Tensor) and got.tolist() == wanted
    assert (ts.tensor([6, 5]) & 3).tolist() == [2, 1] and (4 | ts.tensor([1])).tolist() == [5]
    assert a.int().dtype == np.int32 and a.long().tolist() == [1, 1, 0]
    assert ts.tensor([0.0, 0.5]).bool().tolist() == [False, True]


def test_powers_of_whole_numbers_have_exact_gradients():
    """The logarithm of an int64 base is taken in the exponent's precision."""
    x = ts.tensor(np.array([0.8, 1.4]), requires_grad=True)
    for base in (2, ts.tensor([2, 3]), 0.1):
        (g,) = ts.grad((base**x).sum(), x)
        b = base if isinstance(base, float | int) else base.data
        np.testing.assert_allclose(g.data, np.log(b) * np.power(b, x.data), rtol=1e-14)


def test_sign_has_the_gradient_0():
    x = ts.tensor([-2.0, 0.0, 3.0], requires_grad=True)
    assert ts.grad((x.sign() * x).sum(), x)[0].tolist() == [-1, 0, 1]
    x.sign().sum().backward()
    assert x.grad.tolist() == [0, 0, 0]
