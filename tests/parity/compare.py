"""The same function by tinyseq and by PyTorch: values, gradients, and gradients of gradients."""

import numpy as np
import torch

import tinyseq as ts
from tinyseq.autograd import Tensor


def listed(results):
    return list(results) if isinstance(results, tuple | list) else [results]


def weights(shape, seed):
    return np.random.default_rng(seed).uniform(0.5, 1.5, shape)


def gradients(module, results, inputs, seed):
    """Of the results, each element weighted; zeros for an input without any."""
    wrap = torch.tensor if module is torch else Tensor
    grad = torch.autograd.grad if module is torch else ts.grad
    used = [y for y in results if y.requires_grad]
    zeros = torch.zeros_like if module is torch else ts.zeros_like
    if not used:
        return [zeros(x) for x in inputs]
    outer = [wrap(weights(tuple(y.shape), seed)) for y in used]
    found = grad(used, inputs, outer, create_graph=True, allow_unused=True)
    return [zeros(x) if g is None else g for x, g in zip(inputs, found, strict=True)]


def compare(ours, theirs, args, order=2, rtol=1e-10, atol=1e-12):
    """Assert that both give the same, NaN and infinities included, up to a derivative's order."""
    inputs = [Tensor(np.array(a, np.float64), requires_grad=True) for a in args]
    others = [torch.tensor(np.array(a, np.float64), requires_grad=True) for a in args]
    results, wanted = listed(ours(*inputs)), listed(theirs(*others))
    for now in range(order + 1):
        assert len(results) == len(wanted)
        for y, o in zip(results, wanted, strict=True):
            o = o.numpy(force=True)
            assert y.shape == o.shape
            assert y.data.dtype == o.dtype, f"{y.data.dtype} instead of {o.dtype}"
            np.testing.assert_allclose(y.data, o, rtol=rtol, atol=atol, err_msg=f"derivative {now}")
        if now < order:
            results = gradients(ts, results, inputs, now)
            wanted = gradients(torch, wanted, others, now)
