"""Recurrent layers with dropout, recurrent dropout and zoneout."""

import numpy as np
import pytest

import tinyseq as ts
from tests.nn.recurrent_kinds import KINDS, looking, results, run_and_look, same, states_of
from tinyseq import nn
from tinyseq.ops.recurrent import run


@pytest.mark.parametrize("kind", KINDS)
def test_dropout_lies_between_layers_and_only_in_training(kind):
    x = ts.randn(2, 3, 4)
    two = KINDS[kind](4, 5, num_layers=2, dropout=0.5)
    assert (two(x)[0].data != two(x)[0].data).any()
    two.eval()
    same(results(two, x), results(two, x), exact=True)
    one = KINDS[kind](4, 5, dropout=0.5)
    same(results(one, x), results(one, x), exact=True)


@pytest.mark.parametrize("kind", KINDS)
def test_dropout_between_layers_has_the_right_share_and_scale(kind):
    layer = KINDS[kind](4, 40, num_layers=2, dropout=0.25)
    seen = []
    ts.manual_seed(0)
    with looking(layer, seen.append):
        layer(ts.randn(10, 20, 4))
    below, above = run(seen[0])[0], seen[1].inputs[0]
    zeros = above.data == 0
    assert abs(zeros.mean() - 0.25) < 0.02  # of 8000 draws: four standard deviations
    np.testing.assert_allclose(above.data[~zeros], below.data[~zeros] / 0.75, rtol=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_a_seed_repeats_a_run(kind):
    layer = KINDS[kind](
        4, 5, 2, dropout=0.3, recurrent_dropout=0.3, zoneout=0.3, bidirectional=True
    )
    x, runs = ts.randn(2, 3, 4), []
    for seed in (1, 1, 2):
        ts.manual_seed(seed)
        runs.append(results(layer, x))
    same(runs[0], runs[1], exact=True)
    assert (runs[0][0].data != runs[2][0].data).any()


@pytest.mark.parametrize("kind", KINDS)
def test_recurrent_dropout_draws_one_mask_per_sequence(kind):
    layer = KINDS[kind](4, 50, 2, recurrent_dropout=0.2, bidirectional=True)
    ts.manual_seed(0)
    x = ts.randn(60, 3, 4)
    _, noise = run_and_look(layer, x)
    masks = [n["mask"] for n in noise]
    for mask in masks:
        assert mask.shape == (60, 50) and mask.dtype == np.float32
        assert set(np.unique(mask)) == {np.float32(0), np.float32(1 / 0.8)}
        assert abs((mask == 0).mean() - 0.2) < 0.03  # of 3000 draws: four standard deviations
    more = masks + [n["mask"] for n in run_and_look(layer, x)[1]]
    assert len({m.tobytes() for m in more}) == 8
    assert run_and_look(layer.eval(), x)[1] == [{}] * 4


def test_the_mask_is_seen_in_what_comes_out():
    layer = nn.RNN(3, 3, nonlinearity="relu", bias=False, recurrent_dropout=0.5)
    for weight in layer.parameters():
        weight.data[...] = np.eye(3)
    y = layer(ts.ones(4, 5, 3))[0].data
    mask, wanted = y[:, 1] - 1, np.ones((4, 3))  # since h_1 = 1 and h_2 = 1 + mask
    assert set(np.unique(mask)) == {0, 2}
    for t in range(5):
        np.testing.assert_array_equal(y[:, t], wanted)
        wanted = 1 + mask * wanted


@pytest.mark.parametrize("kind", KINDS)
def test_zoneout_draws_in_training_and_takes_the_mean_in_evaluation(kind):
    rates = (0.2, 0.4) if kind == "lstm" else 0.2
    layer = KINDS[kind](4, 50, zoneout=rates)
    ts.manual_seed(0)
    x = ts.randn(20, 10, 4)
    state, first = states_of(layer, 20)
    (y, *_), (noise,) = run_and_look(layer, x, state)
    for name, rate in (("zone_h", 0.2), ("zone_c", 0.4))[: len(first)]:
        assert noise[name].shape == (20, 10, 50)
        assert set(np.unique(noise[name])) == {0, 1}
        assert abs(noise[name].mean() - rate) < 0.02  # of 10 000 draws: four standard deviations
    h = np.concatenate([first[0].data[0][:, None], y.data], 1)
    np.testing.assert_array_equal(h[:, 1:] == h[:, :-1], noise["zone_h"] == 1)
    _, (mean,) = run_and_look(layer.eval(), x, state)
    for name, rate in (("zone_h", 0.2), ("zone_c", 0.4))[: len(first)]:
        assert (mean[name] == np.float32(rate)).all()


@pytest.mark.parametrize("kind", KINDS)
def test_evaluation_is_the_mean_of_one_zoned_step(kind):
    layer, x = KINDS[kind](4, 5, zoneout=0.3), ts.randn(1, 1, 4)
    state, _ = states_of(layer, 1)
    ts.manual_seed(0)
    drawn = np.mean([results(layer, x, state)[1].data for _ in range(4000)], axis=0)
    # h is between -3 and 3, so the mean of 4000 has a deviation below 0.02.
    np.testing.assert_allclose(drawn, results(layer.eval(), x, state)[1].data, atol=0.08)


def test_zoneout_of_one_keeps_the_state():
    layer = nn.GRU(4, 5, zoneout=1.0)
    state, _ = states_of(layer, 2)
    for mode in (True, False):
        _, after = layer.train(mode)(ts.randn(2, 3, 4), state)
        np.testing.assert_array_equal(after.data, state.data)
