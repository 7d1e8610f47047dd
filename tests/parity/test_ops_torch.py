"""Values and gradients of the ops beside PyTorch's, in float64, where they are least obvious."""

import numpy as np
import pytest

from tinyseq import ops
from tinyseq.autograd import Tensor

torch = pytest.importorskip("torch")
F = torch.nn.functional

random = np.random.default_rng(0)
X = random.standard_normal((3, 4))
Y = random.standard_normal((3, 1))
TIES = np.array([[1.0, 2.0, 2.0], [0.0, 0.0, 0.0], [3.0, -1.0, 3.0]])
SIGNED = np.array([-2.0, 0.0, 0.5, 3.0])
POSITIVE = np.array([0.0, 0.25, 4.0])
ROWS = np.array([[2, 0, 2], [1, 2, 2]])
TARGETS = np.array([1, -100, 3])

CASES = [
    ("div", ops.div, torch.div, [X, Y]),
    ("div by 0", ops.div, torch.div, [SIGNED, np.zeros(4)]),
    ("maximum", ops.maximum, torch.maximum, [X, Y]),
    ("maximum, ties", ops.maximum, torch.maximum, [TIES, np.full((1, 3), 2.0)]),
    ("minimum, ties", ops.minimum, torch.minimum, [TIES, np.zeros(1)]),
    ("amax, ties", lambda x: ops.amax(x, 1), lambda x: torch.amax(x, 1), [TIES]),
    ("amin, ties", lambda x: ops.amin(x, 0), lambda x: torch.amin(x, 0), [TIES]),
    ("max, ties", ops.amax, torch.max, [TIES]),
    ("square by pow", lambda x: x**2, lambda x: x**2, [SIGNED]),
    ("pow 0 at 0", lambda x: x**0, lambda x: x**0, [SIGNED]),
    ("pow 1 at 0", lambda x: x**1, lambda x: x**1, [SIGNED]),
    ("pow ½ at 0", lambda x: x**0.5, lambda x: x**0.5, [POSITIVE]),
    ("pow -1 at 0", lambda x: x**-1, lambda x: x**-1, [SIGNED]),
    ("pow of two", ops.pow, torch.pow, [POSITIVE, np.array([2.0, 0.0, -1.5])]),
    ("pow, 0 to the 0", ops.pow, torch.pow, [np.zeros(2), np.array([0.0, 2.0])]),
    ("abs at 0", ops.abs, torch.abs, [SIGNED]),
    ("relu at 0", ops.relu, torch.relu, [SIGNED]),
    ("sqrt at 0", ops.sqrt, torch.sqrt, [POSITIVE]),
    ("log at 0", ops.log, torch.log, [POSITIVE]),
    ("reciprocal", ops.reciprocal, torch.reciprocal, [SIGNED]),
    ("sigmoid", ops.sigmoid, torch.sigmoid, [SIGNED * 100]),
    ("tanh", ops.tanh, torch.tanh, [SIGNED * 100]),
    ("var", lambda x: ops.var(x, 1), lambda x: torch.var(x, 1), [X]),
    ("std of one value", lambda x: ops.std(x, 0), lambda x: torch.std(x, 0), [X]),
    ("logsumexp", lambda x: ops.logsumexp(x, 1), lambda x: torch.logsumexp(x, 1), [X * 100]),
    ("softmax", lambda x: ops.softmax(x, 1), lambda x: torch.softmax(x, 1), [X]),
    ("log_softmax", lambda x: ops.log_softmax(x, 0), lambda x: torch.log_softmax(x, 0), [X]),
    ("matmul", ops.matmul, torch.matmul, [random.standard_normal((2, 1, 3, 4)), X.T[None]]),
    ("matmul by vector", ops.matmul, torch.matmul, [X, X[0]]),
    ("linear", ops.linear, F.linear, [X, random.standard_normal((2, 4)), np.ones(2)]),
    (
        "embedding",
        lambda w: ops.embedding(ROWS, w),
        lambda w: F.embedding(torch.tensor(ROWS), w),
        [X],
    ),
    *(
        (
            f"cross_entropy, {how}",
            lambda x, how=how: ops.cross_entropy(x, TARGETS, reduction=how),
            lambda x, how=how: F.cross_entropy(x, torch.tensor(TARGETS), reduction=how),
            [X],
        )
        for how in ("mean", "sum", "none")
    ),
    (
        "cross_entropy of many places",
        lambda x: ops.cross_entropy(x, ROWS, ignore_index=0),
        lambda x: F.cross_entropy(x, torch.tensor(ROWS), ignore_index=0),
        [random.standard_normal((2, 3, 3))],
    ),
]


@pytest.mark.parametrize("name, ours, theirs, args", CASES, ids=[case[0] for case in CASES])
def test_values_and_gradients(name, ours, theirs, args):
    inputs = [Tensor(np.array(a), requires_grad=True) for a in args]
    others = [torch.tensor(np.array(a), requires_grad=True) for a in args]
    y, other = ours(*inputs), theirs(*others)
    np.testing.assert_allclose(y.data, other.detach().numpy(), rtol=1e-12, atol=1e-14)
    weights = np.random.default_rng(1).uniform(0.5, 1.5, y.shape)
    y.backward(weights)
    other.backward(torch.tensor(weights))
    for x, o in zip(inputs, others, strict=True):
        np.testing.assert_allclose(x.grad.data, o.grad.numpy(), rtol=1e-10, atol=1e-13)
