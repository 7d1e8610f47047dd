"""The NumPy kernels, the specification, against loops over single numbers in float64."""

import math

import numpy as np
import pytest

from tinyseq.backend import numpy_kernels as K

random = np.random.default_rng(0)


def normal(*shape):
    return random.standard_normal(shape)


def sigma(x):
    return 1 / (1 + math.exp(-x))


def central(f, x, eps=1e-6):
    """The gradient of the scalar f by central differences in x, which f reads in place."""
    quotients = np.zeros_like(x)
    for at in np.ndindex(x.shape):
        before = x[at]
        x[at] = before + eps
        above = f()
        x[at] = before - eps
        quotients[at] = (above - f()) / (2 * eps)
        x[at] = before
    return quotients


@pytest.mark.parametrize(
    "kernel, truth", [(K.exp, math.exp), (K.tanh, math.tanh), (K.sigmoid, sigma)]
)
def test_elementwise(kernel, truth):
    x = np.concatenate((normal(20) * 5, [0.0, 30.0, -30.0]))
    np.testing.assert_allclose(kernel(x), [truth(v) for v in x], rtol=1e-14)
    assert kernel(x.astype(np.float32)).dtype == np.float32
    assert kernel(np.zeros((0, 2))).shape == (0, 2)


def test_the_far_ends_do_not_warn():
    far = np.array([-np.inf, -1e4, 1e4, np.inf, np.nan])
    np.testing.assert_array_equal(K.exp(far), [0, 0, np.inf, np.inf, np.nan])
    np.testing.assert_array_equal(K.tanh(far), [-1, -1, 1, 1, np.nan])
    np.testing.assert_array_equal(K.sigmoid(far), [0, 0, 1, 1, np.nan])


@pytest.mark.parametrize(
    "a, b", [((2, 3), (3, 4)), ((5, 1, 2, 3), (4, 3, 2)), ((2, 0), (0, 3)), ((0, 2, 3), (3, 1))]
)
def test_matmul(a, b):
    a, b = normal(*a), normal(*b)
    got = K.matmul(a, b)
    batch = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    wide_a = np.broadcast_to(a, batch + a.shape[-2:])
    wide_b = np.broadcast_to(b, batch + b.shape[-2:])
    assert got.shape == (*batch, a.shape[-2], b.shape[-1])
    for *at, m, n in np.ndindex(got.shape):
        rows, columns = wide_a[tuple(at)], wide_b[tuple(at)]
        wanted = math.fsum(rows[m, k] * columns[k, n] for k in range(a.shape[-1]))
        assert got[(*at, m, n)] == pytest.approx(wanted, rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize(
    "activation, truth",
    [("none", float), ("relu", lambda v: max(v, 0.0)), ("tanh", math.tanh), ("sigmoid", sigma)],
)
def test_linear(activation, truth, bias):
    x, w, b = normal(2, 2, 3), normal(4, 3), normal(4) if bias else None
    kept = x.copy(), w.copy()
    got = K.linear(x, w, b, activation)
    for i, j, n in np.ndindex(2, 2, 4):
        wanted = truth(sum(x[i, j, k] * w[n, k] for k in range(3)) + (b[n] if bias else 0))
        assert got[i, j, n] == pytest.approx(wanted, rel=1e-12)
    np.testing.assert_array_equal(x, kept[0])
    np.testing.assert_array_equal(w, kept[1])


def test_cross_entropy():
    logits, targets = normal(5, 4), np.array([0, 3, -1, 2, 2])
    losses, logsumexp = K.cross_entropy_forward(logits, targets, -1)
    for r in range(5):
        total = math.log(math.fsum(math.exp(v) for v in logits[r]))
        assert logsumexp[r] == pytest.approx(total, rel=1e-14)
        wanted = 0 if targets[r] == -1 else total - logits[r, targets[r]]
        assert losses[r] == pytest.approx(wanted, rel=1e-12)
    g = normal(5)
    found = K.cross_entropy_backward(g, logits, logsumexp, targets, -1)
    quotients = central(lambda: np.sum(g * K.cross_entropy_forward(logits, targets, -1)[0]), logits)
    np.testing.assert_allclose(found, quotients, atol=1e-8)
    assert not found[2].any()


def test_cross_entropy_of_large_and_infinite_logits():
    logits = np.array([[1e4, 0.0], [-np.inf, 0.0], [-1e4, -1e4]])
    losses, _ = K.cross_entropy_forward(logits, np.array([1, 1, 0]), -100)
    np.testing.assert_allclose(losses, [1e4, 0, math.log(2)])
    assert K.cross_entropy_forward(np.zeros((0, 3)), np.zeros(0, np.int64), -100)[0].shape == (0,)


def test_embedding_and_scatter():
    weight, index = normal(4, 3), np.array([[3, 0], [3, 3]])
    np.testing.assert_array_equal(K.embedding(weight, index), weight[[[3, 0], [3, 3]]])
    g = normal(2, 2, 3)
    out = K.embedding_scatter(g, index, 4)
    np.testing.assert_allclose(out[3], g[0, 0] + g[1, 0] + g[1, 1])
    np.testing.assert_array_equal(out[0], g[0, 1])
    assert not out[1:3].any()
    assert K.embedding_scatter(np.zeros((0, 3)), np.zeros(0, np.int64), 2).shape == (2, 3)


def test_sum_of_squares_is_taken_in_double():
    big = np.full(3, 1e25, np.float32)  # its square is beyond float32
    assert K.sum_of_squares([big, np.ones(2)]) == pytest.approx(3e50, rel=1e-6)
    assert K.sum_of_squares([]) == 0


def test_scale_works_in_place():
    x = np.arange(6.0)
    K.scale_([x[::2]], 10)
    np.testing.assert_array_equal(x, [0, 1, 20, 3, 40, 5])


@pytest.mark.parametrize("decay, decoupled", [(0.0, False), (0.1, False), (0.1, True)])
def test_adam(decay, decoupled):
    lr, b1, b2, eps = 0.1, 0.9, 0.99, 1e-8
    p, m, v = [0.5, -2.0, 0.0], [0.0] * 3, [0.0] * 3
    arrays = [[np.array(a)] for a in (p, m, v)]
    for step in (1, 2, 3):
        g = normal(3)
        K.adam_(
            arrays[0], [g], arrays[1], arrays[2], lr=lr, beta1=b1, beta2=b2, eps=eps,
            weight_decay=decay, decoupled=decoupled, step=step,
        )  # fmt: skip
        for k in range(3):
            d = g[k] + (0 if decoupled else decay * p[k])
            p[k] *= 1 - lr * decay if decoupled else 1
            m[k] = b1 * m[k] + (1 - b1) * d
            v[k] = b2 * v[k] + (1 - b2) * d * d
            p[k] -= lr * (m[k] / (1 - b1**step)) / (math.sqrt(v[k] / (1 - b2**step)) + eps)
    for array, wanted in zip(arrays, (p, m, v), strict=True):
        np.testing.assert_allclose(array[0], wanted, rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("extreme", [0.9, np.inf])
def test_no_kernel_warns(dtype, extreme):
    """Of an overflow or an infinity; warnings are errors here."""
    big = extreme * np.finfo(dtype).max

    def alternating(*shape):
        signs = np.resize(np.array([1, 1, -1], dtype), int(np.prod(shape))).reshape(shape)
        return signs * dtype(big)

    for name in ("exp", "tanh", "sigmoid"):
        getattr(K, name)(alternating(7))
    a = alternating(4, 4)
    assert not np.isfinite(K.matmul(a, a)).all()
    assert not np.isfinite(K.linear(a, a, alternating(4), "none")).all()
    K.linear(a, a, alternating(4), "sigmoid")
    targets = np.array([0, 1, -100, 2])
    _, logsumexp = K.cross_entropy_forward(a, targets, -100)
    K.cross_entropy_backward(alternating(4), a, logsumexp, targets, -100)
    K.embedding_scatter(a, np.array([0, 0, 1, 1]), 2)
    K.sum_of_squares([a])
    K.scale_([a.copy()], 10.0)
    values, g, mean, square = ([np.abs(alternating(7))] for _ in range(4))
    settings = {"lr": 10.0, "beta1": 0.9, "beta2": 0.99, "eps": 1e-8, "weight_decay": 10.0}
    K.adam_(values, g, mean, square, **settings, decoupled=False, step=1)
