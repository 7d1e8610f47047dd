"""check_grads: it passes what is right and finds what is wrong, at either order."""

import numpy as np
import pytest

from tinyseq import ops
from tinyseq.autograd import REGISTRY, Tensor, op
from tinyseq.testing import check_grads

X = np.array([[0.3, -2.0], [1.1, 0.7]])


@pytest.fixture
def cube():
    @op
    def cube(x):
        return x**3

    yield cube
    del REGISTRY["cube"]


def test_a_right_gradient_passes(cube):
    cube.vjp(lambda g, y, x: (3 * g * x * x,))
    check_grads(cube, X)
    check_grads(cube, X.astype(np.float32), order=3, atol=1e-4)  # taken in float64


def test_a_wrong_first_derivative_is_found_and_the_worst_element_named(cube):
    cube.vjp(lambda g, y, x: (3 * g * x * x + g * np.array([[0, 0], [0, 1e-3]]),))
    with pytest.raises(AssertionError, match=r"order 1, argument 0, element \(1, 1\)"):
        check_grads(cube, X)


def test_a_wrong_second_derivative_is_found(cube):
    cube.vjp(lambda g, y, x: (3 * g * x.detach() * x,))
    check_grads(cube, X, order=1)
    with pytest.raises(AssertionError, match="order 2"):
        check_grads(cube, X)


def test_a_gradient_of_nan_is_found(cube):
    cube.vjp(lambda g, y, x: (g * np.nan,))
    with pytest.raises(AssertionError, match="nan"):
        check_grads(cube, X)


def test_the_argument_at_fault_is_named():
    with pytest.raises(AssertionError, match="argument 1"):
        check_grads(lambda a, b: a * b + b.detach(), X, X)


def test_arguments_that_do_not_matter_and_several_results():
    check_grads(lambda a, unused: (ops.exp(a), None, a.sum()), X, X)
    check_grads(lambda a: Tensor(np.ones(2)), X)
