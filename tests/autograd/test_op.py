"""What an op takes and gives, and what a wrong rule is told."""

import numpy as np
import pytest

import tinyseq as ts
from tinyseq import ops
from tinyseq.autograd import REGISTRY, op


@pytest.fixture
def doubled():
    """An op x ↦ 2x, as yet without its rule."""

    @op
    def doubled(x):
        """Twice x."""
        return x * 2

    yield doubled
    del REGISTRY["doubled"]


def test_an_op_keeps_its_name_and_docstring(doubled):
    assert doubled.__name__ == "doubled" and doubled.__doc__ == "Twice x."
    assert REGISTRY["doubled"] is doubled and repr(doubled) == "<op doubled>"


def test_a_result_remembers_how_it_was_made_only_if_some_input_requires_a_gradient():
    x, c = ts.ones(2, requires_grad=True), ts.ones(2)
    y = ops.sum(x * c, 0)
    assert y.op is REGISTRY["_sum"] and y.params == {"dim": 0, "keepdim": False}
    assert y.inputs[0].op is ops.mul and y.inputs[0].inputs == (x, c)
    constant = c * 2
    assert constant.op is None and constant.inputs == () and not constant.requires_grad


def test_what_has_no_rule_is_a_constant(doubled):
    assert not doubled(ts.ones(2, requires_grad=True)).requires_grad


def test_results_without_dimensions_are_arrays():
    assert type(ops.exp(ts.tensor(1.0)).data) is np.ndarray


def test_an_argument_with_a_default_may_be_left_out_or_named():
    @op
    def leaky(x, slope=0.5):
        return np.where(x > 0, x, slope * x)

    leaky.vjp(lambda g, y, x, slope=0.5: (ops.where(x > 0, g, slope * g),))
    del REGISTRY["leaky"]
    x = ts.tensor([-2.0, 2.0], requires_grad=True)
    for y, slope in ((leaky(x), 0.5), (leaky(x, slope=0.25), 0.25)):
        assert y.tolist() == [-2 * slope, 2]
        assert ts.grad(y.sum(), x)[0].tolist() == [slope, 1]


WHOLE = ts.arange(4)


@pytest.mark.parametrize(
    "result",
    [
        lambda: WHOLE / 2,
        lambda: WHOLE + 0.5,
        lambda: 2.0**WHOLE,
        lambda: WHOLE / WHOLE.sum(),
        lambda: WHOLE * ts.ones(4),
        lambda: ops.exp(WHOLE),
        lambda: ops.mean(WHOLE > 1),
        lambda: ops.where(WHOLE > 1, 1.0, 0.0),
    ],
)
def test_whole_numbers_become_float32(result):
    assert result().dtype == np.float32


def test_float64_comes_of_float64_or_by_name():
    for byte_order in "<>":
        assert (WHOLE * ts.tensor(np.ones(4, f"{byte_order}f8"))).dtype == np.float64
    assert WHOLE.double().dtype == ts.ones(2).to(np.float64).dtype == np.float64
    assert (WHOLE * 2).dtype == (WHOLE > 1).sum().dtype == np.int64


def test_inputs_that_are_no_tensors():
    x = ts.ones(2, requires_grad=True)
    for other in (np.ones(2), [1, 1], (1.0, 1.0), np.longdouble(1), np.array(1)):
        y = x + other
        np.testing.assert_array_equal(y.data, [2, 2])
        assert y.inputs[0] is x
    for other in (1j, np.complex64(1), np.ones(2, complex), "1", np.str_("1"), object()):
        with pytest.raises(TypeError, match="expected numbers"):
            x + other


@pytest.mark.parametrize(
    "shares, error, message",
    [
        (lambda g: g * 2, TypeError, r"doubled\.vjp: expected a tuple of 1"),
        (lambda g: (g, g), TypeError, r"doubled\.vjp: expected a tuple of 1"),
        (lambda g: (g.data * 2,), TypeError, "must be a Tensor, got ndarray"),
        (lambda g: (ts.ones(2),), ValueError, r"shape \(2,\) does not fit .* shape \(2, 3\)"),
        (lambda g: (ops.reshape(g, 3, 2),), ValueError, r"shape \(3, 2\) does not fit"),
    ],
)
def test_a_wrong_rule_is_told(doubled, shares, error, message):
    doubled.vjp(lambda g, y, x: shares(g))
    y = doubled(ts.ones(2, 3, requires_grad=True))
    with pytest.raises(error, match=message):
        y.sum().backward()
