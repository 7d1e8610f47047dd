"""SwiGLU beside the same equation in PyTorch: values, and the gradients of x and all parameters."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
F = torch.nn.functional

from tinyseq import nn, tensor  # noqa: E402


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("sizes", [(1, 1), (7, 19), (40, 100)])
@pytest.mark.parametrize("bias", [True, False])
def test_swiglu(sizes, bias, dtype):
    random = np.random.default_rng(0)
    layer = nn.SwiGLU(*sizes, bias=bias)
    for p in layer.parameters():
        p.data = p.data.astype(dtype)
    theirs = {
        name: torch.tensor(p.data, requires_grad=True) for name, p in layer.named_parameters()
    }

    def linear(name, x):
        return F.linear(x, theirs[f"{name}.weight"], theirs.get(f"{name}.bias"))

    x, g = random.standard_normal((2, 2, 5, sizes[0])).astype(dtype)
    ours, other = tensor(x, requires_grad=True), torch.tensor(x, requires_grad=True)
    y = layer(ours)
    expected = linear("w2", F.silu(linear("w1", other)) * linear("w3", other))
    y.backward(tensor(g))
    expected.backward(torch.tensor(g))
    bound = 1e-5 if dtype == np.float32 else 1e-12
    pairs = [(y.data, expected.detach()), (ours.grad.data, other.grad)]
    pairs += [(p.grad.data, theirs[name].grad) for name, p in layer.named_parameters()]
    for mine, wanted in pairs:
        assert mine.dtype == dtype
        np.testing.assert_allclose(mine, wanted.numpy(), rtol=bound, atol=bound)
