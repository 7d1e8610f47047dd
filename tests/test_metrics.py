"""Metrics, by hand: every number here can be counted in the margin."""

import json
import math
from copy import deepcopy

import numpy as np
import pytest

import tinyseq as ts
from tinyseq import metrics

LOG = np.log(np.array([[0.5, 0.25, 0.25], [0.125, 0.125, 0.75], [0.25, 0.5, 0.25]]))
# Rows of one batch, (2,3,3): what is given is 0 2 1 and 0 2 1.
SCORES = np.stack([LOG, LOG]).astype(np.float32)
WANTED = np.array([[0, 2, 0], [1, 0, 1]])
# hits: yes yes no | no no yes; probabilities: .5 .75 .25 | .25 .125 .5


def measured(metric, *batches):
    for batch in batches:
        metric.update(*batch)
    return metric.compute()


def nats(*probabilities):
    return -np.mean(np.log(probabilities))


BY_HAND = [
    (metrics.Accuracy(), 3 / 6),
    (metrics.TopKAccuracy(1), 3 / 6),
    # Of equal scores the first come first: 1 before 2 in the first row, 0 before 2 in the third.
    (metrics.TopKAccuracy(2), 6 / 6),
    (metrics.TopKAccuracy(3), 6 / 6),
    (metrics.Perplexity(), math.exp(nats(0.5, 0.75, 0.25, 0.25, 0.125, 0.5))),
    (metrics.BitsPerCharacter(), nats(0.5, 0.75, 0.25, 0.25, 0.125, 0.5) / math.log(2)),
    (metrics.F1("micro"), 3 / 6),
]


@pytest.mark.parametrize("case", BY_HAND, ids=lambda case: case[0].name)
def test_classes_by_hand(case):
    metric, whole = case
    assert measured(deepcopy(metric), (SCORES, WANTED)) == pytest.approx(whole, rel=1e-6)
    # The same in pieces, as Tensors, with padding of every kind between.
    metric = deepcopy(metric)
    metric.update(ts.tensor(SCORES[:1]), ts.tensor(WANTED[:1]), [3])
    padded = np.concatenate([SCORES, np.full((2, 2, 3), np.nan, np.float32)], axis=1)
    wanted = np.concatenate([WANTED, [[0, 0], [-100, 99]]], axis=1)
    metric.update(padded, wanted, np.array([0, 3]))
    metric.update(SCORES[0], np.array([-100, -100, -100]))
    metric.update(np.zeros((0, 4, 3)), np.zeros((0, 4), int), [])
    assert metric.compute() == pytest.approx(whole, rel=1e-6)


def test_lengths_leave_out_what_is_past_them():
    # first row: 1 step, second row: 3 steps: hits yes | no no yes
    assert measured(metrics.Accuracy(), (SCORES, WANTED, [1, 3])) == 2 / 4
    assert measured(metrics.Perplexity(), (SCORES, WANTED, [1, 0])) == pytest.approx(2.0)
    assert measured(metrics.BitsPerCharacter(), (SCORES, WANTED, [0, 2])) == pytest.approx(2.5)
    ignored = np.where(WANTED == 0, -7, WANTED)
    assert measured(metrics.Accuracy(ignore_index=-7), (SCORES, ignored)) == 2 / 3
    # A class of a whole row counts whatever the row's length.
    assert measured(metrics.Accuracy(), (LOG, [0, 2, 0], [0, 5, 1])) == 2 / 3


def test_f1_by_hand():
    given = np.eye(4)[[0, 0, 1, 1, 2, 0]]
    wanted = np.array([0, 1, 1, 1, 0, 0])
    # class 0: 2 hits, 1 alarm, 1 miss; class 1: 2, 0, 1; class 2: 0, 1, 0; class 3 never occurs.
    expected = (4 / 6 + 4 / 5 + 0 / 1) / 3
    assert measured(metrics.F1(), (given, wanted)) == pytest.approx(expected)
    pieces = (given[:2], wanted[:2]), (given[2:], wanted[2:])
    assert measured(metrics.F1("macro"), *pieces) == pytest.approx(expected)
    assert measured(metrics.F1("micro"), *pieces) == pytest.approx(4 / 6)


def test_numbers_by_hand():
    output = np.array([[[1.0, 2.0], [3.0, 4.0]], [[5.0, 6.0], [7.0, 8.0]]], np.float32)
    y = np.array([[[1.0, 0.0], [0.0, 0.0]], [[5.0, 3.0], [np.nan, np.nan]]])
    assert measured(metrics.MeanAbsoluteError(), (output, y, [2, 1])) == (0 + 2 + 3 + 4 + 0 + 3) / 6
    rmse = measured(metrics.RootMeanSquaredError(), (output, y, [2, 1]))
    assert rmse == pytest.approx(math.sqrt((4 + 9 + 16 + 9) / 6))
    assert measured(metrics.MeanAbsoluteError(), (output, y, [0, 1])) == 1.5
    # Without steps lengths say nothing: (B,D) are rows.
    assert measured(metrics.MeanAbsoluteError(), (output[0], y[0], [0, 0])) == 9 / 4
    assert measured(metrics.MeanAbsoluteError(), ([1.0, 2.0], [0.0, 0.0])) == 1.5


def test_ties_and_nan_in_the_scores():
    flat = np.zeros((4, 4))
    for k, share in ((1, 1 / 4), (2, 2 / 4), (4, 1.0)):
        assert measured(metrics.TopKAccuracy(k), (flat, np.arange(4))) == share
    assert measured(metrics.Accuracy(), (flat, np.arange(4))) == 1 / 4
    bad = np.array([[np.nan, 1.0, 0.0], [0.0, np.nan, 1.0]])
    assert measured(metrics.TopKAccuracy(1), (bad, [1, 1])) == 0.0
    assert measured(metrics.TopKAccuracy(2), (bad, [1, 2])) == 1.0


ALL = [
    metrics.Accuracy(), metrics.TopKAccuracy(2), metrics.Perplexity(), metrics.BitsPerCharacter(),
    metrics.F1("micro"), metrics.F1("macro"), metrics.MeanAbsoluteError(),
    metrics.RootMeanSquaredError(),
]  # fmt: skip


@pytest.mark.parametrize("metric", ALL, ids=lambda metric: metric.name)
def test_states_go_on_and_nothing_seen_is_nan(metric):
    metric, other = deepcopy(metric), deepcopy(metric)
    numbers = metric.name in ("mae", "rmse")
    batch = (SCORES, np.zeros_like(SCORES) if numbers else WANTED)
    assert math.isnan(metric.compute())
    metric.update(*(part[:0] for part in batch))
    assert math.isnan(metric.compute())
    metric.update(*batch)
    once = metric.compute()
    before = json.loads(json.dumps(metric.state_dict()))
    other.load_state_dict(before)
    assert other.compute() == once
    other.update(batch[0][:1], batch[1][:1])
    metric.update(batch[0][:1], batch[1][:1])
    assert other.state_dict() == metric.state_dict() != before
    metric.reset()
    assert math.isnan(metric.compute())


def test_a_hopeless_model_has_an_infinite_perplexity():
    assert measured(metrics.Perplexity(), ([[0.0, 1e6]], [0])) == math.inf


@pytest.mark.parametrize("metric", ALL, ids=lambda metric: metric.name)
def test_bad_batches_are_named_and_do_not_count(metric):
    metric = deepcopy(metric)
    numbers = metric.name in ("mae", "rmse")
    y = np.zeros_like(SCORES) if numbers else WANTED
    metric.update(SCORES, y)
    before = metric.state_dict()
    name = type(metric).__name__
    bad = [
        ((SCORES, y[:1]), ValueError, "shape|without the V"),
        ((SCORES, y, [3]), ValueError, r"lengths must be \(2,\)"),
        ((SCORES, y, [3, 4]), ValueError, "from 0 to 3, got 4"),
        ((SCORES, y, [1.5, 2.0]), TypeError, "whole numbers"),
    ]
    if not numbers:
        bad += [
            ((SCORES, y + 2), ValueError, "y must be from 0 to 2, got [34]"),
            ((SCORES, y - 1), ValueError, "y must be from 0 to 2, got -1"),
            ((SCORES, y.astype(float)), TypeError, "y must be whole numbers"),
        ]
    for batch, error, message in bad:
        with pytest.raises(error, match=f"^{name}: .*({message})"):
            metric.update(*batch)
        assert metric.state_dict() == before


def test_bad_settings_are_named():
    with pytest.raises(ValueError, match="TopKAccuracy: k must be at least 1, got 0"):
        metrics.TopKAccuracy(0)
    with pytest.raises(ValueError, match="F1: average must be micro or macro, got 'all'"):
        metrics.F1("all")
    metric = metrics.F1()
    metric.update(np.eye(3), [0, 1, 2])
    with pytest.raises(ValueError, match="F1: expected 3 classes, got 4"):
        metric.update(np.eye(4), [0, 1, 2, 3])
    with pytest.raises(ValueError, match=r"F1.load_state_dict: counts must be \(3, V\)"):
        metric.load_state_dict({"counts": [1, 2]})
