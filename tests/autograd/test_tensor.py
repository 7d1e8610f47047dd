"""Tensors: dtypes, operators on either side, and the ways out."""

import copy
import pickle
import threading

import numpy as np
import pytest

import tinyseq as ts


def test_plain_floats_are_float32_and_arrays_keep_their_dtype():
    assert ts.tensor([1.0, 2.0]).dtype == np.float32
    assert ts.tensor(np.ones(2)).dtype == np.float64
    assert ts.tensor([1, 2]).dtype == np.int64
    with pytest.raises(TypeError, match="expected numbers"):
        ts.tensor(["a"])


@pytest.mark.parametrize("scalar", [2, 2.0, np.float64(2), np.float32(2), np.int64(2)])
def test_scalars_never_promote_float32(scalar):
    x = ts.ones(3)
    for y in (x * scalar, scalar + x, x / scalar, scalar - x, x**scalar):
        assert y.dtype == np.float32


def test_arrays_may_stand_on_either_side():
    a, x = np.arange(6.0).reshape(2, 3), ts.tensor(np.ones((2, 3)))
    for y, expected in ((a + x, a + 1), (x - a, 1 - a), (a * x, a), (a @ x.T, a @ np.ones((3, 2)))):
        assert isinstance(y, ts.Tensor)
        np.testing.assert_array_equal(y.data, expected)


def test_comparisons_are_elementwise_and_tensors_can_be_keys():
    x = ts.tensor([1, 2])
    np.testing.assert_array_equal((x == ts.tensor([1, 3])).data, [True, False])
    assert {x: "found"}[x] == "found"


def test_numpy_refuses_what_requires_a_gradient():
    x = ts.ones(2, requires_grad=True)
    with pytest.raises(RuntimeError, match="detach"):
        x.numpy()
    assert x.detach().numpy() is x.data and not x.detach().requires_grad


def test_item_wants_one_element():
    assert ts.tensor([[3.0]]).item() == 3.0
    with pytest.raises(ValueError, match="one element"):
        ts.ones(2).item()


def test_requires_grad_can_be_switched_on_leaves_only():
    x = ts.ones(2).requires_grad_()
    with pytest.raises(RuntimeError, match="only a leaf"):
        (x * 2).requires_grad_(False)


def test_no_grad_as_context_and_decorator():
    x = ts.ones(2, requires_grad=True)
    with ts.no_grad():
        assert not (x * 2).requires_grad
        with ts.enable_grad():
            assert (x * 2).requires_grad
    assert ts.no_grad()(lambda: x * 2)().requires_grad is False
    assert (x * 2).requires_grad


def test_no_grad_is_of_one_thread():
    x, seen = ts.ones(2, requires_grad=True), []
    with ts.no_grad():
        thread = threading.Thread(target=lambda: seen.append((x * 2).requires_grad))
        thread.start()
        thread.join()
    assert seen == [True]


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_a_copy_is_a_tensor_of_its_own(duplicate):
    x = ts.tensor([2.0, 3.0], requires_grad=True)
    (x * x).sum().backward()
    other = duplicate(x)
    np.testing.assert_array_equal(other.grad.data, [4, 6])
    assert other.data is not x.data and other.grad.data is not x.grad.data
    # Both in one graph: each gets its own share.
    gx, go = ts.grad((x * x).sum() + (5 * other).sum(), [x, other])
    np.testing.assert_array_equal(gx.data, [4, 6])
    np.testing.assert_array_equal(go.data, [5, 5])


def test_what_an_operation_made_is_not_copied():
    with pytest.raises(RuntimeError, match="only a leaf"):
        copy.deepcopy(ts.ones(2, requires_grad=True) * 2)


def test_no_gradient_goes_through_whole_numbers():
    x = ts.tensor([1.5, 2.5], requires_grad=True)
    assert not x.to(np.int64).requires_grad
    (x.double() * x.to(np.int64)).sum().backward()
    np.testing.assert_array_equal(x.grad.data, [1, 2])


def test_iterating_goes_over_the_first_dimension():
    x = ts.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    first, second = x
    (first * second).sum().backward()
    np.testing.assert_array_equal(x.grad.data, [[3, 4], [1, 2]])
    with pytest.raises(IndexError, match="out of range"):
        iter(ts.tensor(1.0))


def test_formatting_and_printing():
    assert f"{ts.tensor(2.0):.3f}" == "2.000" and f"{ts.ones(2)}" == "tensor([1., 1.])"
    x = ts.tensor(np.ones(1), requires_grad=True)
    assert repr(x) == "tensor([1.], dtype=float64, requires_grad=True)"
    assert repr(-x) == "tensor([-1.], dtype=float64, made by neg)"
    with pytest.raises(ValueError, match="one element"):
        f"{ts.ones(2):.3f}"


def test_results_that_were_constants_can_become_leaves():
    x = ts.ones(2)
    a, b = x * 2, x * 3
    a.requires_grad_()
    b.requires_grad = True
    ga, gb = ts.grad((a * b).sum(), [a, b])
    np.testing.assert_array_equal([ga.data, gb.data], [[3, 3], [2, 2]])
