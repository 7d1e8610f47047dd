"""Both directions at once are each direction by itself."""

import numpy as np
import pytest

import tinyseq as ts
from tests.recurrent import CELLS, as_op, as_pair, problem
from tinyseq.autograd import Tensor, grad
from tinyseq.ops.recurrent import Trace

VARIANTS = {
    "plain": {},
    "lengths": {"lengths": [3, 0, 5], "mask": True},
    "norm": {"norm": True, "zone": (3, 5)},
    "checkpoints": {"every": 2, "bias": False},
}


def pair_of(cell, dtype, B=3, **options):
    if cell == "lstm":
        options = {"peephole": True, "P": 4, **options}
    one = problem(cell, B, 5, 3, 7, dtype=dtype, **options)
    two = problem(cell, B, 5, 3, 7, dtype=dtype, reverse=True, seed=1, **options)
    return one, (one[0], *two[1:])


def all_of(fn, arrays):
    """Results, and the gradients of a sum that weights everything."""
    inputs = [Tensor(a, requires_grad=True) for a in arrays]
    results = fn(*inputs)
    weights = [
        Tensor(np.linspace(-1, 2, y.numel(), dtype=y.dtype).reshape(y.shape)) for y in results
    ]
    return [y.data for y in results], [g.data for g in grad(results, inputs, weights)]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("cell", CELLS)
def test_the_bits_of_each_by_itself(cell, variant, dtype):
    one, two = pair_of(cell, dtype, **VARIANTS[variant])
    results, gradients = all_of(*as_pair(one, two, cell))
    sides = [all_of(*as_op(side, cell)) for side in (one, two)]
    (first, (dx, *shares)), (second, (more, *more_shares)) = sides
    for a, b in zip(results, [*first, *second], strict=True):
        np.testing.assert_array_equal(a, b)
    for a, b in zip(gradients, [dx + more, *shares, *more_shares], strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("B", [1, 2, 9])
def test_the_bits_do_not_depend_on_threads(B):
    before, seen = ts.backend.get_num_threads(), []
    try:
        for threads in (1, 2, 3, 4):
            ts.set_num_threads(threads)
            one = problem("gru", B, 60, 20, 80, dtype=np.float32)
            two = problem("gru", B, 60, 20, 80, dtype=np.float32, reverse=True, seed=1)
            results, gradients = all_of(*as_pair(one, (one[0], *two[1:]), "gru"))
            seen.append([a.tobytes() for a in (*results, *gradients)])
    finally:
        ts.set_num_threads(before)
    assert seen[1:] == [seen[0]] * 3


@pytest.mark.parametrize("cell", ["lstm", "rnn_relu"])
def test_each_has_its_trace(cell):
    one, two = pair_of(cell, np.float64)
    traces, alone = (Trace(), Trace()), (Trace(), Trace())
    all_of(*as_pair(one, two, cell, traces))
    for side, trace in zip((one, two), alone, strict=True):
        fn, arrays = as_op(side, cell, trace=trace)
        all_of(fn, arrays)
    for got, wanted in zip(traces, alone, strict=True):
        np.testing.assert_array_equal(got.gradient_norm, wanted.gradient_norm)
        assert got.gates.keys() == wanted.gates.keys()
        for letter in wanted.gates:
            np.testing.assert_array_equal(got.gates[letter], wanted.gates[letter])
