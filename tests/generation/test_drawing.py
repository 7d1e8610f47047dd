import math

import numpy as np
import pytest

from tinyseq.generation.drawing import Draws, adjusted, draw
from tinyseq.generation.options import Options
from tinyseq.training import Diverged

LOGITS = np.array([1.0, 3.0, -2.0, 3.0, 0.5, 2.0, -math.inf, 0.5])


class Evenly:
    """Numbers in [0, 1), as even as can be: shares of draws are probabilities, but for 1/n."""

    def __init__(self, n):
        self.numbers = iter((np.arange(n) + 0.5) / n)

    def random(self):
        return next(self.numbers)


def shares(logits, temperature=1.0, top_k=None, top_p=None, n=400):
    rng = Evenly(n)
    drawn = [draw(logits, rng, temperature, top_k, top_p) for _ in range(n)]
    return np.bincount(drawn, minlength=len(logits)) / n


def by_sorting(logits, temperature=1.0, top_k=None, top_p=None):
    """The probabilities to draw from, one symbol after the other."""
    ranked = sorted(range(len(logits)), key=lambda i: (-logits[i], i))
    weights = {i: math.exp(logits[i] / temperature) for i in ranked}
    if top_k is not None:
        least = logits[ranked[min(top_k, len(ranked)) - 1]]
        weights = {i: w for i, w in weights.items() if logits[i] >= least}
    if top_p is not None:
        total, kept = sum(weights.values()), {}
        for i in ranked:
            if i in weights and (not kept or sum(kept.values()) / total < top_p):
                kept[i] = weights[i]
        weights = kept
    total = sum(weights.values())
    return np.array([weights.get(i, 0) / total for i in range(len(logits))])


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
@pytest.mark.parametrize("top_k", [None, 1, 2, 3, 5, 8, 100])
@pytest.mark.parametrize("top_p", [None, 0.0, 0.3, 0.75, 1.0])
def test_draws_follow_the_distribution_that_is_left(temperature, top_k, top_p):
    expected = by_sorting(LOGITS, temperature, top_k, top_p)
    found = shares(LOGITS, temperature, top_k, top_p)
    assert not found[expected == 0].any()
    np.testing.assert_allclose(found, expected, atol=1 / 400)


def test_a_draw_is_the_same_number_however_much_is_cut_off():
    """Cut to everything is not cut at all, to the bit."""
    logits = np.random.default_rng(1).normal(size=50)
    for seed in range(50):
        drawn = {
            draw(logits, np.random.default_rng(seed), 1.0, *cut)
            for cut in [(None, None), (50, None), (51, 1.0), (None, 1.0)]
        }
        assert len(drawn) == 1


def test_of_equals_at_the_edge_top_k_keeps_all_and_top_p_the_first():
    equal = np.tile([0.0, -50.0], 100)
    assert np.count_nonzero(shares(equal, top_k=2)) == 100
    assert np.flatnonzero(shares(equal, top_p=0.5)).tolist() == list(range(0, 100, 2))


def test_temperature_zero_and_next_to_it_take_the_likeliest():
    assert shares(LOGITS, 0.0, n=20)[1] == 1  # of equals the first
    single = np.array([0.0, 2.0, 1.9])
    assert shares(single, 1e-300, n=20)[1] == 1


def test_repetitions_are_divided_or_multiplied():
    options = Options(1, repetition_penalty=1.5, suppress=frozenset([4]))
    found = adjusted(LOGITS.astype(np.float32), {1, 2, 6}, options)
    expected = [1.0, 2.0, -3.0, 3.0, -math.inf, 2.0, -math.inf, 0.5]
    np.testing.assert_array_equal(found, expected)
    assert found.dtype == np.float64


def test_what_was_drawn_is_penalised_from_then_on():
    draws = Draws(Options(6, temperature=0, repetition_penalty=2.0), [0], frozenset(), 0)
    logits = np.array([[4.0, 3.0, 2.5, -1.0]])
    while draws.advance(logits)[0]:
        pass
    assert draws.written == [1, 2, 0, 0, 0, 0]  # 4/2 after 3 and 2.5, before 3/2 and 2.5/2


@pytest.mark.parametrize("wrong", [math.inf, math.nan, -math.inf])
def test_predictions_that_are_no_numbers_are_an_error(wrong):
    logits = np.array([1.0, wrong, wrong])
    with pytest.raises(Diverged, match="predictions are not numbers"):
        adjusted(logits, set(), Options(1, suppress=frozenset([0])))


def test_a_draw_ends_at_a_stop_mark_or_the_limit():
    logits = np.array([[0.0, 5.0]])
    stopped = Draws(Options(3, temperature=0), [0], frozenset([1]), 0)
    assert stopped.advance(logits) == ([], []) and stopped.written == []
    limited = Draws(Options(2, temperature=0), [0], frozenset(), 0)
    assert limited.advance(logits) == ([0], [1])
    assert limited.advance(logits) == ([], []) and limited.written == [1, 1]
