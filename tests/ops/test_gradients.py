"""Every op's first and second derivatives against central differences, in float64."""

import re

import numpy as np
import pytest

from tests.ops.cases import CASES
from tinyseq import ops
from tinyseq.autograd import REGISTRY, Tensor, grad, op
from tinyseq.testing import check_grads


@pytest.mark.parametrize("name, fn, args", CASES, ids=[case[0] for case in CASES])
def test_first_and_second_derivatives(name, fn, args):
    check_grads(fn, *args, order=2, atol=2e-5, rtol=1e-4)


def made_by(tensors):
    """The names of all ops that had a part in making these Tensors."""
    names, waiting, seen = set(), list(tensors), set()
    while waiting:
        x = waiting.pop()
        if not isinstance(x, Tensor) or x.order in seen:
            continue
        seen.add(x.order)
        if x.op is not None:
            names.add(x.op.name)
        waiting.extend(x.inputs)
    return names


def test_every_op_with_a_gradient_has_a_case():
    reached = set()
    for _, fn, args in CASES:
        inputs = [Tensor(np.array(a, np.float64), requires_grad=True) for a in args]
        results = fn(*inputs)
        results = results if isinstance(results, tuple) else (results,)
        reached |= made_by(results)
        total = results[0].sum()
        for result in results[1:]:
            total = total + result.sum()
        reached |= made_by(grad(total, inputs, create_graph=True, allow_unused=True))
    with_rule = {name for name, op in REGISTRY.items() if op.rule is not None}
    assert with_rule - reached == set()


# Steps, which are flat, and what makes Tensors.
WITHOUT_GRADIENT = set(
    "all any argmax argmin bitwise_and bitwise_not bitwise_or bitwise_xor floor round eq ne lt le "
    "gt ge one_hot arange as_tensor eye full "
    "full_like linspace ones ones_like tensor zeros zeros_like".split()
)


def test_every_public_op_has_a_case_under_its_name():
    named = {re.match(r"\w+", case[0]).group() for case in CASES}
    assert set(ops.__all__) - named == WITHOUT_GRADIENT


def test_a_wrong_gradient_is_found():
    @op
    def wrong(x):
        return x * x

    @wrong.vjp
    def _(g, y, x):
        return (g * 2.0,)

    try:
        with pytest.raises(AssertionError, match="order 1, argument 0, element"):
            check_grads(wrong, np.array([0.3, -2.0]))
    finally:
        del REGISTRY["wrong"]


def test_every_op_is_in_the_registry_under_its_own_name():
    assert all(operation.name == name for name, operation in REGISTRY.items())
    assert {"_lstm_forward", "_gru_forward", "_rnn_forward", "_cross_entropy_forward"} <= set(
        REGISTRY
    )
