"""Layer norm, RMS norm and the residual before them: values, and what is refused."""

import numpy as np
import pytest

import tinyseq as ts
from tinyseq import ops

X = np.array([[1.0, 2.0, 3.0], [4.0, 4.0, 4.0]], np.float32)


def test_rows_have_mean_0_and_variance_1_and_a_constant_row_is_0():
    y = ops.layer_norm(X, 3, eps=0.0 + 1e-12).data
    np.testing.assert_allclose(y[0], [-np.sqrt(1.5), 0, np.sqrt(1.5)], rtol=1e-6)
    np.testing.assert_array_equal(y[1], [0, 0, 0])


def test_rms_norm_divides_by_the_root_mean_square():
    np.testing.assert_allclose(
        ops.rms_norm(X, 3, eps=0.0).data[0], X[0] / np.sqrt(14 / 3), rtol=1e-6
    )
    # Without eps a row of zeros would be 0 / 0.
    assert ops.rms_norm(np.zeros((1, 3), np.float32), 3).data.tolist() == [[0, 0, 0]]


def test_the_residual_is_added_before():
    w, b = ts.tensor([1.0, 2.0, 3.0]), ts.tensor([0.5, 0.0, -1.0])
    y, s = ops.add_layer_norm(X, X[::-1].copy(), w, b)
    np.testing.assert_array_equal(s.data, X + X[::-1])
    np.testing.assert_allclose(y.data, ops.layer_norm(s, 3, w, b).data, rtol=1e-6)
    y, s = ops.add_rms_norm(X, X[::-1].copy(), w)
    np.testing.assert_allclose(y.data, ops.rms_norm(s, 3, w).data, rtol=1e-6)


def test_the_fused_gradient_is_that_of_the_two_steps():
    given = [ts.randn(4, 5, requires_grad=True) for _ in range(2)]
    given += [ts.randn(5, requires_grad=True) for _ in range(2)]
    x, r, w, b = given
    y, s = ops.add_layer_norm(x, r, w, b)
    fused = ts.grad((y * y).sum() + (s * y).sum(), given)
    s = x + r
    y = ops.layer_norm(s, 5, w, b)
    apart = ts.grad((y * y).sum() + (s * y).sum(), given)
    for one, other in zip(fused, apart, strict=True):
        np.testing.assert_allclose(one.data, other.data, rtol=1e-4, atol=1e-4)


def test_zero_rows():
    assert ops.layer_norm(np.zeros((0, 3), np.float32), 3).shape == (0, 3)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: ops.layer_norm(X, 4),
            ValueError,
            r"layer_norm: x must be \(..., 4\), got \(2, 3\)",
        ),
        (lambda: ops.layer_norm(X, ()), ValueError, "layer_norm"),
        (lambda: ops.layer_norm(X, (3, 3)), ValueError, "layer_norm"),
        (
            lambda: ops.layer_norm(X, 3, ts.ones(2)),
            ValueError,
            r"weight must be \(3,\), got \(2,\)",
        ),
        (lambda: ops.layer_norm(X, 3, None, ts.ones(1, 3)), ValueError, "bias must be"),
        (lambda: ops.layer_norm(X.astype(np.int64), 3), TypeError, "floating-point"),
        (
            lambda: ops.rms_norm(X, 3, ts.ones(3, dtype=np.float64)),
            TypeError,
            "weight must be float32",
        ),
        (lambda: ops.add_layer_norm(X, X[:1]), ValueError, "x and residual"),
        (lambda: ops.add_rms_norm(X, X.astype(np.float64)), ValueError, "x and residual"),
        (lambda: ops.add_rms_norm(1.0, 2.0), ValueError, "x and residual"),
    ],
)
def test_refusals(call, error, message):
    with pytest.raises(error, match=message):
        call()
