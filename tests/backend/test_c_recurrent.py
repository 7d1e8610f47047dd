"""The recurrent kernels in C, on every instruction set there is: against NumPy in float64, and with
arrays of every layout and size."""

import os
import subprocess
import sys
from functools import cache

import numpy as np
import pytest

from tests.recurrent import CELLS
from tests.recurrent_kernels import (
    ALL,
    assert_close,
    assert_same_bits,
    both,
    forward,
    kept,
    mapped,
    options_of,
    scaled,
    wide,
)
from tinyseq.backend import numpy_recurrent
from tinyseq.backend.recurrent import Run, Wanted

c = pytest.importorskip("tinyseq.backend.c_kernels", reason="the C extension is not built")
c_recurrent = pytest.importorskip("tinyseq.backend.c_recurrent")


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
    got = c_recurrent.recurrent_backward(cell, dy, dh, dc, *arguments, y, saved, Wanted())
    wanted = both(c_recurrent, cell, drawn)[0]
    for name, a in (("dx", got[0]), ("dh0", got[1]), ("dw_hh", got[3].w_hh)):
        np.testing.assert_allclose(a, wanted[name], rtol=0, atol=1e-4)


@pytest.mark.parametrize("kernels", [c_recurrent, numpy_recurrent])
@pytest.mark.parametrize("T", [1, 4])
@pytest.mark.parametrize("name", ["plain", "everything", "everything, checkpoints"])
@pytest.mark.parametrize("cell", CELLS)
def test_what_is_not_wanted_is_left_out_and_the_rest_the_same(kernels, cell, name, T):
    drawn = scaled(cell, 5, T, 7, 20, options_of(cell, name))
    whole, _ = both(kernels, cell, drawn)
    for x, state in ((False, True), (True, False), (False, False)):
        results, _ = both(kernels, cell, drawn, x=x, state=state)
        left_out = {"dx": not x, "dh0": not state, "dc0": not state}
        rest = {key: a for key, a in whole.items() if not left_out.get(key)}
        assert_same_bits(results, rest)


def test_float64_is_served_in_float64():
    drawn = wide(scaled("lstm", 2, 3, 4, 5, {}))
    got, wanted = (both(k, "lstm", drawn)[0] for k in (c_recurrent, numpy_recurrent))
    assert_same_bits(got, wanted)
    assert {a.dtype for a in got.values()} == {np.dtype(np.float64)}


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
            cell, dy, dh, dc, *arguments, change(y), mapped(change, saved), Wanted(norm=True)
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


OUT_OF_MEMORY = """
import ctypes
import resource
import numpy as np
from tinyseq.backend import c_recurrent
from tinyseq.backend.recurrent import Run, Wanted, Weights

def space():
    return int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()

def zeros(*shape):
    return np.zeros(shape, np.float32)

# glibc keeps freed memory for the next attempt, which would then have more than this one
give_back = getattr(ctypes.CDLL(None), "malloc_trim", lambda pad: None)

x, h, weights = zeros(4, 200000, 1), zeros(4, 16), Weights(zeros(64, 1), zeros(64, 16))
arguments = "lstm", x, h, h, weights, Run(every=100000)
y, _, _, saved = c_recurrent.recurrent_forward(*arguments, True)
sizes = []
for attempt in range(20):  # 500 MB are wanted, and 100 there
    resource.setrlimit(resource.RLIMIT_AS, (space() + (100 << 20), -1))
    try:
        c_recurrent.recurrent_backward("lstm", y, h, h, *arguments[1:], y, saved, Wanted())
    except MemoryError as error:
        print(error)
    resource.setrlimit(resource.RLIMIT_AS, (-1, -1))
    give_back(0)
    sizes.append(space())  # the first attempt makes the C library reserve some
assert sizes[-1] < sizes[0] + (1 << 20), sizes
c_recurrent.recurrent_backward("lstm", y, h, h, *arguments[1:], y, saved, Wanted())
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
        assert c_recurrent.lib.ts_recurrent_forward(1, run) == c_recurrent.lib.TS_NO_MEMORY
        assert (
            c_recurrent.lib.ts_recurrent_backward(1, run, gradients) == c_recurrent.lib.TS_NO_MEMORY
        )
