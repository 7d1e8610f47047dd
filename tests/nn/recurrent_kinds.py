"""Recurrent layers in every variant, and how to look at what they draw."""

from contextlib import contextmanager

import numpy as np
import pytest

import tinyseq as ts
from tinyseq import nn

KINDS = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}
VARIANTS = {
    "rnn": (nn.RNN, {}),
    "rnn, relu": (nn.RNN, {"nonlinearity": "relu"}),
    "rnn, layer norm": (nn.RNN, {"layer_norm": True}),
    "lstm": (nn.LSTM, {}),
    "lstm, peepholes": (nn.LSTM, {"peephole": True}),
    "lstm, projection": (nn.LSTM, {"proj_size": 2}),
    "lstm, layer norm": (nn.LSTM, {"layer_norm": True}),
    "lstm, all": (nn.LSTM, {"layer_norm": True, "peephole": True, "proj_size": 2}),
    "gru": (nn.GRU, {}),
    "gru, reset before": (nn.GRU, {"reset_after": False}),
    "gru, layer norm": (nn.GRU, {"layer_norm": True}),
    "gru, reset before, layer norm": (nn.GRU, {"reset_after": False, "layer_norm": True}),
}


def randn(*shape, seed=0, dtype=np.float32):
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def make(variant, input_size=4, hidden_size=5, num_layers=1, dtype=np.float32, **options):
    kind, own = VARIANTS[variant]
    return kind(input_size, hidden_size, num_layers, **(own | options)).to(dtype)


def states_of(layer, B, seed=0):
    """Random first states in the form that the layer takes, and as a tuple."""
    runs = layer.num_layers * (2 if layer.bidirectional else 1)
    rng, dtype = np.random.default_rng(seed), layer.weight_ih_l0.dtype
    sizes = [getattr(layer, "proj_size", 0) or layer.hidden_size, layer.hidden_size]
    many = len(sizes) if isinstance(layer, nn.LSTM) else 1
    states = tuple(
        ts.tensor(rng.normal(size=(runs, B, size)).astype(dtype), requires_grad=True)
        for size in sizes[:many]
    )
    return (states if many == 2 else states[0]), states


def results(layer, *args, **kwargs):
    """y and the last states in one flat tuple."""
    y, after, *_ = layer(*args, **kwargs)
    return (y, *after) if isinstance(after, tuple) else (y, after)


@contextmanager
def looking(layer, see):
    """Inside, see(call) is called with every Call that the layer prepares."""
    inner = layer._prepare

    def prepare(*args):
        call = inner(*args)
        see(call)
        return call

    layer._prepare = prepare
    try:
        yield
    finally:
        del layer._prepare


def run_and_look(layer, *args, **kwargs):
    """The results, and the mask and zones of each layer and direction, spread over the time."""
    seen, (B, T, _) = [], args[0].shape

    def see(call):
        run = call.params["run"]
        drawn = {n: getattr(run, n) for n in ("mask", "zone_h", "zone_c")}
        seen.append(
            {
                n: a if n == "mask" else np.broadcast_to(a, (B, T, a.shape[2]))
                for n, a in drawn.items()
                if a is not None
            }
        )

    with looking(layer, see):
        return results(layer, *args, **kwargs), seen


def gradients(layer, outputs, *inputs):
    """Of a weighted sum of the outputs, by the inputs and every parameter."""
    loss = sum(
        (y * ts.tensor(randn(*y.shape, seed=i, dtype=y.dtype))).sum() for i, y in enumerate(outputs)
    )
    return ts.grad(loss, [*inputs, *layer.parameters()])


on_c = pytest.mark.skipif(
    ts.backend.info()["kernels"]["recurrent_forward"] != "c", reason="the C kernels' promise"
)


def same(got, wanted, exact):
    for a, b in zip(got, wanted, strict=True):
        if exact:
            np.testing.assert_array_equal(a.data, b.data)
        else:
            np.testing.assert_allclose(a.data, b.data, rtol=1e-9, atol=1e-11)


# float32 in C: the same bits. float64, in NumPy: but for rounding.
EXACT = [False, pytest.param(True, marks=on_c)]
