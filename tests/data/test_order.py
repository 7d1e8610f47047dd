import numpy as np
import pytest

from tinyseq.data import order


def computed(n, seed, monkeypatch):
    """The order as a long one is computed."""
    monkeypatch.setattr(order, "_TABLE", 0)
    return order.Order(n, np.random.default_rng(seed))


@pytest.mark.parametrize("n", [1, 2, 3, 5, 64, 65, 1000, 4097, 70000])
def test_each_number_comes_once(n, monkeypatch):
    for found in (order.Order(n, np.random.default_rng(n)), computed(n, n, monkeypatch)):
        assert np.array_equal(np.sort(found[np.arange(n)]), np.arange(n))


def test_a_long_order_needs_only_the_places_asked_for():
    n = 10**13
    found = order.Order(n, np.random.default_rng(0))
    places = np.array([0, 1, 2, n - 1])
    numbers = found[places]
    assert len(set(numbers.tolist())) == 4 and numbers.min() >= 0 and numbers.max() < n
    assert np.array_equal(found[places[::-1]], numbers[::-1])


def test_a_computed_order_looks_random(monkeypatch):
    n = 3000
    numbers = computed(n, 1, monkeypatch)[np.arange(n)]
    assert not np.array_equal(numbers, computed(n, 2, monkeypatch)[np.arange(n)])
    bound = 5 / np.sqrt(n)  # five standard deviations of a correlation by chance
    assert abs(np.corrcoef(numbers, np.arange(n))[0, 1]) < bound
    assert abs(np.corrcoef(numbers[1:], numbers[:-1])[0, 1]) < bound
    assert abs((np.diff(numbers) > 0).mean() - 0.5) < bound
    # As many numbers in their own place as the permutations have on average: one.
    fixed = sum(
        (computed(50, seed, monkeypatch)[np.arange(50)] == np.arange(50)).sum()
        for seed in range(400)
    )
    assert abs(fixed / 400 - 1) < 5 / np.sqrt(400)
