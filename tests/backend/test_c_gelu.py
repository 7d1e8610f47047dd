"""GELU and sums of rows in C, on every instruction set, against NumPy in float64."""

import numpy as np
import pytest

from tests.backend.test_c_kernels import normal, on_threads, same_bits
from tinyseq.backend import numpy_gelu

c_gelu = pytest.importorskip("tinyseq.backend.c_gelu", reason="the C extension is not built")


@pytest.mark.parametrize("approximate", ["none", "tanh"])
@pytest.mark.parametrize("shape", [(1,), (15,), (3, 5, 129), (700, 40), (0, 3), (2, 0)])
def test_gelu_and_its_gradient_agree_with_numpy(isa, shape, approximate):
    x, g = 4 * normal(*shape), normal(*shape, seed=1)
    found = c_gelu.gelu(x, approximate), *c_gelu.gelu_backward(g, x, approximate, True)
    x, g = x.astype(np.float64), g.astype(np.float64)
    expected = numpy_gelu.gelu(x, approximate), *numpy_gelu.gelu_backward(g, x, approximate, True)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=2e-5, atol=2e-6 * max(1, shape[0]))


@pytest.mark.parametrize("approximate", ["none", "tanh"])
def test_gelu_far_out_is_x_or_nothing(isa, approximate):
    x = np.array([np.inf, 1e38, 20, -20, -1e38, -np.inf, np.nan], np.float32)
    with np.errstate(invalid="ignore"):
        np.testing.assert_array_equal(
            c_gelu.gelu(x, approximate), [np.inf, np.float32(1e38), 20, 0, 0, 0, np.nan]
        )
        dx, _ = c_gelu.gelu_backward(np.ones_like(x), x, approximate, False)
    np.testing.assert_allclose(dx, [1, 1, 1, 0, 0, 0, np.nan], atol=1e-30)


def test_sums_of_rows(isa):
    x = normal(999, 130)

    def run():
        gelu = c_gelu.gelu_backward(x, x, "none", True)
        return c_gelu.sum_rows(x), *gelu, c_gelu.gelu(x, "tanh")

    one, two = on_threads(run, 1, 3)
    assert same_bits(one, two)
    np.testing.assert_allclose(one[0], x.astype(np.float64).sum(0), atol=1e-3)
    assert c_gelu.sum_rows(normal(0, 3)).tolist() == [0, 0, 0]
    assert c_gelu.sum_rows(x[:5, ::2]).tobytes() == c_gelu.sum_rows(x[:5, ::2].copy()).tobytes()


def test_float64_is_served_by_numpy():
    x = normal(3, 4).astype(np.float64)
    for y in (
        c_gelu.gelu(x, "none"),
        c_gelu.gelu_backward(x, x, "tanh", True)[1],
        c_gelu.sum_rows(x),
    ):
        assert y.dtype == np.float64
