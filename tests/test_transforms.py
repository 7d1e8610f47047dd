"""Transforms against closed forms, and against each other."""

import numpy as np
import pytest

import tinyseq as ts

random = np.random.default_rng(0)
A = random.standard_normal((3, 4))
X = ts.tensor(random.standard_normal(4))
V = ts.tensor(random.standard_normal(4))


def cubes(x):
    """Σ x³, with gradient 3x² and Hessian diag(6x)."""
    return (x * x * x).sum()


def nested(arguments, scale):
    """From a dict with a list, and a Tensor, to a tuple with a dict."""
    a, (b, label) = arguments["a"], arguments["list"]
    assert label == "label"
    return a * b * scale, {"sum": a.sum() + scale * scale, "count": ts.tensor(3)}


ARGUMENTS = (
    {"a": ts.tensor(np.array([1.0, 2.0])), "list": [ts.tensor(np.array([3.0, 4.0])), "label"]},
    ts.tensor(np.array(5.0)),
)


def close(a, b):
    np.testing.assert_allclose(a.data if isinstance(a, ts.Tensor) else a, b, rtol=1e-12, atol=1e-12)


def test_value_and_grad():
    value, gradient = ts.value_and_grad(cubes)(X)
    close(value, (X.data**3).sum())
    close(gradient, 3 * X.data**2)
    assert not value.requires_grad and not gradient.requires_grad and X.grad is None


def test_value_and_grad_by_chosen_arguments():
    def f(x, y, *, power):
        return (x * y**power).sum()

    x, y = ts.tensor(np.array([1.0, 2.0])), ts.tensor(np.array([3.0, 4.0]))
    _, g = ts.value_and_grad(f, -1)(x, y, power=2)
    close(g, 2 * x.data * y.data)
    _, (gy, gx) = ts.value_and_grad(f, (1, 0))(x, y, power=2)
    close(gy, g.data)
    close(gx, y.data**2)
    with pytest.raises(TypeError, match="one element"):
        ts.value_and_grad(lambda x: x * 2)(x)


def test_value_and_grad_of_a_tree_of_parameters():
    def loss(parameters, x):
        return ((x @ parameters["w"] + parameters["b"][0]) ** 2).sum()

    parameters = {"w": ts.tensor(A.T), "b": [ts.tensor(np.ones(3)), 7]}
    _, g = ts.value_and_grad(loss)(parameters, X)
    assert list(g) == ["w", "b"] and g["b"][1] is None
    residual = 2 * (X.data @ A.T + 1)
    close(g["w"], np.outer(X.data, residual))
    close(g["b"][0], residual)


def test_vjp_and_jvp_of_a_linear_function_are_its_matrix():
    def linear(x):
        return ts.tensor(A) @ x

    v = random.standard_normal(3)
    value, product = ts.vjp(linear, X, v)
    close(value, A @ X.data)
    close(product, v @ A)
    value, product = ts.jvp(linear, X, V)
    close(value, A @ X.data)
    close(product, A @ V.data)
    close(ts.jacobian(linear, X), A)


def test_nested_inputs_and_results():
    value, (g, gs) = ts.vjp(nested, ARGUMENTS, (np.ones(2), {"sum": np.array(1.0), "count": None}))
    close(value[0], [15, 40])
    close(g["a"], [16, 21])
    close(g["list"][0], [5, 10])
    assert g["list"][1] is None
    close(gs, 1 * 3 + 2 * 4 + 10)
    directions = ({"a": np.array([1.0, 0]), "list": [np.array([0, 1.0]), None]}, np.array(2.0))
    _, (product, rest) = ts.jvp(nested, ARGUMENTS, directions)
    close(product, [3 * 5 + 3 * 2, 2 * 5 + 8 * 2])
    close(rest["sum"], 1 + 2 * 5 * 2)
    assert rest["count"] is None
    blocks, rows = ts.jacobian(nested, ARGUMENTS)
    close(blocks[0]["a"], np.diag([15, 20]))
    close(blocks[1], [3, 8])
    close(rows["sum"][0]["list"][0], [0, 0])  # not used: zeros
    with pytest.raises(ValueError, match="keys"):
        ts.vjp(nested, ARGUMENTS, (np.ones(2), {"sum": np.array(1.0)}))
    with pytest.raises(ValueError, match="shape"):
        ts.vjp(nested, ARGUMENTS, (np.ones(3), {"sum": np.array(1.0), "count": None}))


def test_hessian_and_hvp():
    close(ts.hessian(cubes, X), np.diag(6 * X.data))
    value, product = ts.hvp(cubes, X, V)
    close(value, (X.data**3).sum())
    close(product, 6 * X.data * V.data)
    assert not value.requires_grad and not product.requires_grad


def test_the_hessian_of_several_inputs_has_every_block():
    def f(x, y):
        return (x * x * y).sum()

    x, y = ts.tensor(np.array([1.0, 2.0])), ts.tensor(np.array([3.0, 4.0]))
    (xx, xy), (yx, yy) = ts.hessian(f, (x, y))
    close(xx, np.diag([6, 8]))
    close(xy, np.diag([2, 4]))
    close(yx, np.diag([2, 4]))
    close(yy, np.zeros((2, 2)))
    _, (hx, hy) = ts.hvp(f, (x, y), (np.ones(2), np.ones(2)))
    close(hx, [8, 12])
    close(hy, [2, 4])


def test_transforms_of_transforms():
    third = ts.jacobian(lambda x: ts.hessian(cubes, x, create_graph=True), X)
    expected = np.zeros((4, 4, 4))
    expected[range(4), range(4), range(4)] = 6
    close(third, expected)
    # Along v: d/dx Σ (J v)² for f = x³ is 2 · 3x²v · 6xv.
    along = ts.value_and_grad(
        lambda x: (ts.jvp(lambda z: z * z * z, x, V, create_graph=True)[1] ** 2).sum()
    )
    close(along(X)[1], 36 * X.data**3 * V.data**2)


def test_create_graph_leads_back_to_the_inputs():
    x = ts.tensor(X.data, requires_grad=True)
    value, product = ts.vjp(lambda z: cubes(z), x, create_graph=True)
    (g,) = ts.grad(value + product.sum(), x)
    close(g, 3 * x.data**2 + 6 * x.data)
    with ts.no_grad():
        assert not ts.vjp(cubes, x)[1].requires_grad


def test_functions_that_do_not_use_their_input():
    c = ts.tensor(np.ones(2))
    close(ts.vjp(lambda x: c, X, np.ones(2))[1], np.zeros(4))
    close(ts.jvp(lambda x: c, X, V)[1], np.zeros(2))
    close(ts.jacobian(lambda x: c, X), np.zeros((2, 4)))
    close(ts.hessian(lambda x: x.sum(), X), np.zeros((4, 4)))
    assert ts.jacobian(lambda x: x[:0], X).shape == (0, 4)


def test_fused_ops():
    shapes = [(1, 2, 3), (1, 2), (1, 2), (8, 3), (8, 2)]
    inputs = tuple(ts.tensor(random.standard_normal(s)) for s in shapes)
    v = tuple(random.standard_normal(s) for s in shapes)
    _, forward = ts.jvp(ts.ops.lstm, inputs, v)
    blocks = ts.jacobian(ts.ops.lstm, inputs)
    for product, row in zip(forward, blocks, strict=True):
        expected = sum(np.tensordot(j.data, d, d.ndim) for j, d in zip(row, v, strict=True))
        np.testing.assert_allclose(product.data, expected, rtol=1e-9)
