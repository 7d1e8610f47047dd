"""One case or more for every op that has a gradient: a name, a function, and its arguments."""

import numpy as np

import tinyseq as ts
from tinyseq import ops

_random = np.random.default_rng(0)


def normal(*shape):
    return _random.standard_normal(shape)


def positive(*shape):
    return _random.uniform(0.5, 2.0, shape)


def apart(*shape):
    """No two elements closer than 0.1 and none near 0: kinks stay out of reach of ε."""
    n = int(np.prod(shape))
    return (_random.permutation(n).reshape(shape) - n / 2 + 0.3) * 0.1


def lstm_arguments(B, T, D, H):
    shapes = ((B, T, D), (B, H), (B, H), (4 * H, D), (4 * H, H), (4 * H,))
    return [normal(*shape) for shape in shapes]


TARGETS = np.array([2, 0, -100, 1])
ROWS = np.array([[2, 0, 2], [1, 2, 2]])
CONDITION = np.array([[True, False, True], [False, False, True]])

CASES = [
    ("neg", lambda x: -x, [normal(2, 3)]),
    ("abs", ops.abs, [apart(2, 3)]),
    ("add", ops.add, [normal(2, 3), normal(3)]),
    ("add to a larger", ops.add, [normal(1, 3), normal(2, 1)]),
    ("sub", ops.sub, [normal(2, 3), normal(2, 1)]),
    ("mul", ops.mul, [normal(2, 3), normal(1, 1)]),
    ("mul of nothing", ops.mul, [normal(0, 3), normal(3)]),
    ("mul, negative strides", ops.mul, [normal(4, 3)[::-2], normal(3)[::-1]]),
    ("scalars on either side", lambda x: (2 - x) / (1 + 3 * x) - 1 / x, [positive(3)]),
    ("div", ops.div, [normal(2, 3), positive(3)]),
    ("pow", ops.pow, [positive(2, 3), normal(3)]),
    ("pow of a number", lambda x: x**3, [normal(4)]),
    ("a number's pow", lambda x: 2.0**x, [normal(4)]),
    ("exp", ops.exp, [normal(2, 3)]),
    ("log", ops.log, [positive(2, 3)]),
    ("sqrt", ops.sqrt, [positive(2, 3)]),
    ("square", ops.square, [normal(2, 3)]),
    ("reciprocal", ops.reciprocal, [positive(2, 3)]),
    ("tanh", ops.tanh, [normal(2, 3)]),
    ("sigmoid", ops.sigmoid, [normal(2, 3)]),
    ("relu", ops.relu, [apart(2, 3)]),
    ("maximum", ops.maximum, [apart(2, 3), np.zeros((2, 1)) + 0.01]),
    ("minimum", ops.minimum, [apart(2, 3), np.zeros((2, 1)) + 0.01]),
    ("where", lambda a, b: ops.where(CONDITION, a, b), [normal(2, 3), normal(3)]),
    ("cast", lambda x: ops.square(x).to(np.float64) * x, [normal(3)]),
    ("sum", lambda x: ops.sum(x * x), [normal(2, 3)]),
    ("sum over a dim", lambda x: ops.sum(x * x, dim=1), [normal(2, 3, 2)]),
    ("sum over dims", lambda x: ops.sum(x * x, dim=(0, -1), keepdim=True), [normal(2, 3, 2)]),
    ("mean", lambda x: ops.mean(x * x, dim=0), [normal(2, 3)]),
    ("var", lambda x: ops.var(x, dim=1), [normal(2, 3)]),
    ("std", lambda x: ops.std(x, dim=-1, keepdim=True), [normal(2, 3)]),
    ("amax", lambda x: ops.amax(x * x, dim=1), [apart(2, 3)]),
    ("amin", lambda x: ops.amin(x * x), [apart(2, 3)]),
    ("logsumexp", lambda x: ops.logsumexp(x, dim=1), [normal(2, 3)]),
    ("reshape", lambda x: ops.reshape(x * x, 3, -1), [normal(2, 3)]),
    ("flatten", lambda x: ops.flatten(x * x, 1), [normal(2, 3, 2)]),
    ("permute", lambda x: ops.permute(x * x, 2, 0, 1), [normal(2, 3, 4)]),
    ("transpose", lambda x: ops.transpose(x * x, 0, -1), [normal(2, 3, 2)]),
    ("squeeze", lambda x: ops.squeeze(x * x, 1), [normal(2, 1, 3)]),
    ("unsqueeze", lambda x: ops.unsqueeze(x * x, -1), [normal(2, 3)]),
    ("expand", lambda x: ops.expand(x * x, 4, -1, 3), [normal(2, 1)]),
    ("cat", lambda a, b: ops.cat([a * a, b * b], 1), [normal(2, 3), normal(2, 1)]),
    ("stack", lambda a, b: ops.stack([a * a, b * b], 1), [normal(2, 3), normal(2, 3)]),
    ("split", lambda x: ops.square(ops.split(x, [1, 2], 1)[1]), [normal(2, 3)]),
    ("chunk", lambda x: ops.mul(*ops.chunk(x, 2, 1)), [normal(2, 4)]),
    ("unbind", lambda x: ops.unbind(x * x, 1)[::2], [normal(2, 3)]),
    ("index", lambda x: ops.square(x[1:, ::-2]), [normal(3, 4)]),
    ("index by arrays", lambda x: ops.square(x[[0, 1, 0], ts.tensor([1, 1, 1])]), [normal(3, 4)]),
    ("index by truth", lambda x: (x * x)[CONDITION], [normal(2, 3)]),
    ("embedding", lambda w: ops.square(ops.embedding(ROWS, w)), [normal(3, 2)]),
    ("matmul", ops.matmul, [normal(2, 3), normal(3, 2)]),
    ("matmul of batches", ops.matmul, [normal(2, 1, 2, 3), normal(3, 3, 2)]),
    ("matmul, batch by matrix", ops.matmul, [normal(2, 2, 3), normal(3, 2)]),
    ("matmul of vectors", ops.matmul, [normal(3), normal(3)]),
    ("matmul, matrix by vector", ops.matmul, [normal(2, 3), normal(3)]),
    ("matmul, inner size 0", ops.matmul, [normal(2, 0), normal(0, 2)]),
    ("linear", ops.linear, [normal(2, 2, 3), normal(2, 3), normal(2)]),
    ("linear, no bias", ops.linear, [normal(2, 3), normal(2, 3)]),
    *(
        (
            f"linear, {a}",
            lambda x, w, b, a=a: ops.linear(x, w, b, a),
            [apart(2, 2), apart(3, 2), apart(3)],
        )
        for a in ("relu", "tanh", "sigmoid")
    ),
    ("softmax", lambda x: ops.softmax(x, 1), [normal(2, 3)]),
    ("log_softmax", lambda x: ops.log_softmax(x, 0), [normal(2, 3)]),
    ("cross_entropy", lambda x: ops.cross_entropy(x, TARGETS), [normal(4, 3)]),
    (
        "cross_entropy, images",
        lambda x: ops.cross_entropy(x, ROWS, reduction="none"),
        [normal(2, 3, 3)],
    ),
    ("lstm", ops.lstm, lstm_arguments(2, 3, 2, 2)),
    ("lstm, no bias", ops.lstm, lstm_arguments(1, 2, 1, 3)[:-1]),
    ("lstm, no steps", ops.lstm, lstm_arguments(2, 0, 2, 1)),
    ("checkpoint", lambda a, b: ts.checkpoint(lambda: ops.tanh(a * b) * a), [normal(2), normal(2)]),
]
