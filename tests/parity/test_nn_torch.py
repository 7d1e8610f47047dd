"""Layers beside PyTorch's under the same weights: values and every gradient."""

import numpy as np
import pytest

import tinyseq as ts
from tinyseq import nn

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

DTYPES = {"float32": (np.float32, 2e-5), "float64": (np.float64, 1e-11)}


def close(ours, theirs, tolerance):
    theirs = theirs.detach().numpy()
    assert ours.shape == theirs.shape and ours.dtype == theirs.dtype
    scale = max(1.0, np.abs(theirs).max(initial=0.0))
    np.testing.assert_allclose(ours.data, theirs, rtol=tolerance, atol=tolerance * scale)


def pair(name, dtype, *args, **kwargs):
    """Our layer and PyTorch's with the same weights."""
    ours = getattr(nn, name)(*args, **kwargs).to(dtype)
    more = dict(kwargs, batch_first=True) if name in ("RNN", "LSTM", "GRU") else kwargs
    theirs = getattr(torch.nn, name)(*args, **more).to(getattr(torch, np.dtype(dtype).name))
    ours.load_state_dict(theirs.state_dict())
    return ours, theirs


def both(array):
    return ts.tensor(array, requires_grad=True), torch.tensor(array, requires_grad=True)


def compare_parameter_gradients(ours, theirs, tolerance):
    gradients = {name: p.grad for name, p in theirs.named_parameters()}
    assert {name for name, _ in ours.named_parameters()} == set(gradients)
    for name, p in ours.named_parameters():
        close(p.grad, gradients[name], tolerance)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(7,), (5, 7), (2, 3, 7)])
def test_linear(dtype, bias, shape):
    dtype, tolerance = DTYPES[dtype]
    ours, theirs = pair("Linear", dtype, 7, 4, bias=bias)
    x, xt = both(np.random.default_rng(0).normal(size=shape).astype(dtype))
    y, yt = ours(x), theirs(xt)
    close(y, yt, tolerance)
    (y * y).sum().backward()
    (yt * yt).sum().backward()
    close(x.grad, xt.grad, tolerance)
    compare_parameter_gradients(ours, theirs, tolerance)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("padding_idx", [None, 2])
def test_embedding(dtype, padding_idx):
    dtype, tolerance = DTYPES[dtype]
    ours, theirs = pair("Embedding", dtype, 11, 6, padding_idx=padding_idx)
    index = np.random.default_rng(0).integers(0, 11, (4, 9))
    y, yt = ours(ts.tensor(index)), theirs(torch.tensor(index))
    close(y, yt, 0.0)
    (y * y * y).sum().backward()
    (yt * yt * yt).sum().backward()
    compare_parameter_gradients(ours, theirs, tolerance)


RECURRENT = [("RNN", {}), ("RNN", {"nonlinearity": "relu"}), ("LSTM", {}), ("GRU", {})]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("with_state", [True, False])
@pytest.mark.parametrize(("name", "extra"), RECURRENT)
def test_recurrent_layers(name, extra, dtype, layers, bias, with_state):
    dtype, tolerance = DTYPES[dtype]
    B, T, D, H = 3, 8, 5, 17
    ours, theirs = pair(name, dtype, D, H, num_layers=layers, bias=bias, **extra)
    rng = np.random.default_rng(layers)
    x, xt = both(rng.normal(size=(B, T, D)).astype(dtype))
    h, ht = both(rng.normal(size=(layers, B, H)).astype(dtype))
    c, ct = both(rng.normal(size=(layers, B, H)).astype(dtype))
    if not with_state:
        state = state_t = None
    elif name == "LSTM":
        state, state_t = (h, c), (ht, ct)
    else:
        state, state_t = h, ht
    y, after = ours(x, state)
    yt, after_t = theirs(xt, state_t)
    outputs = (y, *after) if name == "LSTM" else (y, after)
    outputs_t = (yt, *after_t) if name == "LSTM" else (yt, after_t)
    loss, loss_t = 0.0, 0.0
    for output, output_t in zip(outputs, outputs_t, strict=True):
        close(output, output_t, tolerance)
        weight = rng.normal(size=output.shape).astype(dtype)
        loss = loss + (output * ts.tensor(weight)).sum()
        loss_t = loss_t + (output_t * torch.tensor(weight)).sum()
    loss.backward()
    loss_t.backward()
    close(x.grad, xt.grad, tolerance)
    if with_state:
        close(h.grad, ht.grad, tolerance)
        if name == "LSTM":
            close(c.grad, ct.grad, tolerance)
    compare_parameter_gradients(ours, theirs, tolerance)
