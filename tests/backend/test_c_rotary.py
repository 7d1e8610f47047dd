"""Rotary positions in C, on every instruction set, against NumPy, to the bit."""

import numpy as np
import pytest

from tests.backend.test_c_kernels import normal, on_threads
from tinyseq.backend import numpy_rotary

c_rotary = pytest.importorskip("tinyseq.backend.c_rotary", reason="the C extension is not built")

LAYOUTS = {
    "dense": lambda x: x,
    "heads side by side": lambda x: x.transpose(0, 2, 1, 3).copy().transpose(0, 2, 1, 3),
    "some of the heads": lambda x: np.repeat(x, 2, 1)[:, ::2],
    "backwards": lambda x: x[:, ::-1, ::-1].copy()[:, ::-1, ::-1],
    "units apart": lambda x: np.repeat(x, 2, 3)[..., ::2],
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("interleaved", [False, True])
@pytest.mark.parametrize(
    ("shape", "r", "heads"),
    [((2, 3, 5, 7), 3, 2), ((4, 6, 130, 64), 32, 6), ((1, 1, 1, 2), 1, 1), ((2, 3, 0, 4), 2, 3),
     ((2, 3, 4, 1), 0, 3), ((0, 3, 4, 4), 1, 0)],
)  # fmt: skip
def test_the_bits_are_numpys(isa, layout, interleaved, shape, r, heads):
    x = LAYOUTS[layout](normal(*shape))
    for angles in (normal(shape[2], r, seed=1), normal(shape[0], shape[2], r, seed=1)):
        given = (x, np.cos(angles), np.sin(angles), interleaved, heads)
        expected = numpy_rotary.rotary(*given)
        for y in on_threads(lambda given=given: c_rotary.rotary(*given), 1, 3):
            assert y.dtype == np.float32
            np.testing.assert_array_equal(y, expected)


def test_float64_is_served_by_numpy():
    x, turns = normal(1, 2, 3, 4).astype(np.float64), np.ones((3, 2))
    assert c_rotary.rotary(x, turns, turns, False, 2).dtype == np.float64
