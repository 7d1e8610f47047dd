"""Layers one step after another, by the NumPy kernels and by those in C."""

import numpy as np
import pytest

from tests.recurrent import CELLS
from tests.recurrent_kernels import ALL, mapped, options_of, scaled
from tinyseq.backend import numpy_recurrent
from tinyseq.backend.recurrent import Run

c_recurrent = pytest.importorskip("tinyseq.backend.c_recurrent")

PLAIN = [(cell, name) for cell, name in ALL if name in ("plain", "no bias", "norm", "everything")]


def two_layers(cell, name, H=19, dtype=np.float32):
    """The weights, the states before, and x (B, T, D)."""
    options = options_of(cell, name) | {"lengths": False, "mask": False, "zone": None, "every": 0}
    x, h, c, below, *_ = scaled(cell, 3, 4, 7, H, options)
    R = h.shape[1]
    _, h_above, c_above, above, *_ = scaled(cell, 3, 4, R, H, options, seed=1)
    states = np.stack([h, h_above]), None if c is None else np.stack([c, c_above])
    return mapped(lambda a: a.astype(dtype), ((below, above), *states, x))


def stepped(step, h, c, x):
    """The last h, the last c, and the top layer's h at every step."""
    ys = []
    for t in range(x.shape[1]):
        h, c = step(x[:, t], h, c)
        ys.append(h[-1].copy())
    return h, c, np.stack(ys, 1)


def whole(kernels, cell, layers, h, c, x):
    """The same by the kernel for sequences."""
    ends = []
    for k, weights in enumerate(layers):
        c0 = None if c is None else c[k]
        x, *after, _ = kernels.recurrent_forward(cell, x, h[k], c0, weights, Run(), False)
        ends.append(after)
    hs, cs = zip(*ends, strict=True)
    return np.stack(hs), None if c is None else np.stack(cs), x


def assert_same(got, wanted):
    for a, b in zip(got, wanted, strict=True):
        assert (a is None) == (b is None)
        assert a is None or (a.dtype == b.dtype and a.tobytes() == b.tobytes())


@pytest.mark.parametrize("cell, name", PLAIN)
def test_in_c_the_bits_are_those_of_the_sequence(isa, cell, name):
    layers, *given = two_layers(cell, name)
    got = stepped(c_recurrent.recurrent_stepper(cell, layers), *given)
    assert_same(got, whole(c_recurrent, cell, layers, *given))


@pytest.mark.parametrize("dtype, tolerance", [(np.float64, 1e-12), (np.float32, 2e-5)])
@pytest.mark.parametrize("cell, name", PLAIN)
def test_against_numpy(cell, name, dtype, tolerance):
    layers, *given = two_layers(cell, name, dtype=dtype)
    wanted = whole(numpy_recurrent, cell, layers, *given)
    for kernels in (numpy_recurrent, c_recurrent):
        got = stepped(kernels.recurrent_stepper(cell, layers), *given)
        for a, b in zip(got, wanted, strict=True):
            assert (a is None) == (b is None)
            if a is not None:
                assert a.dtype == dtype
                np.testing.assert_allclose(a, b, rtol=0, atol=tolerance)


@pytest.mark.parametrize("cell", CELLS)
def test_arrays_of_any_layout(cell):
    layers, *given = two_layers(cell, "plain")
    wanted = whole(c_recurrent, cell, layers, *given)
    for weights in (layers, mapped(np.asfortranarray, layers)):
        step = c_recurrent.recurrent_stepper(cell, weights)
        assert_same(stepped(step, *mapped(np.asfortranarray, tuple(given))), wanted)


@pytest.mark.parametrize("kernels", [numpy_recurrent, c_recurrent])
@pytest.mark.parametrize("change", [np.array, np.asfortranarray])
def test_weights_changed_in_place_are_seen_and_arguments_left_alone(kernels, change):
    layers, h, c, x = two_layers("lstm", "plain")
    layers = mapped(change, layers)
    step = kernels.recurrent_stepper("lstm", layers)
    before = step(x[:, 0], h, c)
    given = [a.copy() for a in (x, h, c)]
    layers[0].w_ih[:] = 0
    assert_same(step(x[:, 0], h, c), kernels.recurrent_stepper("lstm", layers)(x[:, 0], h, c))
    assert (step(x[:, 0], h, c)[0] != before[0]).any()
    assert_same((x, h, c), given)


@pytest.mark.parametrize("cell", CELLS)
def test_no_rows(cell):
    layers, h, c, x = two_layers(cell, "plain")
    for kernels in (numpy_recurrent, c_recurrent):
        c0 = None if c is None else c[:, :0]
        h_after, c_after = kernels.recurrent_stepper(cell, layers)(x[:0, 0], h[:, :0], c0)
        assert h_after.shape == (2, 0, 19)
        assert c_after is None if c is None else c_after.shape == (2, 0, 19)
