"""Undoing a broadcast: the gradient's sum has the input's shape, and only where one is possible."""

import numpy as np
import pytest

from tinyseq.autograd import Tensor
from tinyseq.autograd.broadcast import broadcast_to, sum_to

PAIRS = [((), (2, 3)), ((3,), (2, 3)), ((2, 1), (2, 3)), ((1, 1), (4, 2, 3)), ((0, 1), (2, 0, 3))]


@pytest.mark.parametrize("small, large", PAIRS)
def test_sum_to_is_the_transpose_of_broadcast_to(small, large):
    random = np.random.default_rng(0)
    x, g = random.standard_normal(small), random.standard_normal(large)
    back = sum_to(Tensor(g), shape=small)
    assert back.shape == small
    forth = broadcast_to(Tensor(x), shape=large)
    np.testing.assert_allclose(np.sum(back.data * x), np.sum(g * forth.data), atol=1e-12)


@pytest.mark.parametrize(
    "shape, onto", [((3, 2), (2, 3)), ((3,), (1, 3)), ((2, 3), (2,)), ((1, 3), (2, 3))]
)
def test_a_shape_that_no_broadcast_made_is_refused(shape, onto):
    with pytest.raises(ValueError, match="does not fit"):
        sum_to(Tensor(np.zeros(shape)), shape=onto)
