"""What the ops refuse, and how they say it: the function, what was expected, what came."""

import numpy as np
import pytest

import tinyseq as ts
from tinyseq import ops

X, V, WHOLE = ts.zeros(2, 3, 4), ts.zeros(3), ts.arange(3)

SHAPES = [
    (lambda: ops.reshape(X, 5, -1), r"reshape: shape \(2, 3, 4\) cannot be made into \(5, -1\)"),
    (lambda: ops.permute(X, 0, 0, 1), r"permute: expected each of 3 dims once, got \(0, 0, 1\)"),
    (lambda: ops.expand(X, 2, 5, 4), r"expand: shape \(2, 3, 4\) cannot be broadcast to \(2, 5"),
    (lambda: ops.expand(V, -1, 3), r"expand: shape \(3,\) cannot be broadcast to \(-1, 3\)"),
    (lambda: ops.broadcast_to(X, 3, 4), "broadcast_to: shape"),
    (lambda: ops.cat([X, V]), r"cat: shapes must agree but in dim 0, got \(2, 3, 4\) and \(3,\)"),
    (lambda: ops.cat([]), "cat: expected a sequence of one Tensor or more"),
    (lambda: ops.stack([X, V]), r"stack: shapes must agree, got \(2, 3, 4\) and \(3,\)"),
    (lambda: ops.split(X, 0), "split: size must be at least 1, got 0"),
    (lambda: ops.split(X, [4, -1], 1), r"split: sizes must sum to 3, got \[4, -1\]"),
    (lambda: ops.chunk(X, 0), "chunk: chunks must be at least 1, got 0"),
    (lambda: ops.flatten(X, 2, 0), "flatten: start_dim 2 comes after end_dim 0"),
    (lambda: ops.flip(X, 0, -3), r"flip: a dim is named twice in \(0, -3\)"),
    (lambda: ops.roll(X, (1, 2), 0), "roll: expected as many shifts as dims"),
    (lambda: ops.roll(X, (1, 2)), "roll: without dims expected one shift"),
    (lambda: ops.pad(X, (1,)), r"pad: expected a \(before, after\) for up to 3 dims, got \(1,\)"),
    (lambda: ops.pad(X, (-3, -2)), r"pad: \(-3, -2\) takes away more than there is"),
    (lambda: ops.pad(X, (4, 0), "reflect"), r"pad: reflect reaches 3 elements in dim 2, got \(4"),
    (lambda: ops.pad(X[:0], (0,) * 4 + (1, 0), "replicate"), "pad: replicate reaches 0 elements"),
    (lambda: ops.pad(X, (1, 0), "mirror"), "pad: mode must be constant, reflect.*got 'mirror'"),
    (lambda: ops.tile(X, -1), "tile: sizes must not be negative"),
    (lambda: ops.repeat(X, 2), r"repeat: expected 3 sizes or more, got \(2,\)"),
    (lambda: ops.sum(X, (0, -3)), r"sum: a dim is named twice in \(0, -3\)"),
    (lambda: ops.amax(X[:0], 0), r"amax: there is no element along dim 0 of shape \(0, 3, 4\)"),
    (lambda: ops.min(X[:0], 0), "min: there is no element along dim 0"),
    (lambda: ops.argmin(X[:0]), "argmin: there is no element"),
    (lambda: ops.norm(X, "nuc"), "norm: p must be a number or 'fro', got 'nuc'"),
    (lambda: ops.topk(X, 9), "topk: k must be from 0 to 4, got 9"),
    (lambda: ops.gather(X, 0, [0]), r"gather: index must have 3 dims.*\(2, 3, 4\), got \(1,\)"),
    (lambda: ops.index_select(X, 0, [[1]]), r"index_select: index must be \(n,\), got \(1, 1\)"),
    (lambda: ops.take_along_dim(X, [0], 0), r"take_along_dim: indices must have 3 dims, got \(1,"),
    (
        lambda: ops.take_along_dim(X, np.zeros((1, 2, 1), int), 0),
        r"take_along_dim: shapes \(2, 3, 4\) and \(1, 2, 1\) do not fit but for dim 0",
    ),
    (lambda: ops.scatter_add(V, 0, [0, 1], ts.zeros(1)), r"src must be no smaller than \(2,\)"),
    (lambda: ops.index_add(V, 0, [0, 1], V), r"index_add: source must be \(2,\), got \(3,\)"),
    (lambda: V + ts.zeros(4), r"^add: .* broadcast together with shapes \(3,\) \(4,\)$"),
    (lambda: 2 * V > np.zeros(4), "^gt: .* broadcast together"),
    (lambda: ops.where(V > 0, V, ts.zeros(4)), "^where: .* broadcast together"),
    (lambda: ops.index_put(V, ([1],), ts.zeros(2)), r"values must broadcast to \(1,\), got \(2,"),
    (lambda: ops.masked_fill(V, [True] * 3, V), r"value must be one number, got shape \(3,\)"),
    (lambda: ops.tril(V), r"tril: x must be \(..., M, N\), got \(3,\)"),
    (lambda: ops.one_hot([]), "one_hot: num_classes is needed"),
    (lambda: ops.outer(X, V), r"outer: expected \(M,\) and \(N,\), got"),
    (lambda: ops.dot(V, ts.zeros(4)), r"dot: expected \(K,\) twice, got \(3,\) and \(4,\)"),
    (lambda: ops.bmm(X, X), r"bmm: expected \(B, M, K\) and \(B, K, N\)"),
    (lambda: ops.matmul(X, ts.zeros(3, 4, 5)), "matmul: the batch dims of .* do not broadcast"),
    (lambda: ops.einsum("ij", V), r"einsum: 'ij' of 'ij' does not fit shape \(3,\)"),
    (lambda: ops.einsum("i,i", V), "einsum: 'i,i' names 2 operands, got 1"),
    (lambda: ops.einsum("i->ii", V), "einsum: the result of 'i->ii' cannot have 'i' so"),
    (lambda: ops.einsum("i->j", V), "einsum: the result of 'i->j' cannot have 'j' so"),
    (lambda: ops.einsum("i,i", V, ts.zeros(4)), "'i' of 'i,i' has the sizes 3 and 4"),
    (lambda: ops.einsum("ii", ts.zeros(2, 3)), r"'i' of 'ii' has two sizes in \(2, 3\)"),
    *(
        (lambda e=e: ops.einsum(e, V), "einsum: expected letters and one '...'")
        for e in ("i1", "i..", "...i->...i...", "i->i->i", "...i...")
    ),
    (lambda: ops.clamp(V), "clamp: expected min or max, got neither"),
    (lambda: ops.gelu(V, "erf"), "gelu: approximate must be none or tanh, got 'erf'"),
    (lambda: ops.huber_loss(V, V, delta=0), "huber_loss: delta must be above 0, got 0"),
    (lambda: ops.l1_loss(V, V, weight=X[0]), r"l1_loss: weight must be \(3,\), got \(3, 4\)"),
    (lambda: ops.div(V, V, rounding_mode="up"), "rounding_mode must be floor or trunc, got 'up'"),
    (lambda: ops.pad(X, (-4, 1), "circular"), "pad: circular reaches 0 elements in dim 2"),
    (lambda: ops.mse_loss(V, V, "avg"), "mse_loss: reduction must be mean, sum or none, got 'avg'"),
    (
        lambda: ops.binary_cross_entropy_with_logits(V, X),
        r"logits: input and target must have one shape, got \(3,\) and \(2, 3, 4\)",
    ),
    (lambda: ops.cross_entropy(V, 1, weight=[1.0]), r"weight must be \(3,\), got \(1,\)"),
    (lambda: ops.cross_entropy(V, V, label_smoothing=2.0), "label_smoothing must be from 0 to 1"),
    (lambda: ops.nll_loss(V, [1]), r"nll_loss: input must be \(N, V, ...\).*\(3,\) and \(1,\)"),
    (lambda: ops.embedding([0], V), r"embedding: weight must be \(V, D\), got \(3,\)"),
    (lambda: ts.linspace(0, 1, -1), "linspace: steps must not be negative, got -1"),
    (lambda: ts.arange(0, 5, -1), "arange: no steps of -1 lead from 0 to 5"),
    (lambda: ts.randint(3, 3, (2,)), "randint: low must be below high, got 3 and 3"),
    (lambda: ts.bernoulli([2.0]), "bernoulli: p must be from 0 to 1, got 2.0"),
]

TYPES = [
    (lambda: ops.sum(X, 1.0), "sum: dim must be a whole number, got 1.0"),
    (lambda: ops.std(X, False), "std: dim must be a whole number, got False"),
    (lambda: ops.norm(WHOLE), "norm: expected floating-point data, got int64"),
    (lambda: ops.where(V, V, V), "where: condition must be bool, got float32"),
    (lambda: ops.gather(V, 0, [0.0]), "gather: indices must be whole numbers, got float"),
    (lambda: ops.scatter_add(V, 0, [0], np.zeros(1)), "src must be float32 as x is, got float64"),
    (lambda: ops.index_put(V, ([1],), np.zeros(1)), "values must be float32 as x is, got float64"),
    (lambda: ops.masked_fill(V, [1, 0, 1], 0), "masked_fill: mask must be bool, got int64"),
    (lambda: ops.masked_fill(WHOLE, [True] * 3, -np.inf), "value must be int64 as x is, got -inf"),
    (lambda: ops.one_hot([1.5]), "one_hot: indices must be whole numbers"),
    (lambda: ts.arange(), r"arange: expected \(end\), "),
    (lambda: ts.randint(1, 5), r"randint: expected \(low, high, size\) or \(high, size\)"),
    (lambda: ts.rand(2, dtype=int), "rand: dtype must be float32 or float64, got int64"),
    (lambda: ts.bernoulli([1]), "bernoulli: expected floating-point data, got int64"),
]

INDICES = [
    (lambda: ops.gather(X, 0, np.full((1, 1, 1), 2)), "gather: index 2 is out of range for 2"),
    (lambda: ops.index_select(X, 0, [-1]), "index_select: index -1 is out of range for 2"),
    (lambda: ops.index_add(V, 0, [3], ts.zeros(1)), "index_add: index 3 is out of range for 3"),
    (lambda: ops.index_put(V, ([5],), 1.0), "index_put: index 5 is out of bounds"),
    (lambda: ops.one_hot([3], 3), "one_hot: index 3 is out of range for 3"),
    (lambda: ops.nll_loss(V, 7), "nll_loss: index 7 is out of range for 3"),
    (lambda: ops.embedding([0], X[0], 3), "embedding: padding_idx 3 is out of range for 3 rows"),
    *(
        (lambda n=n: getattr(ops, n)(X, dim=3), f"{n}: dim 3 is out of range for a Tensor of shape")
        for n in "sum mean prod var std amax amin argmax argmin logsumexp cumsum any all norm max "
        "min sort softmax log_softmax squeeze unbind".split()
    ),
    (lambda: ops.roll(X, 1, 7), "roll: dim 7 is out of range"),
    *(
        (lambda n=n, d=d: getattr(ops, n)(X[0, 0, 0], dim=d), f"{n}: dim {d} is out of range")
        for n in "sum argmax cumsum max sort softmax".split()
        for d in (1, -2)
    ),
    (lambda: ops.topk(X, 1, -4), "topk: dim -4 is out of range"),
]


@pytest.mark.parametrize(
    "error, call, message",
    [
        (error, *case)
        for error, cases in ((ValueError, SHAPES), (TypeError, TYPES), (IndexError, INDICES))
        for case in cases
    ],
)
def test_refused(error, call, message):
    with pytest.raises(error, match=message):
        call()


def test_losses_of_two_shapes_warn():
    for loss in (ops.mse_loss, ops.l1_loss, ops.huber_loss):
        with pytest.warns(UserWarning, match=rf"{loss.__name__}: .*\(2, 3\) and \(3,\)"):
            assert loss(ts.ones(2, 3), V, "none").shape == (2, 3)
