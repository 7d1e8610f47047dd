"""Layer norm and RMS norm beside PyTorch's: values and two derivatives, and float32."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
F = torch.nn.functional

from tests.parity.compare import compare  # noqa: E402
from tinyseq import nn, ops, tensor  # noqa: E402

random = np.random.default_rng(0)


@pytest.mark.parametrize(
    "shape, size", [((4, 7), (7,)), ((2, 3, 5), (3, 5)), ((1, 1), (1,)), ((0, 3), (3,))]
)
@pytest.mark.parametrize("affine", [0, 1, 2])
@pytest.mark.parametrize("eps", [1e-5, 0.3])
def test_layer_norm(shape, size, affine, eps):
    arrays = [random.standard_normal(shape), *random.standard_normal((2, *size))][: affine + 1]
    compare(
        lambda x, *wb: ops.layer_norm(x, size, *wb, eps=eps),
        lambda x, *wb: F.layer_norm(x, size, *wb, eps=eps),
        arrays,
    )


@pytest.mark.parametrize("shape, size", [((4, 7), (7,)), ((2, 3, 5), (3, 5)), ((1, 1), (1,))])
@pytest.mark.parametrize("affine", [0, 1])
@pytest.mark.parametrize("eps", [None, 0.3])
def test_rms_norm(shape, size, affine, eps):
    arrays = [random.standard_normal(shape), random.standard_normal(size)][: affine + 1]
    compare(
        lambda x, *w: ops.rms_norm(x, size, *w, eps=eps),
        lambda x, *w: F.rms_norm(x, size, *w, eps=eps),
        arrays,
    )


@pytest.mark.parametrize("activation", ["gelu", "gelu_tanh"])
@pytest.mark.parametrize("bias", [True, False])
def test_linear_with_gelu(activation, bias):
    arrays = [random.standard_normal(s) for s in ((2, 3, 5), (4, 5), (4,))][: 2 + bias]
    kind = "none" if activation == "gelu" else "tanh"
    compare(
        lambda x, w, b=None: ops.linear(x, w, b, activation),
        lambda x, w, b=None: F.gelu(F.linear(x, w, b), approximate=kind),
        arrays,
    )


@pytest.mark.parametrize("width", [1, 7, 129, 1000])
@pytest.mark.parametrize("kind", ["LayerNorm", "RMSNorm"])
def test_layers_load_and_agree_in_float32(kind, width):
    theirs = getattr(torch.nn, kind)(width)
    with torch.no_grad():
        for p in theirs.parameters():
            p.copy_(torch.from_numpy(random.standard_normal(p.shape)))
    ours = getattr(nn, kind)(width)
    ours.load_state_dict({name: p.detach().numpy() for name, p in theirs.named_parameters()})
    x = random.standard_normal((3, 20, width)).astype(np.float32)
    g = random.standard_normal(x.shape).astype(np.float32)
    t = torch.from_numpy(x).requires_grad_()
    theirs(t).backward(torch.from_numpy(g))
    s = tensor(x, requires_grad=True)
    y = ours(s)
    y.backward(tensor(g))
    np.testing.assert_allclose(y.data, theirs(t).detach().numpy(), rtol=1e-5, atol=1e-5)
    # With a single element 1/sqrt(0 + eps), some 300, multiplies what rounding leaves of 0.
    scale = 300 if width == 1 else 1
    np.testing.assert_allclose(s.grad.data, t.grad.numpy(), rtol=1e-4, atol=2e-6 * scale)
    for name, p in theirs.named_parameters():
        mine = dict(ours.named_parameters())[name]
        np.testing.assert_allclose(mine.grad.data, p.grad.numpy(), rtol=1e-4, atol=1e-4)
