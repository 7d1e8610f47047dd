"""Hooks: when they run, on what, and what becomes of what they return."""

import gc
import weakref

import numpy as np
import pytest

import tinyseq as ts


def leaf(*values):
    return ts.tensor(np.array(values), requires_grad=True)


def test_a_hook_sees_the_whole_gradient_once():
    x, seen = leaf(2.0), []
    y = x * x
    y.register_hook(lambda g: seen.append(g.item()))
    x.register_hook(lambda g: seen.append(g.item()))
    (y * y + y + 3 * y).sum().backward()
    assert seen == [2 * 4 + 4, (2 * 4 + 4) * 4]


def test_hooks_run_in_order_and_each_gets_what_the_one_before_returned():
    x, y = leaf(1.0), leaf(1.0)
    x.register_hook(lambda g: g * 2)
    handle = x.register_hook(lambda g: g + 5)
    x.register_hook(lambda g: g * 10)
    (x + y).sum().backward()
    assert (x.grad.item(), y.grad.item()) == (70, 1)
    handle.remove()
    handle.remove()
    x.grad = None
    (x * 1).sum().backward()
    assert x.grad.item() == 20


def test_what_a_hook_returns_is_checked():
    for wrong, error in (
        (1.0, TypeError),
        (ts.ones(3), ValueError),
        (ts.ones(2), ValueError),  # float32 for float64
    ):
        x = leaf(1.0, 2.0)
        (x * 1).register_hook(lambda g: None)
        x.register_hook(lambda g, wrong=wrong: wrong)
        with pytest.raises(error, match="hook: expected"):
            x.sum().backward()
        assert x.grad is None


def test_retain_grad_comes_after_the_hooks_and_holds_nothing_alive():
    gc.disable()
    try:
        x = leaf(3.0)
        y = x * x
        y.retain_grad()
        y.register_hook(lambda g: g * 2)
        (y * y).sum().backward()
        assert y.grad.item() == 36 and x.grad.item() == 36 * 6
        gone = weakref.ref(y)
        del y
        assert gone() is None
    finally:
        gc.enable()


def test_constants_have_no_hooks():
    for call in (ts.ones(1).retain_grad, lambda: ts.ones(1).register_hook(print)):
        with pytest.raises(RuntimeError, match="does not require a gradient"):
            call()


def test_a_hook_can_be_recorded():
    x = leaf(2.0)
    y = x * x
    y.register_hook(lambda g: g * x)  # x · 2x = 2x², and its derivative 4x
    (g,) = ts.grad(y.sum(), x, create_graph=True)
    assert g.item() == 8
    assert ts.grad(g.sum(), x)[0].item() == 8
