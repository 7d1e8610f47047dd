"""The recurrent kernels in C: the bits that must not change, and the process around the kernels."""

import os
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import numpy as np
import pytest

from tests.recurrent import CELLS
from tests.recurrent_kernels import ALL, assert_same_bits, both, forward, kept, options_of, scaled
from tinyseq.backend.recurrent import Run, Weights

c = pytest.importorskip("tinyseq.backend.c_kernels", reason="the C extension is not built")
c_recurrent = pytest.importorskip("tinyseq.backend.c_recurrent")

FUSED = [isa for isa in c.isas() if isa != "scalar"]  # those with a fused multiply-add


@pytest.mark.parametrize("want_norm", [False, True])
@pytest.mark.parametrize("cell, name", ALL)
def test_threads_change_no_bit(isa, cell, name, want_norm):
    """With few rows the threads share out the units, else, and with a norm, the rows."""
    drawn = scaled(cell, 9, 11, 31, 100, options_of(cell, name))
    c.set_num_threads(1)
    wanted, saved = both(c_recurrent, cell, drawn, want_norm)
    for threads in (2, 3, 5):
        c.set_num_threads(threads)
        results, also_saved = both(c_recurrent, cell, drawn, want_norm)
        assert_same_bits(results, wanted)
        assert_same_bits(kept(also_saved), kept(saved))


@pytest.mark.skipif(len(FUSED) < 2, reason="one instruction set with fused multiply-add here")
@pytest.mark.parametrize("cell, name", ALL)
def test_all_instruction_sets_with_fused_multiply_add_give_the_same_bits(cell, name):
    before, results = c.isa(), []
    for size in ((9, 11, 31, 100), (1, 1, 20, 129), (30, 2, 5, 3)):
        for each in FUSED:
            c.use_isa(each)
            given, saved = both(c_recurrent, cell, scaled(cell, *size, options_of(cell, name)))
            results.append(given | {f"saved {k}": a for k, a in kept(saved).items()})
        c.use_isa(before)
        for other in results[1:]:
            assert_same_bits(other, results[0])
        results.clear()


@pytest.mark.parametrize("cell, name", ALL)
def test_checkpoints_change_no_bit(isa, cell, name):
    """Not even where a block of 512 rows of a weight gradient's sum lies across several; nor do the
    segments of the backward pass without them: none of the first two, of 512 rows, of 2048."""
    for size in ((5, 7, 6, 20), (40, 30, 3, 2), (64, 20, 3, 2), (400, 18, 3, 2)):
        *arguments, run, dy, dh, dc = scaled(cell, *size, options_of(cell, name))
        wanted, _ = both(c_recurrent, cell, (*arguments, run._replace(every=0), dy, dh, dc))
        for every in (1, 3, 4, 100):
            drawn = (*arguments, run._replace(every=every), dy, dh, dc)
            assert_same_bits(both(c_recurrent, cell, drawn)[0], wanted)


def cut(array, rows, times):
    """Rows and times of an array (B or 1, T or 1, ...) that may stand for all with one."""
    if array is None:
        return None
    array = array if array.shape[0] == 1 else array[rows]
    return array if array.shape[1] == 1 else array[:, times]


def part(drawn, rows, times, lengths=None):
    """The problem of these rows and times alone."""
    x, h0, c0, weights, run, dy, dh, dc = drawn
    run = run._replace(
        lengths=lengths,
        mask=None if run.mask is None else run.mask[rows],
        zone_h=cut(run.zone_h, rows, times),
        zone_c=cut(run.zone_c, rows, times),
    )
    h0, c0, dh, dc = (None if a is None else a[rows] for a in (h0, c0, dh, dc))
    return x[rows, times], h0, c0, weights, run, dy[rows, times], dh, dc


@pytest.mark.parametrize("cell, name", ALL)
def test_a_row_alone_has_the_bits_that_it_has_among_others(isa, cell, name):
    """And so neither the other rows nor padding are seen in it."""
    drawn = scaled(cell, 20, 6, 7, 35, options_of(cell, name), seed=1)
    lengths, own = drawn[4].lengths, ("y", "dx", "norm", "h", "c", "dh0", "dc0")
    whole = both(c_recurrent, cell, drawn)[0]
    for row in (0, 3, 11, 19):
        n = 6 if lengths is None else lengths[row]
        rows = slice(row, row + 1)
        alone = both(c_recurrent, cell, part(drawn, rows, slice(n)))[0]
        in_whole = {k: whole[k][rows, :n] if k in own[:3] else whole[k][rows] for k in own
                    if k in whole}  # fmt: skip
        assert_same_bits({k: alone[k] for k in in_whole}, in_whole)


@pytest.mark.parametrize("cell, name", [(cell, name) for cell, name in ALL if name != "no bias"])
def test_a_sequence_cut_in_pieces_or_taken_step_by_step(isa, cell, name):
    options = {k: v for k, v in options_of(cell, name).items() if k not in ("lengths", "reverse")}
    for B in (1, 4, 150):  # one, few and many: each meets the weights in its own way
        drawn = scaled(cell, B, 9, 5, 35, options)
        y, h, last_c, _ = forward(c_recurrent, cell, drawn)
        wanted = {"y": y, "h": h} | ({} if last_c is None else {"c": last_c})
        for cuts in ((0, 4, 9), (0, 1, 2, 8, 9), range(10)):
            ys, states = [], drawn[1:3]
            for begin, end in pairwise(cuts):
                x, _, _, *rest = part(drawn, slice(None), slice(begin, end))
                given = forward(c_recurrent, cell, (x, *states, *rest), keep=False)
                assert given[3] is None
                ys.append(given[0])
                states = given[1:3]
            pieces = {"y": np.concatenate(ys, axis=1), "h": states[0], "c": states[1]}
            assert_same_bits({k: pieces[k] for k in wanted}, wanted)


@pytest.mark.parametrize("cell, name", [(c, n) for c, n in ALL if "lengths" in options_of(c, n)])
def test_padding_and_what_follows_it_is_never_read(isa, cell, name):
    drawn = scaled(cell, 20, 6, 7, 35, options_of(cell, name))
    wanted, _ = both(c_recurrent, cell, drawn)
    padding = np.arange(6) >= drawn[4].lengths[:, None]
    drawn[0][padding] = drawn[5][padding] = np.nan
    for zone in drawn[4][3:5]:
        if zone is not None and zone.shape[0] > 1:
            zone[padding] = np.nan
    results, _ = both(c_recurrent, cell, drawn)
    assert_same_bits(results, wanted)
    assert not any(results[name][padding].any() for name in ("y", "dx", "norm"))


@pytest.mark.parametrize("cell", CELLS)
def test_nan_in_one_row_stays_in_it(isa, cell):
    drawn = scaled(cell, 20, 6, 7, 35, options_of(cell, "everything"))
    own = ("y", "dx", "norm", "h", "c", "dh0", "dc0")
    wanted, _ = both(c_recurrent, cell, drawn)
    drawn[0][4] = drawn[5][4] = np.nan
    results, _ = both(c_recurrent, cell, drawn)
    rest = np.arange(20) != 4
    assert_same_bits(*({k: r[k][rest] for k in own if k in r} for r in (results, wanted)))
    assert np.isnan(results["dw_ih"]).any()


# the process around the kernels


@pytest.mark.parametrize("threads", [1, 2])
def test_denormals_are_flushed_inside_and_survive_outside(isa, threads):
    """An h that halves at every step is no denormal at any, and 0 at last; gradients likewise."""
    c.set_num_threads(threads)
    B, T, H = 8, 300, 64
    half = np.eye(H, dtype=np.float32) / 2
    weights = Weights(np.zeros((H, 1), np.float32), half)
    one = np.ones((B, H), np.float32)
    x, dy = np.zeros((B, T, 1), np.float32), np.zeros((B, T, H), np.float32)
    drawn = x, one, None, weights, Run(), dy, one, None
    results, _ = both(c_recurrent, "rnn_relu", drawn)
    tiny = np.array([1e-40], np.float32)
    assert (tiny * np.float32(0.5))[0] > 0
    assert c.tanh(tiny)[0] == tiny[0]
    steps = np.arange(1, T + 1)
    halved = np.where(steps <= 126, 0.5**steps, 0)
    np.testing.assert_array_equal(results["y"], np.broadcast_to(halved[:, None], (B, T, H)))
    backward = both(c_recurrent, "rnn_relu", (x, one, None, weights, Run(every=100), dy, one, None))
    assert_same_bits(backward[0], results)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_gets_the_same_bits_and_does_not_hang():
    drawn = scaled("lstm", 9, 11, 31, 100, {"lengths": True})
    c.set_num_threads(2)
    wanted, _ = both(c_recurrent, "lstm", drawn)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            assert_same_bits(both(c_recurrent, "lstm", drawn)[0], wanted)
            code = 0
        finally:
            os._exit(code)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.parametrize("name", ["plain", "everything", "checkpoints"])
def test_threads_of_python_that_call_at_once_get_the_same_bits(name):
    """All but one find the other threads taken and do alone what was planned for three."""
    problems = {cell: scaled(cell, 9, 11, 31, 100, options_of(cell, name)) for cell in CELLS}
    c.set_num_threads(3)
    wanted = {cell: both(c_recurrent, cell, drawn)[0] for cell, drawn in problems.items()}

    def one(cell):
        assert_same_bits(both(c_recurrent, cell, problems[cell], True)[0], wanted[cell])

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(one, CELLS * 8))
