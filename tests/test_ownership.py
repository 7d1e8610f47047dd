"""Which gradients a leaf takes as they are, and that it shares its own with nobody."""

from itertools import combinations

import numpy as np
import pytest

import tinyseq as ts
from tinyseq.autograd.op import REGISTRY, op
from tinyseq.ownership import SMALL

N = 2 * SMALL


def leaf():
    return ts.Tensor(np.ones(N, np.float32), requires_grad=True)


@pytest.fixture
def scaled():
    """2 x, and the places in memory of the gradients that its rule returned."""
    places = []

    @op
    def scaled(x):
        return x * 2

    @scaled.vjp
    def _(g, y, x):
        share = ts.Tensor(g.data * 2)
        places.append(share.data.ctypes.data)
        return (share,)

    yield scaled, places
    del REGISTRY["scaled"]


def test_what_nobody_else_holds_is_not_copied(scaled):
    double, places = scaled
    x = leaf()
    double(x).backward(np.ones(N, np.float32))
    assert x.grad.data.ctypes.data == places[0]
    np.testing.assert_array_equal(x.grad.data, np.full(N, 2, np.float32))


def test_what_a_hook_holds_is_copied(scaled):
    double, places = scaled
    x, seen = leaf(), []
    x.register_hook(seen.append)
    double(x).backward(np.ones(N, np.float32))
    assert x.grad.data.ctypes.data != places[0] == seen[0].data.ctypes.data


def added(a, b):
    return a + b  # one gradient goes to both


def joined(a, b):
    return ts.cat([a, b])  # two parts of one array


def stacked(a, b):
    return ts.stack([a, b])


def summed(a, b):
    return ts.sum(a) + ts.sum(b)  # one number, spread out


def split(a, b):
    halves = ts.reshape(a * b, (2, -1))
    return halves[0] + halves[1]


def itself(a, b):
    return ts.where(np.ones(N, bool), a, b) + b


@pytest.mark.parametrize("function", [added, joined, stacked, summed, split, itself])
@pytest.mark.parametrize("keep", [False, True])
def test_leaves_share_their_gradient_with_nobody(function, keep):
    a, b = leaf(), leaf()
    y = function(a, b)
    seed = np.ones(y.shape, np.float32)
    y.backward(seed, retain_graph=keep)
    held = [a.grad.data, b.grad.data, a.data, b.data, y.data, seed]
    assert not any(np.shares_memory(p, q) for p, q in combinations(held, 2))
    assert a.grad.data.flags.writeable and a.grad.data.flags.c_contiguous
    if keep:  # and what is done to it in place changes no later gradient
        before = a.grad.data.copy(), b.grad.data.copy()
        a.grad.data[:], b.grad.data[:] = 0, 0
        y.backward(seed)
        np.testing.assert_array_equal(a.grad.data, before[0])
        np.testing.assert_array_equal(b.grad.data, before[1])


def test_the_seed_of_a_leaf_stays_the_callers():
    x, seed = leaf(), ts.Tensor(np.ones(N, np.float32))
    x.backward(seed)
    assert not np.shares_memory(x.grad.data, seed.data)


def test_memory_that_is_not_numpys_is_copied(scaled):
    double, _ = scaled
    x, memory = leaf(), bytearray(4 * N)
    x.register_hook(lambda g: ts.Tensor(np.frombuffer(memory, np.float32)))
    double(x).backward(np.ones(N, np.float32))
    assert not np.shares_memory(x.grad.data, np.frombuffer(memory, np.float32))
