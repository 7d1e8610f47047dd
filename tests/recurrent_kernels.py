"""For the tests of the recurrent kernels in C: the variants they go through, and comparisons."""

import numpy as np

from tests.recurrent import CELLS, problem
from tinyseq.backend.recurrent import Wanted

__all__ = [
    "ALL", "assert_close", "assert_same_bits", "both", "forward", "kept", "mapped", "options_of",
    "scaled", "wide",
]  # fmt: skip

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


def both(kernels, cell, problem, want_norm=True, **wanted):
    """By name all that forward and backward give, what is saved apart."""
    *arguments, dy, dh, dc = problem
    y, h, last_c, saved = kernels.recurrent_forward(cell, *arguments, True)
    dx, dh0, dc0, dweights, norm = kernels.recurrent_backward(
        cell, dy, dh, dc, *arguments, y, saved, Wanted(norm=want_norm, **wanted)
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
