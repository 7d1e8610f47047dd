"""Losses, against their definitions."""

import numpy as np
import pytest

import tinyseq as ts
from tinyseq import ops
from tinyseq.autograd import Tensor
from tinyseq.nn import functional as F

random = np.random.default_rng(0)
A, B = random.standard_normal((2, 4, 3))
TARGETS = np.array([1, -100, 2, 0])
WEIGHT = np.array([0.5, 2.0, 0.25])
KEPT = TARGETS != -100
LOGP = A - np.log(np.exp(A).sum(1, keepdims=True))


def same(got, wanted):
    assert got.shape == np.shape(wanted)
    np.testing.assert_allclose(got.data, wanted, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize(
    "loss, each",
    [
        (lambda **how: F.mse_loss(A, B, **how), (A - B) ** 2),
        (lambda **how: F.l1_loss(A, B, **how), np.abs(A - B)),
        (
            lambda **how: F.huber_loss(A, B, delta=0.7, **how),
            np.where(np.abs(A - B) < 0.7, 0.5 * (A - B) ** 2, 0.7 * (np.abs(A - B) - 0.35)),
        ),
        (lambda **how: F.kl_div(A, np.exp(B), **how), np.exp(B) * (B - A)),
        (lambda **how: F.kl_div(A, B, log_target=True, **how), np.exp(B) * (B - A)),
        (
            lambda **how: F.binary_cross_entropy_with_logits(A, B, WEIGHT, pos_weight=2.0, **how),
            -WEIGHT * (2 * B * -np.log1p(np.exp(-A)) + (1 - B) * -np.log1p(np.exp(A))),
        ),
    ],
)
def test_reductions(loss, each):
    same(loss(reduction="none"), each)
    same(loss(reduction="sum"), each.sum())
    same(loss(), each.mean())


def test_kl_div_of_a_batch():
    same(F.kl_div(A, np.exp(B), "batchmean"), (np.exp(B) * (B - A)).sum() / 4)


def test_losses_of_classes():
    each = np.where(KEPT, -(WEIGHT * LOGP)[np.arange(4), TARGETS * KEPT], 0)
    total = WEIGHT[TARGETS[KEPT]].sum()
    for loss, x in ((F.cross_entropy, A), (F.nll_loss, LOGP)):
        same(loss(x, TARGETS, WEIGHT, reduction="none"), each)
        same(loss(x, TARGETS, WEIGHT), each.sum() / total)
        same(loss(x[0], 1), -LOGP[0, 1])
    spread = np.where(KEPT, -(WEIGHT * LOGP).sum(1), 0)
    smooth = 0.8 * each + 0.2 / 3 * spread
    got = F.cross_entropy(A, TARGETS, WEIGHT, label_smoothing=0.2, reduction="none")
    same(got, smooth)
    same(F.cross_entropy(A, TARGETS, WEIGHT, label_smoothing=0.2), smooth.sum() / total)


def test_cross_entropy_of_probabilities_is_that_of_their_classes():
    shares = ops.one_hot(np.array([1, 0, 2, 0]), 3).double()
    wanted = F.cross_entropy(A, [1, 0, 2, 0], reduction="none").data
    same(F.cross_entropy(A, shares, reduction="none"), wanted)
    same(F.cross_entropy(A, shares), wanted.mean())


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_no_classes_and_nothing_that_counts(dtype):
    for N in (0, 2):
        x = ts.zeros(N, 0, dtype=dtype, requires_grad=True)
        loss = F.cross_entropy(x, [-100] * N, reduction="sum")
        assert loss.item() == 0
        (g,) = ts.grad(loss, x, create_graph=True)
        assert g.shape == (N, 0)
        smooth = {"label_smoothing": 0.1, "reduction": "sum"}
        assert F.cross_entropy(x, [-100] * N, **smooth).item() == 0
        assert F.cross_entropy(x, ts.zeros(N, 0, dtype=dtype), **smooth).item() == 0


def test_the_far_ends():
    x = Tensor(np.array([[1e4, -1e4, 0.0], [-np.inf, 0.0, 0.0]]), requires_grad=True)
    loss = F.cross_entropy(x, [1, 2], reduction="none")
    same(loss, [2e4, np.log(2)])
    loss.sum().backward()
    np.testing.assert_allclose(x.grad.data, [[1, -1, 0], [0, 0.5, -0.5]])
    far = Tensor(np.array([-1e4, 1e4]), requires_grad=True)
    loss = F.binary_cross_entropy_with_logits(far, np.array([1.0, 0.0]), reduction="none")
    same(loss, [1e4, 1e4])
