"""The recurrent kernels in C, on every instruction set there is: against NumPy in float64, and the
bits that must not change."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from itertools import pairwise

import numpy as np
import pytest

from tests.recurrent import CELLS, problem
from tinyseq.backend import numpy_recurrent
from tinyseq.backend.recurrent import Run, Weights

c = pytest.importorskip("tinyseq.backend.c_kernels", reason="the C extension is not built")
c_recurrent = pytest.importorskip("tinyseq.backend.c_recurrent")

FUSED = [isa for isa in c.isas() if isa != "scalar"]  # those with a fused multiply-add

EVERYTHING = {"norm": True, "mask": True, "zone": (1, 1), "lengths": True, "reverse": True}
VARIANTS = {
    "plain": {},
    "no bias": {"bias": False, "reverse": True},
    "lengths": {"lengths": True},
    "dropout": {"mask": True, "zone": "whole", "lengths": True, "reverse": True},
    "checkpoints": {"lengths": True, "every": 3, "mask": True},
    "norm": {"norm": True, "lengths": True, "bias": False},
    "everything": EVERYTHING,
    "everything, checkpoints": EVERYTHING | {"every": 2},
}
OF_LSTM = {
    "peephole": {"peephole": True, "lengths": True, "zone": "whole"},
    "projection": {"peephole": True, "lengths": True, "reverse": True, "every": 3},
}
ALL = [(cell, name) for cell in CELLS for name in VARIANTS] + [("lstm", name) for name in OF_LSTM]


def scaled(cell, B, T, D, H, options, seed=0):
    """A problem in float32, its weights scaled as a layer's are, so that no rounding error grows;
    and gradients of y, the last h and the last c."""
    options = dict(options)
    random = np.random.default_rng(seed)
    if options.pop("lengths", False):  # the longest and none at all are among them
        options["lengths"] = np.concatenate(([T, 0], random.integers(0, T + 1, B)))[:B]
    if options.get("zone") == "whole":
        options["zone"] = (B, T)
    x, h0, c0, w, run = problem(cell, B, T, D, H, **options, seed=seed, dtype=np.float32)

    def divided(a):
        return a if a is None else a / np.float32(max(a.shape[1], 1) ** 0.5)

    w = w._replace(w_ih=divided(w.w_ih), w_hh=divided(w.w_hh), w_hr=divided(w.w_hr))
    shapes = (B, T, h0.shape[1]), h0.shape, None if c0 is None else c0.shape
    given = [None if s is None else random.standard_normal(s, np.float32) for s in shapes]
    return x, h0, c0, w, run, *given


def options_of(cell, name):
    """Of a variant; everything that the cell has goes into the last ones of VARIANTS."""
    if name in OF_LSTM:
        return OF_LSTM[name] | ({"P": 11} if name == "projection" else {})
    extra = {"P": 11, "peephole": True} if cell == "lstm" and "everything" in name else {}
    return VARIANTS[name] | extra


def mapped(change, value):
    """The same with every array changed."""
    if isinstance(value, tuple):
        values = [mapped(change, v) for v in value]
        return type(value)(*values) if hasattr(value, "_fields") else tuple(values)
    return change(value) if isinstance(value, np.ndarray) else value


def wide(drawn):
    """The same in float64."""
    return mapped(lambda a: a.astype(np.float64) if a.dtype == np.float32 else a, drawn)


def forward(kernels, cell, problem, keep=True):
    return kernels.recurrent_forward(cell, *problem[:5], keep)


def both(kernels, cell, problem, want_norm=True):
    """By name all that forward and backward give, what is saved apart."""
    *arguments, dy, dh, dc = problem
    y, h, last_c, saved = kernels.recurrent_forward(cell, *arguments, True)
    dx, dh0, dc0, dweights, norm = kernels.recurrent_backward(
        cell, dy, dh, dc, *arguments, y, saved, want_norm
    )
    named = {"y": y, "h": h, "c": last_c, "dx": dx, "dh0": dh0, "dc0": dc0, "norm": norm}
    named |= {f"d{name}": g for name, g in dweights._asdict().items()}
    return {name: a for name, a in named.items() if a is not None}, saved


def assert_close(got, wanted, tolerance):
    assert got.keys() == wanted.keys()
    for name, b in wanted.items():
        a = got[name]
        assert a.shape == b.shape and a.dtype == np.float32, name
        scale = 1 + np.abs(b).max(initial=0)
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance * scale, err_msg=name)


def assert_same_bits(got, wanted):
    assert got.keys() == wanted.keys()
    different = [
        name for name, b in wanted.items()
        if got[name].shape != b.shape or got[name].tobytes() != b.tobytes()
    ]  # fmt: skip
    assert not different


def kept(saved):
    return {name: a for name, a in saved._asdict().items() if a is not None}


# against NumPy


@cache
def truth(cell, name):
    return both(numpy_recurrent, cell, wide(scaled(cell, 5, 6, 7, 35, options_of(cell, name))))


@pytest.mark.parametrize("cell, name", ALL)
def test_every_variant(isa, cell, name):
    results, saved = both(c_recurrent, cell, scaled(cell, 5, 6, 7, 35, options_of(cell, name)))
    wanted, wanted_saved = truth(cell, name)
    assert_close(results, wanted, 2e-5)
    assert_close(kept(saved), kept(wanted_saved), 2e-5)


SIZES = [  # B, T, D, H
    (0, 3, 4, 5), (1, 1, 1, 1), (1, 9, 3, 7), (2, 1, 40, 129), (3, 0, 4, 5), (3, 13, 1, 100),
    (20, 5, 33, 64), (20, 30, 17, 129), (3, 1000, 3, 5), (600, 2, 0, 3),
]  # fmt: skip


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("cell", CELLS)
def test_every_size(isa, cell, size):
    c.set_num_threads(3)
    options = {"lengths": True, "every": 4 if size[0] == 20 else 0, "reverse": True}
    drawn = scaled(cell, *size, options)
    assert_close(
        both(c_recurrent, cell, drawn)[0], both(numpy_recurrent, cell, wide(drawn))[0], 2e-5
    )


@pytest.mark.parametrize("lengths", [False, True])
@pytest.mark.parametrize("cell", CELLS)
def test_no_unit_at_all_or_no_step(isa, cell, lengths):
    for B, T, D, H in ((2, 3, 4, 0), (0, 0, 3, 2), (0, 3, 3, 2)):
        options = {"lengths": lengths} | ({"P": 2} if cell == "lstm" else {})
        drawn = scaled(cell, B, T, D, H, options)
        results, _ = both(c_recurrent, cell, drawn)
        assert_close(results, both(numpy_recurrent, cell, wide(drawn))[0], 1e-6)
    *arguments, dy, dh, dc = scaled(cell, 3, 4, 5, 6, {})
    arguments[-1] = Run(np.zeros(3, np.int64))
    results, _ = both(c_recurrent, cell, (*arguments, dy, dh, dc))
    np.testing.assert_array_equal(results["h"], arguments[1])
    np.testing.assert_array_equal(results["dh0"], dh)
    assert not any(results[name].any() for name in results if name not in ("h", "c", "dh0", "dc0"))


@pytest.mark.parametrize("cell", CELLS)
def test_backward_reads_what_numpy_has_saved(cell):
    drawn = scaled(cell, 5, 6, 7, 20, options_of(cell, "everything"))
    *arguments, dy, dh, dc = drawn
    y, _, _, saved = forward(numpy_recurrent, cell, drawn)
    got = c_recurrent.recurrent_backward(cell, dy, dh, dc, *arguments, y, saved, False)
    wanted = both(c_recurrent, cell, drawn)[0]
    for name, a in (("dx", got[0]), ("dh0", got[1]), ("dw_hh", got[3].w_hh)):
        np.testing.assert_allclose(a, wanted[name], rtol=0, atol=1e-4)


def test_float64_is_served_in_float64():
    drawn = wide(scaled("lstm", 2, 3, 4, 5, {}))
    got, wanted = (both(k, "lstm", drawn)[0] for k in (c_recurrent, numpy_recurrent))
    assert_same_bits(got, wanted)
    assert {a.dtype for a in got.values()} == {np.dtype(np.float64)}


# the same bits


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
    """Not even where a block of 512 rows of a weight gradient's sum lies across several."""
    for size in ((5, 7, 6, 20), (40, 30, 3, 2)):
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
    for B in (1, 4):
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


# arrays as they come


@pytest.mark.parametrize("cell", CELLS)
def test_every_layout_of_the_arguments(isa, cell):
    drawn = scaled(cell, 5, 6, 7, 20, options_of(cell, "everything"))
    wanted, _ = both(c_recurrent, cell, drawn)

    def misaligned(a):
        copy = np.frombuffer(b"x" + a.tobytes(), np.uint8)[1:].view(a.dtype)
        return copy.reshape(a.shape)

    def backwards(a):
        return np.flip(np.flip(a).copy())

    def scattered(a):
        big = np.full((*a.shape[:-1], 2 * a.shape[-1]), 9, a.dtype)
        big[..., ::2] = a
        return big[..., ::2]

    def read_only(a):
        copy = a.copy()
        copy.flags.writeable = False
        return copy

    for change in (misaligned, backwards, scattered, np.asfortranarray, read_only):
        *arguments, dy, dh, dc = mapped(change, drawn)
        y, h, last_c, saved = c_recurrent.recurrent_forward(cell, *arguments, True)
        dx, dh0, _, dweights, norm = c_recurrent.recurrent_backward(
            cell, dy, dh, dc, *arguments, change(y), mapped(change, saved), True
        )
        results = {"y": y, "h": h, "dx": dx, "dh0": dh0, "dw_hh": dweights.w_hh, "norm": norm}
        assert_same_bits(results, {k: wanted[k] for k in results})
        assert last_c is None or last_c.tobytes() == wanted["c"].tobytes()


@pytest.mark.parametrize("dtype", [np.int32, np.uint8, np.dtype(">i8")])
def test_lengths_of_any_whole_numbers(dtype):
    drawn = scaled("gru", 5, 6, 7, 20, {"lengths": True})
    wanted, _ = both(c_recurrent, "gru", drawn)
    run = drawn[4]._replace(lengths=drawn[4].lengths.astype(dtype))
    assert_same_bits(both(c_recurrent, "gru", (*drawn[:4], run, *drawn[5:]))[0], wanted)


@pytest.mark.parametrize("cell", CELLS)
def test_no_argument_is_changed(isa, cell):
    drawn = scaled(cell, 5, 6, 7, 20, options_of(cell, "everything, checkpoints"))
    arrays = [a for a in (*drawn, *drawn[3], *drawn[4]) if isinstance(a, np.ndarray)]
    before = [a.copy() for a in arrays]
    both(c_recurrent, cell, drawn)
    for a, b in zip(arrays, before, strict=True):
        np.testing.assert_array_equal(a, b)


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


OUT_OF_MEMORY = """
import resource
import numpy as np
from tinyseq.backend import c_recurrent
from tinyseq.backend.recurrent import Run, Weights

def space():
    return int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()

def zeros(*shape):
    return np.zeros(shape, np.float32)

x, h, weights = zeros(4, 200000, 1), zeros(4, 16), Weights(zeros(64, 1), zeros(64, 16))
arguments = "lstm", x, h, h, weights, Run(every=100000)
y, _, _, saved = c_recurrent.recurrent_forward(*arguments, True)
sizes = []
for attempt in range(20):  # 500 MB are wanted, and 100 there
    resource.setrlimit(resource.RLIMIT_AS, (space() + (100 << 20), -1))
    try:
        c_recurrent.recurrent_backward("lstm", y, h, h, *arguments[1:], y, saved, False)
    except MemoryError as error:
        print(error)
    resource.setrlimit(resource.RLIMIT_AS, (-1, -1))
    sizes.append(space())  # the first attempt makes the C library reserve some
assert sizes[-1] < sizes[0] + (1 << 20), sizes
c_recurrent.recurrent_backward("lstm", y, h, h, *arguments[1:], y, saved, False)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.skipif("libasan" in os.environ.get("LD_PRELOAD", ""), reason="ASan ends the process")
def test_no_memory_is_an_error_that_leaves_nothing_behind():
    done = subprocess.run(
        [sys.executable, "-c", OUT_OF_MEMORY], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == ["tinyseq: no memory for a kernel's scratch space"] * 20


@pytest.mark.parametrize("size", ["B", "T", "D", "H"])
def test_sizes_whose_products_would_overflow_are_refused_before_anything_is_read(isa, size):
    run = c_recurrent.ffi.new("ts_recurrent *", {"B": 1, "T": 1, "D": 1, "H": 1, "R": 1})
    gradients = c_recurrent.ffi.new("ts_recurrent_gradients *")
    for large in (1 << 45, (1 << 63) - 1):
        setattr(run, size, large)
        assert c_recurrent.lib.ts_recurrent_forward(run) == c_recurrent.lib.TS_NO_MEMORY
        assert c_recurrent.lib.ts_recurrent_backward(run, gradients) == c_recurrent.lib.TS_NO_MEMORY
