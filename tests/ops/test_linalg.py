"""einsum and other products against NumPy's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tinyseq import ops
from tinyseq.autograd import Tensor

random = np.random.default_rng(0)


@pytest.mark.parametrize(
    "equation, shapes",
    [
        ("ij,jk", [(2, 3), (3, 4)]), ("ba", [(2, 3)]), ("ii", [(3, 3)]), ("iji->j", [(3, 2, 3)]),
        ("...ij,...jk->...ik", [(5, 1, 2, 3), (4, 3, 2)]), ("i...->i...", [(2, 3)]),
        ("bn,anm,bm->ba", [(2, 3), (5, 3, 4), (2, 4)]), (",i->i", [(), (3,)]), ("i->", [(0,)]),
        ("ab,cd,e", [(2, 3), (1, 2), (4,)]), (" i j -> j i ", [(2, 3)]),
        ("aB,Bc", [(2, 3), (3, 2)]), ("i...,...->...i", [(2, 3, 1), (4,)]),
    ],
)  # fmt: skip
def test_einsum(equation, shapes):
    arrays = [random.standard_normal(shape) for shape in shapes]
    wanted = np.einsum(equation, *arrays)
    got = ops.einsum(equation, *arrays)
    assert got.shape == wanted.shape == ops.einsum(equation, arrays).shape
    np.testing.assert_allclose(got.data, wanted, rtol=1e-12, atol=1e-13)


@st.composite
def equations(draw):
    """Any equation over four letters, and arrays that fit it."""
    sizes = {letter: draw(st.integers(0, 3)) for letter in "abcd"}
    terms = draw(st.lists(st.text("abcd", max_size=3), min_size=1, max_size=3))
    used = sorted({letter for term in terms for letter in term})
    result = draw(st.none() | st.permutations(used).map("".join))
    if result is not None:
        result = result[: draw(st.integers(0, len(result)))]
    equation = ",".join(terms) + ("" if result is None else "->" + result)
    return equation, [random.standard_normal([sizes[n] for n in term]) for term in terms]


@settings(deadline=None, max_examples=150)
@given(equations())
def test_any_equation(case):
    equation, arrays = case
    wanted = np.einsum(equation, *arrays)
    got = ops.einsum(equation, *arrays)
    assert got.shape == wanted.shape
    np.testing.assert_allclose(got.data, wanted, rtol=1e-10, atol=1e-12)


def test_float32_goes_through_the_kernels():
    a, b = (random.standard_normal(s).astype(np.float32) for s in ((4, 8, 16), (4, 16, 8)))
    got = ops.einsum("bij,bjk->bik", a, b)
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got.data, ops.matmul(a, b).data)


def test_outer_dot_bmm():
    a, b = random.standard_normal((2, 3))
    np.testing.assert_allclose(ops.outer(a, b).data, np.outer(a, b))
    np.testing.assert_allclose(ops.dot(Tensor(a), b).data, a @ b)
    x, y = random.standard_normal((2, 3, 4)), random.standard_normal((2, 4, 1))
    np.testing.assert_allclose(ops.bmm(x, y).data, x @ y)
