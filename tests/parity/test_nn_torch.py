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
    theirs = getattr(torch.nn, name)(*args, **kwargs).to(getattr(torch, np.dtype(dtype).name))
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
