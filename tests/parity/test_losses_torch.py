"""Losses beside PyTorch's."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
F = torch.nn.functional

from tests.parity.compare import compare  # noqa: E402
from tinyseq import ops  # noqa: E402

random = np.random.default_rng(0)
X = random.standard_normal((4, 3))
IMAGES = random.standard_normal((2, 3, 2, 2))
TARGETS = np.array([1, -100, 2, 1])
PLACES = random.integers(0, 3, (2, 2, 2))
WEIGHT = np.array([0.5, 2.0, 0.25])
HOW = ["mean", "sum", "none"]
SIGNED = np.array([-1e4, -50.0, -1.0, 0.0, 0.5, 1.0, 50.0, 1e4])


def both(name, *constants, **options):
    """Ours and theirs, with constant arguments after those differentiated."""

    def ours(*args):
        return getattr(ops, name)(*args, *constants, **options)

    def theirs(*args):
        wrap = lambda v: torch.tensor(v) if isinstance(v, np.ndarray) else v  # noqa: E731
        more = {k: wrap(v) for k, v in options.items()}
        return getattr(F, name)(*args, *map(wrap, constants), **more)

    return ours, theirs


@pytest.mark.parametrize("reduction", HOW)
@pytest.mark.parametrize("weight", [None, WEIGHT])
@pytest.mark.parametrize("smoothing", [0.0, 0.1, 1.0])
def test_cross_entropy_of_classes(reduction, weight, smoothing):
    options = {"weight": weight, "reduction": reduction, "label_smoothing": smoothing}
    compare(*both("cross_entropy", TARGETS, **options), [X])
    compare(*both("cross_entropy", TARGETS, **options), [X * 500])
    compare(*both("cross_entropy", PLACES, ignore_index=1, **options), [IMAGES])
    compare(*both("cross_entropy", np.array(2), **options), [X[0]])
    compare(*both("cross_entropy", TARGETS[1:2], **options), [X[1:2]])
    compare(*both("cross_entropy", TARGETS[:0], **options), [X[:0]])


@pytest.mark.parametrize("reduction", HOW)
@pytest.mark.parametrize("weight", [None, WEIGHT])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_cross_entropy_of_probabilities(reduction, weight, smoothing):
    options = {"weight": weight, "reduction": reduction, "label_smoothing": smoothing}
    for x in (X, X * 500, IMAGES, X[0], X[:0]):
        shares = np.abs(random.standard_normal(x.shape))
        compare(*both("cross_entropy", **options), [x, shares])


@pytest.mark.parametrize("reduction", HOW)
@pytest.mark.parametrize("weight", [None, WEIGHT])
def test_nll_loss(reduction, weight):
    options = {"weight": weight, "reduction": reduction}
    compare(*both("nll_loss", TARGETS, **options), [X])
    compare(*both("nll_loss", PLACES, ignore_index=0, **options), [IMAGES])
    compare(*both("nll_loss", np.array(0), **options), [X[0]])
    compare(*both("nll_loss", TARGETS[1:2], **options), [X[1:2]])


@pytest.mark.parametrize("reduction", HOW)
def test_binary_cross_entropy_with_logits(reduction):
    name = "binary_cross_entropy_with_logits"
    x, t = np.broadcast_arrays(SIGNED[:, None], np.array([0.0, 0.3, 1.0]))
    for options in ({}, {"weight": WEIGHT}, {"pos_weight": WEIGHT}):
        compare(*both(name, reduction=reduction, **options), [x, t], rtol=1e-9)
        compare(*both(name, reduction=reduction, **options), [x[:0], t[:0]])


@pytest.mark.parametrize("reduction", HOW)
@pytest.mark.parametrize("name", ["mse_loss", "l1_loss", "huber_loss"])
def test_differences(reduction, name):
    x, t = np.meshgrid(SIGNED, [0.0, 1.0, -2.0])
    for a, b in ((x, t), (x[::-1, ::2], t[::-1, ::2]), (x[:0], t[:0]), (x[0, 0], t[0, 0])):
        compare(*both(name, reduction=reduction), [a, b])
    compare(*both(name, reduction=reduction, weight=np.abs(t) + 0.5), [x, t])
    if name == "huber_loss":
        compare(*both(name, reduction=reduction, delta=0.5), [x, t])


@pytest.mark.filterwarnings("ignore:reduction")  # PyTorch recommends batchmean
@pytest.mark.parametrize("reduction", [*HOW, "batchmean"])
@pytest.mark.parametrize("log_target", [False, True])
def test_kl_div(reduction, log_target):
    t = np.log(np.abs(X)) if log_target else np.abs(X)
    compare(*both("kl_div", reduction=reduction, log_target=log_target), [X - 1, t])
    if not log_target:
        zero = np.array([[0.0, 0.5, 0.5]])
        compare(*both("kl_div", zero, reduction=reduction), [X[:1]])
