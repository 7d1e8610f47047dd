"""The order of the steps."""

import numpy as np
import pytest

from tests.recurrent import CELLS, problem
from tinyseq.backend import numpy_kernels as K
from tinyseq.backend.recurrent import saved_shapes, steps_of


def test_rows_that_still_run_come_first():
    steps = steps_of(np.array([2, 0, 3, 2]), False, 4, 5)
    assert steps.order.tolist() == [2, 0, 3, 1]  # equal ones in their own order
    assert steps.counts.tolist() == [3, 3, 1]
    assert steps.rows.tolist() == [2, 0, 3, 2, 0, 3, 2]
    assert steps.times.tolist() == [0, 0, 0, 1, 1, 1, 2]
    assert list(steps.slices()) == [(3, slice(0, 3)), (3, slice(3, 6)), (1, slice(6, 7))]


def test_in_reverse_each_row_begins_at_its_own_end():
    steps = steps_of(np.array([2, 0, 3, 2]), True, 4, 5)
    assert steps.rows.tolist() == [2, 0, 3, 2, 0, 3, 2]
    assert steps.times.tolist() == [2, 1, 1, 1, 0, 0, 0]


def test_without_lengths_all_rows_take_all_steps():
    steps = steps_of(None, False, 2, 3)
    assert steps.order.tolist() == [0, 1] and steps.counts.tolist() == [2, 2, 2]
    assert steps.times.tolist() == [0, 0, 1, 1, 2, 2]
    assert steps_of(None, False, 0, 3).counts.tolist() == [0, 0, 0]
    assert steps_of(None, True, 2, 0).counts.tolist() == []


def test_a_part_of_the_steps():
    part = steps_of(np.array([2, 0, 3, 2]), False, 4, 5).part(1, 3)
    assert part.counts.tolist() == [3, 1] and part.starts.tolist() == [0, 3, 4]
    assert part.rows.tolist() == [2, 0, 3, 2] and part.times.tolist() == [1, 1, 1, 2]


@pytest.mark.parametrize("norm", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_the_shapes_of_what_is_saved(cell, norm):
    x, h0, c0, weights, run = problem(cell, norm=norm, lengths=[3, 0, 4])
    saved = K.recurrent_forward(cell, x, h0, c0, weights, run, True)[3]
    shapes = tuple(None if a is None else a.shape for a in saved)
    assert shapes == saved_shapes(cell, weights, 7)
    gates = {"rnn_tanh": 1, "rnn_relu": 1, "lstm": 4, "gru": 3, "gru_before": 3}[cell]
    assert shapes[0] == (7, gates * 3)
    assert [a is not None for a in saved[1:3]] == [cell == "lstm", cell == "gru"]
    assert [a is not None for a in saved[3:7]] == [norm] * 4
    assert [a is not None for a in saved[7:]] == [norm and cell == "lstm"] * 2
