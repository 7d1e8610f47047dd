"""What differs from PyTorch on purpose: both sides of the table in docs/autograd.md."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
F = torch.nn.functional

import tinyseq as ts  # noqa: E402
from tinyseq import ops  # noqa: E402

inf, nan = np.inf, np.nan


def run(module, function, args):
    """The value and the gradient with respect to each argument."""
    inputs = [module.tensor(np.array(a, np.float32)).requires_grad_() for a in args]
    y = function(*inputs)
    grad = ts.grad if module is ts else torch.autograd.grad
    gradients = grad(y.sum(), inputs) if y.requires_grad else ()
    return [x.detach().numpy().tolist() for x in (y, *gradients)]


@pytest.mark.parametrize(
    "ours, theirs, args, here, there",
    [
        (ops.sign, torch.sign, [nan], [nan, 0], [0, 0]),
        (ops.abs, torch.abs, [nan], [nan, nan], [nan, 0]),
        (
            lambda x: ops.amax(x, 0),
            lambda x: torch.amax(x, 0),
            [[nan, 1.0]],
            [nan, [1, 0]],
            [nan, [nan, nan]],
        ),
        (ops.prod, torch.prod, [[inf, 2.0]], [inf, [2, inf]], [inf, [nan, inf]]),
        (
            lambda x: ops.logsumexp(x, 0),
            lambda x: torch.logsumexp(x, 0),
            [[1e30, 1e30]],
            [np.float32(1e30), [0.5, 0.5]],
            [np.float32(1e30), [1, 1]],
        ),
        (ops.clamp, torch.clamp, [-1.0, 0.0, 0.0], [0, 0, 1, 0], [0, 0, 0, 0]),
        (
            lambda x, t: ops.kl_div(x, t, "sum"),
            lambda x, t: F.kl_div(x, t, reduction="sum"),
            [[0.0], [0.0]],
            [0, [0], [0]],
            [0, [0], [nan]],
        ),
        (
            lambda x: ops.cross_entropy(x, 0),
            lambda x: F.cross_entropy(x, torch.tensor(0)),
            [[1.0, inf]],
            [inf, [-1, nan]],
            [nan, [nan, nan]],
        ),
        (ops.floor, torch.floor, [1.5], [1], [1, 0]),
    ],
)
def test_on_purpose(ours, theirs, args, here, there):
    for module, function, wanted in ((ts, ours, here), (torch, theirs, there)):
        for got, other in zip(run(module, function, args), wanted, strict=True):
            np.testing.assert_array_equal(got, other)
