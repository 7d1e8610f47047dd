"""checkpoint: the same bits for less memory."""

import weakref

import numpy as np
import pytest

import tinyseq as ts
from tinyseq import nn
from tinyseq.nn import functional as F


def gradients(run, *leaves):
    """The results of a run and all gradients, as arrays."""
    ts.manual_seed(3)
    for x in leaves:
        x.grad = None
    y = run()
    y.backward()
    return [y.data, *(x.grad.data for x in leaves), ts.rand(2).data]


def same(a, b):
    return all(np.array_equal(x, y) for x, y in zip(a, b, strict=True))


def test_the_same_bits_and_the_same_random_numbers():
    ts.manual_seed(0)
    first, second = nn.Linear(6, 6), nn.Linear(6, 6)
    x = ts.randn(5, 6).requires_grad_()

    def block(h):
        # h is used three times inside and again outside; first is used twice.
        return F.dropout(first(h).tanh() + first(h * h), 0.3) * h

    def plain(call):
        h = x
        for _ in range(3):
            h = h + call(block, second(h)) + h
        return (h * h).mean()

    leaves = [x, *first.parameters(), *second.parameters()]
    direct = gradients(lambda: plain(lambda f, h: f(h)), *leaves)
    assert same(direct, gradients(lambda: plain(ts.checkpoint), *leaves))


def test_what_happens_inside_is_not_kept():
    x = ts.ones(3, requires_grad=True)
    inside = []

    def block(h):
        for _ in range(5):
            h = h.tanh()
            inside.append(weakref.ref(h))
        return h

    y = ts.checkpoint(block, x)
    assert len(inside) == 5 and not any(ref() for ref in inside)
    y.sum().backward()
    assert len(inside) == 10 and not any(ref() for ref in inside)


def test_nested_arguments_and_results():
    a, b = ts.ones(2, requires_grad=True), ts.tensor([2.0, 3.0], requires_grad=True)

    def block(arguments, factor):
        p, (q, _) = arguments["p"], arguments["rest"]
        product = p * q * factor
        return {"product": product, "twice": [product, product + p], "given": q, "text": "kept"}

    def total(results):
        first, second = results["twice"]
        assert results["given"] is b and results["text"] == "kept"
        return (results["product"] * first + second).sum()

    arguments = {"p": a, "rest": (b, None)}
    direct = gradients(lambda: total(block(arguments, 5)), a, b)
    assert same(direct, gradients(lambda: total(ts.checkpoint(block, arguments, 5)), a, b))


def test_second_order_and_a_checkpoint_inside_a_checkpoint():
    x = ts.tensor(np.array([0.3, -0.7]), requires_grad=True)

    def inner(h):
        return h.tanh() * h

    def outer(h):
        return ts.checkpoint(inner, h) * ts.exp(h)

    def fourth(f):
        y = f(x).sum()
        for _ in range(4):
            (g,) = ts.grad(y, x, create_graph=True)
            y = g.sum()
        return y.data

    direct = fourth(lambda h: inner(h) * ts.exp(h))
    np.testing.assert_allclose(fourth(lambda h: ts.checkpoint(outer, h)), direct, rtol=1e-12)
    ts.testing.check_grads(lambda h: ts.checkpoint(outer, h), x, order=3, atol=1e-4)


def test_a_fused_op_inside():
    ts.manual_seed(0)
    lstm, x = nn.LSTM(3, 4), ts.randn(2, 5, 3).requires_grad_()
    leaves = [x, *lstm.parameters()]
    direct = gradients(lambda: lstm(x)[0].sum() + lstm(x)[1][0].sum(), *leaves)

    def again():
        y, (h, _) = ts.checkpoint(lstm, x)
        return ts.checkpoint(lstm, x)[0].sum() + h.sum() + 0 * y.sum()

    for got, expected in zip(gradients(again, *leaves), direct, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-5)


def test_where_nothing_is_to_be_differentiated_it_only_calls():
    calls = []
    y = ts.checkpoint(lambda h: calls.append(1) or h * 2, ts.ones(2))
    assert not y.requires_grad and calls == [1]
    x = ts.ones(2, requires_grad=True)
    with ts.no_grad():
        assert not ts.checkpoint(lambda h: h * 2, x).requires_grad
    assert ts.checkpoint(lambda h: h, x) is x


def test_a_function_that_changes_is_told():
    shapes = iter([2, 3])
    x = ts.ones(1, requires_grad=True)
    y = ts.checkpoint(lambda h: h.expand(next(shapes)) * 1, x)
    with pytest.raises(RuntimeError, match="not do the same the second time"):
        y.sum().backward()


def test_a_hook_on_an_argument_runs_once():
    seen = []
    x = ts.ones(2, requires_grad=True)
    h = x * 2
    h.register_hook(lambda g: seen.append(g.data))
    ts.checkpoint(lambda h: h * h, h).sum().backward()
    np.testing.assert_array_equal(seen, [[4, 4]])
