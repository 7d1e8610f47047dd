"""What is kept, for how long, and by whom: long graphs, many steps, several threads."""

import gc
import sys
import threading
import tracemalloc

import numpy as np
import pytest

import tinyseq as ts
from tinyseq import nn, optim
from tinyseq.nn import functional as F


def leaf(*values):
    return ts.tensor(np.array(values), requires_grad=True)


def chain(x, length):
    y = x
    for _ in range(length):
        y = y + 1
    return y


def test_a_chain_of_a_million_ops_runs_and_is_freed():
    x = leaf(0.0)
    y = chain(x, 1_000_000)
    y.backward()
    np.testing.assert_array_equal(x.grad.data, [1])
    y = chain(x, 1_000_000)
    del y  # a graph never walked goes as well


def traced():
    """Bytes in use now and at most, once Python has emptied its lists of tuples to use again."""
    assert gc.collect() == 0, "there were reference cycles"
    return tracemalloc.get_traced_memory()


def test_memory_is_linear_in_the_chain_and_given_back():
    def peak(length):
        x = leaf(0.0)
        gc.collect()
        tracemalloc.start()
        y = chain(x, length)
        built, _ = traced()
        y.backward()
        left, most = traced()
        tracemalloc.stop()
        assert left < 10_000  # the walk let the whole chain go, but for its end
        return built, most

    (built, most), (built_10, most_10) = peak(2_000), peak(20_000)
    assert 9 < built_10 / built < 11 and built_10 / 20_000 < 700
    assert most < built + 20_000 and most_10 < built_10 + 20_000


def test_a_kept_chain_can_be_differentiated_again_without_recursion():
    x, n = leaf(1.0), 5_000
    assert n > sys.getrecursionlimit()
    y = x
    for _ in range(n - 1):
        y = y * x
    (g,) = ts.grad(y, x, create_graph=True)
    g.backward()
    np.testing.assert_allclose([g.data, x.grad.data], [[n], [n * (n - 1)]])


def test_a_thousand_training_steps_do_not_grow_memory():
    ts.manual_seed(0)
    model = nn.LSTM(3, 4)
    optimizer = optim.Adam(model.parameters(), lr=0.01)
    x, target = ts.randn(2, 5, 3), np.zeros(10, np.int64)
    state = None

    def steps(count):
        nonlocal state
        for _ in range(count):
            y, state = model(x, state)
            state = tuple(s.detach() for s in state)
            y = ts.checkpoint(lambda y: F.dropout(y.tanh(), 0.1), y)
            loss = F.cross_entropy(y.reshape(-1, 4), target)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    gc.collect()
    gc.disable()
    try:
        steps(1000)  # the interpreter's free lists fill up
        assert gc.collect() == 0
        before = sys.getallocatedblocks()  # whatever is an object has one at least
        steps(1000)
        assert gc.collect() == 0, "there were reference cycles"
        after = sys.getallocatedblocks()
    finally:
        gc.enable()
    assert after - before < 500  # some lists fill later; a leak would be a block a step, or more


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_derivatives_of_every_order_agree_with_closed_forms(order):
    """Of f(x, y) = exp(xy) + tanh x + x⁵/y, by x again and again, and then by y."""
    x, y = leaf(0.7, -0.3), leaf(0.4, 1.2)
    f = ts.exp(x * y) + ts.tanh(x) + x**5 / y
    g = f
    for _ in range(order):
        (g,) = ts.grad(g.sum(), x, create_graph=True)
    a, b, t = x.data, y.data, np.tanh(x.data)
    tanh = {
        1: 1 - t**2,
        2: -2 * t * (1 - t**2),
        3: (1 - t**2) * (6 * t**2 - 2),
        4: (1 - t**2) * (16 * t - 24 * t**3),
    }[order]
    power = {1: 5 * a**4, 2: 20 * a**3, 3: 60 * a**2, 4: 120 * a}[order] / b
    np.testing.assert_allclose(g.data, b**order * np.exp(a * b) + tanh + power, rtol=1e-10)
    (mixed,) = ts.grad(g.sum(), y)
    expected = (order * b ** (order - 1) + a * b**order) * np.exp(a * b) - power / b
    np.testing.assert_allclose(mixed.data, expected, rtol=1e-10)


def test_threads_do_not_disturb_each_other():
    start, wrong = threading.Barrier(3), []

    def work(seed):
        random = np.random.default_rng(seed)
        start.wait()
        for _ in range(100):
            x = ts.tensor(random.standard_normal(5), requires_grad=True)
            y = x
            for i in range(20):
                with ts.no_grad():
                    constant = y * 2
                y = (y * x).tanh() if i % 2 else y + x * constant.detach() * 0
            (g,) = ts.grad(y.sum(), x, create_graph=True)
            g.sum().backward()
            if constant.requires_grad or not (g.requires_grad and x.grad is not None):
                wrong.append(seed)
            expected = differentiate_again(x.data)
            if not np.array_equal(expected, g.data):
                wrong.append(seed)

    def differentiate_again(data):
        x = ts.tensor(data, requires_grad=True)
        y = x
        for i in range(20):
            y = (y * x).tanh() if i % 2 else y + x * (y * 2).detach() * 0
        return ts.grad(y.sum(), x)[0].data

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(2)]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        for thread in threads:
            thread.start()
        start.wait()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert not wrong
