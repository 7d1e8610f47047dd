import numpy as np
import pytest

import tinyseq as ts
from tinyseq import nn
from tinyseq.nn import functional as F

STEPWISE = {
    "mse": (nn.MSELoss, lambda x, t: (x - t) ** 2),
    "l1": (nn.L1Loss, lambda x, t: np.abs(x - t)),
    "huber": (
        nn.HuberLoss,
        lambda x, t: np.where(np.abs(x - t) <= 1, (x - t) ** 2 / 2, np.abs(x - t) - 0.5),
    ),
    "bce": (nn.BCEWithLogitsLoss, lambda x, t: np.log1p(np.exp(x)) - t * x),
}


@pytest.mark.parametrize("kind", STEPWISE)
@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_padding_counts_for_nothing(kind, reduction):
    rng = np.random.default_rng(0)
    make, by_hand = STEPWISE[kind]
    x = ts.tensor(rng.normal(size=(3, 4, 2)) * 2, requires_grad=True)
    target = rng.uniform(size=(3, 4, 2))
    lengths = [4, 0, 2]
    target[1] = target[2, 2:] = np.nan
    loss = make(reduction=reduction)(x, target, lengths=lengths)
    real = np.repeat((np.arange(4) < np.array(lengths)[:, None])[..., None], 2, axis=2)
    losses = by_hand(x.data, target)
    expected = {
        "none": np.where(real, losses, 0),
        "sum": losses[real].sum(),
        "mean": losses[real].mean(),
    }
    np.testing.assert_allclose(loss.data, expected[reduction], rtol=1e-12)
    loss.sum().backward()
    np.testing.assert_array_equal(x.grad.data[~real], 0)
    whole = make(reduction=reduction)(x, np.ones((3, 4, 2)), lengths=[4, 4, 4])
    np.testing.assert_allclose(whole.data, make(reduction=reduction)(x, np.ones((3, 4, 2))).data)


def test_rows_that_are_sequences_as_a_whole_have_no_padding():
    loss = nn.MSELoss()(ts.zeros(2, 3), np.ones((2, 3), np.float32), lengths=[9, 1])
    assert loss.item() == 1.0


def test_padding_gets_no_gradient():
    x = ts.tensor(np.ones((2, 3, 1)), requires_grad=True)
    nn.MSELoss()(x, np.zeros((2, 3, 1)), lengths=[3, 1]).backward()
    np.testing.assert_allclose(x.grad.data[..., 0], [[0.5, 0.5, 0.5], [0.5, 0, 0]])


def test_the_others_are_their_functions():
    rng = np.random.default_rng(1)
    x = ts.tensor(rng.normal(size=(5, 3)))
    classes, weight = np.array([0, 2, -7, 1, 1]), np.array([1.0, 2.0, 0.5])
    settings = {"weight": weight, "ignore_index": -7, "reduction": "sum"}
    for module, function in (
        (nn.CrossEntropyLoss(**settings, label_smoothing=0.1),
         lambda: F.cross_entropy(x, classes, **settings, label_smoothing=0.1)),
        (nn.NLLLoss(**settings), lambda: F.nll_loss(x, classes, **settings)),
    ):  # fmt: skip
        assert module(x, classes).item() == function().item()
    shares = np.full((5, 3), 1 / 3)
    assert nn.KLDivLoss("batchmean")(x, shares).item() == F.kl_div(x, shares, "batchmean").item()
    assert repr(nn.HuberLoss(delta=2.0)) == "HuberLoss(reduction='mean', delta=2.0)"
    with pytest.raises(ValueError, match="MSELoss: reduction must be one of mean, sum, none"):
        nn.MSELoss("max")
