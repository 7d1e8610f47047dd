"""The recording switch: nesting, exceptions, decorators and threads."""

import threading

import numpy as np
import pytest

import tinyseq as ts
from tinyseq.autograd import enable_grad, is_grad_enabled, no_grad


def test_the_switch_nests():
    with no_grad():
        with enable_grad():
            with no_grad():
                assert not is_grad_enabled()
            assert is_grad_enabled()
        assert not is_grad_enabled()
    assert is_grad_enabled()


def test_one_object_may_be_entered_inside_itself():
    off = no_grad()
    with off:
        with off:
            pass
        assert not is_grad_enabled()
    assert is_grad_enabled()


def test_an_exception_puts_the_switch_back():
    with pytest.raises(ZeroDivisionError), no_grad():
        _ = 1 / 0
    assert is_grad_enabled()


def test_a_decorated_function_keeps_its_name_and_may_call_itself():
    @no_grad()
    def depth(n):
        """How deep it went."""
        assert not is_grad_enabled()
        return n and 1 + depth(n - 1)

    assert depth(3) == 3 and depth.__name__ == "depth" and depth.__doc__ == "How deep it went."
    assert is_grad_enabled()


def test_each_thread_has_its_own_switch():
    inside, looked, seen = threading.Event(), threading.Event(), []

    def off():
        with no_grad():
            inside.set()
            looked.wait(10)
            seen.append(is_grad_enabled())

    thread = threading.Thread(target=off)
    thread.start()
    inside.wait(10)
    seen.append(is_grad_enabled())
    looked.set()
    thread.join()
    assert seen == [True, False]


def test_a_walk_records_only_when_asked_and_puts_the_switch_back():
    x = ts.tensor(np.array([2.0]), requires_grad=True)
    assert not ts.grad(x * x, x)[0].requires_grad
    with no_grad():
        assert is_grad_enabled() is False
    with enable_grad():
        y = x * x
    with no_grad():  # create_graph says so more loudly than the mode around it
        assert ts.grad(y, x, create_graph=True)[0].requires_grad
        assert not is_grad_enabled()
    with pytest.raises(ValueError):
        y.backward(np.ones(3))
    assert is_grad_enabled()


def test_a_generator_is_stepped_in_its_mode_and_its_caller_is_not():
    @no_grad()
    def seen():
        """What it was sent, and whether recording was on."""
        sent = yield is_grad_enabled()
        try:
            sent = yield sent, is_grad_enabled()
        except KeyError:
            sent = "thrown in"
        yield sent, is_grad_enabled()
        return "end"

    steps = seen()
    assert next(steps) is False and is_grad_enabled()
    assert steps.send(5) == (5, False) and is_grad_enabled()
    assert steps.throw(KeyError) == ("thrown in", False) and is_grad_enabled()
    with pytest.raises(StopIteration) as end:
        next(steps)
    assert end.value.value == "end" and seen.__name__ == "seen"


def test_a_generator_that_is_closed_may_clean_up():
    closed = []

    @enable_grad
    def one():
        try:
            yield
        finally:
            closed.append(is_grad_enabled())

    steps = one()
    with no_grad():
        next(steps)
        steps.close()
    assert closed == [True] and is_grad_enabled()


def test_decorators_do_without_parentheses():
    assert no_grad(is_grad_enabled)() is False and enable_grad(is_grad_enabled)() is True
