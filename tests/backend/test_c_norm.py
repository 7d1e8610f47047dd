"""The norms, GELU and sums of rows in C, on every instruction set, against NumPy in float64."""

import numpy as np
import pytest

from tests.backend.test_c_kernels import on_threads, same_bits
from tinyseq.backend import numpy_gelu, numpy_norm

c_norm = pytest.importorskip("tinyseq.backend.c_norm", reason="the C extension is not built")

SHAPES = [(1, 1), (7, 100), (3, 5, 129), (130, 384), (65, 17), (2, 1000), (0, 4), (3, 0)]


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


def doubles(*arrays):
    return [None if a is None else a.astype(np.float64) for a in arrays]


def close(found, expected, shape, tolerance=2e-5):
    assert (found is None) == (expected is None)
    if found is not None:
        assert found.dtype == np.float32
        # In a row of a single element, 1/sqrt(0 + eps) magnifies rounding.
        scale = 1 if shape[-1] > 1 else 300
        bound = tolerance * scale * (1 + np.abs(expected).max(initial=0))
        np.testing.assert_allclose(found, expected, rtol=0, atol=bound)


@pytest.mark.parametrize("centred", [True, False])
@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("added", [True, False])
@pytest.mark.parametrize("shape", SHAPES)
def test_norms_agree_with_numpy(isa, shape, added, affine, centred):
    x, residual, g, g_sum = (normal(*shape, seed=i) for i in range(4))
    weight, bias = (normal(shape[-1], seed=i) if affine else None for i in (5, 6))
    residual, g_sum = (residual, g_sum) if added else (None, None)
    how = {"dims": 1, "eps": 1e-5, "centred": centred}
    found = c_norm.norm_forward(x, residual, weight, bias, **how)
    expected = numpy_norm.norm_forward(*doubles(x, residual, weight, bias), **how)
    for one, other in zip(found, expected, strict=True):
        close(one, other, shape)
    _, s, mean, scale = found
    wanted = {"dims": 1, "wanted_weight": affine, "wanted_bias": affine}
    back = c_norm.norm_backward(g, g_sum, s, weight, mean, scale, **wanted)
    truth = numpy_norm.norm_backward(*doubles(g, g_sum, s, weight, mean, scale), **wanted)
    for one, other in zip(back, truth, strict=True):
        close(one, other, shape, 1e-4)


def test_a_norm_over_several_dimensions_is_one_over_them_as_one(isa):
    x, w = normal(6, 4, 5), normal(4, 5, seed=1)
    how = {"eps": 0.1, "centred": True}
    whole = c_norm.norm_forward(x, None, w, w, dims=2, **how)[0]
    flat = c_norm.norm_forward(x.reshape(6, 20), None, w.reshape(20), w.reshape(20), dims=1, **how)[
        0
    ]
    assert whole.tobytes() == flat.tobytes()


def test_a_large_mean_does_not_cancel(isa):
    x = normal(4, 100) + 10000
    y = c_norm.norm_forward(x, None, None, None, dims=1, eps=1e-5, centred=True)[0]
    expected = numpy_norm.norm_forward(
        *doubles(x, None, None, None), dims=1, eps=1e-5, centred=True
    )[0]
    np.testing.assert_allclose(
        y, expected, atol=2e-3
    )  # what the sum of such numbers leaves of 24 bits


@pytest.mark.parametrize("shape", [(300, 129), (1000, 384)])
def test_norms_have_the_same_bits_on_any_number_of_threads_and_beside_any_rows(isa, shape):
    x, residual, g, g_sum = (normal(*shape, seed=i) for i in range(4))
    w, b = normal(shape[-1], seed=5), normal(shape[-1], seed=6)

    def run(rows):
        y, s, mean, scale = c_norm.norm_forward(
            x[rows], residual[rows], w, b, dims=1, eps=1e-5, centred=True
        )
        return (
            y,
            s,
            mean,
            scale,
            *c_norm.norm_backward(
                g[rows],
                g_sum[rows],
                s,
                w,
                mean,
                scale,
                dims=1,
                wanted_weight=True,
                wanted_bias=True,
            ),
        )

    one, two, three = on_threads(lambda: run(slice(None)), 1, 2, 3)
    assert same_bits(one, two) and same_bits(one, three)
    alone = run(slice(7, 8))
    for whole, row in zip(one[:5], alone[:5], strict=True):
        assert whole[7:8].tobytes() == row.tobytes()


def test_a_row_that_is_not_finite_stays_by_itself(isa):
    x = normal(5, 33)
    x[1, 3], x[3, 32] = np.nan, np.inf
    y, _, mean, scale = c_norm.norm_forward(x, None, None, None, dims=1, eps=1e-5, centred=True)
    assert np.isnan(y[[1, 3]]).all() and np.isfinite(y[[0, 2, 4]]).all()
    ds = c_norm.norm_backward(
        normal(5, 33, seed=1), None, x, None, mean, scale,
        dims=1, wanted_weight=False, wanted_bias=False,
    )[0]  # fmt: skip
    assert np.isfinite(ds[[0, 2, 4]]).all()


@pytest.mark.parametrize("approximate", ["none", "tanh"])
@pytest.mark.parametrize("shape", [(1,), (15,), (3, 5, 129), (700, 40), (0, 3), (2, 0)])
def test_gelu_and_its_gradient_agree_with_numpy(isa, shape, approximate):
    x, g = 4 * normal(*shape), normal(*shape, seed=1)
    found = c_norm.gelu(x, approximate), *c_norm.gelu_backward(g, x, approximate, True)
    x, g = doubles(x, g)
    expected = numpy_gelu.gelu(x, approximate), *numpy_gelu.gelu_backward(g, x, approximate, True)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-5, atol=2e-6 * max(1, shape[0]))


@pytest.mark.parametrize("approximate", ["none", "tanh"])
def test_gelu_far_out_is_x_or_nothing(isa, approximate):
    x = np.array([np.inf, 1e38, 20, -20, -1e38, -np.inf, np.nan], np.float32)
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(
            c_norm.gelu(x, approximate), [np.inf, np.float32(1e38), 20, 0, 0, 0, np.nan]
        )
        dx, _ = c_norm.gelu_backward(np.ones_like(x), x, approximate, False)
    np.testing.assert_allclose(dx, [1, 1, 1, 0, 0, 0, np.nan], atol=1e-30)


def test_sums_of_rows(isa):
    x = normal(999, 130)

    def run():
        gelu = c_norm.gelu_backward(x, x, "none", True)
        return c_norm.sum_rows(x), *gelu, c_norm.gelu(x, "tanh")

    one, two = on_threads(run, 1, 3)
    assert same_bits(one, two)
    np.testing.assert_allclose(one[0], x.astype(np.float64).sum(0), atol=1e-3)
    assert c_norm.sum_rows(normal(0, 3)).tolist() == [0, 0, 0]
    assert c_norm.sum_rows(x[:5, ::2]).tobytes() == c_norm.sum_rows(x[:5, ::2].copy()).tobytes()


def test_float64_is_served_by_numpy():
    x = normal(3, 4).astype(np.float64)
    for y in (
        c_norm.gelu(x, "none"),
        c_norm.gelu_backward(x, x, "tanh", True)[1],
        c_norm.sum_rows(x),
        c_norm.norm_forward(x, None, None, None, dims=1, eps=1e-5, centred=True)[0],
    ):
        assert y.dtype == np.float64
