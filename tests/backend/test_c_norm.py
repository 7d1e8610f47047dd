"""The norms in C, on every instruction set, against NumPy in float64."""

import numpy as np
import pytest

from tests.backend.test_c_kernels import on_threads, same_bits
from tinyseq.backend import numpy_norm

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


def test_float64_is_served_by_numpy():
    x = normal(3, 4).astype(np.float64)
    y = c_norm.norm_forward(x, None, None, None, dims=1, eps=1e-5, centred=True)[0]
    assert y.dtype == np.float64
