"""The cache of keys and values: what it hands out, and how much it holds."""

import numpy as np
import pytest

import tinyseq as ts
from tinyseq import nn
from tinyseq.backend.attention import KEY_TILE


def keys(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def where(seen, t):
    """The slots of each row's first new key, and of its end."""
    B, _, S, _ = seen.k.shape
    start = np.full(B, S - t) if seen.start is None else seen.start
    return start, np.full(B, S) if seen.lengths is None else seen.lengths


@pytest.mark.parametrize("uneven", [False, True])
@pytest.mark.parametrize("window", [0, 1, 5, KEY_TILE, 100])
def test_every_key_a_query_may_see_is_there(window, uneven):
    rng = np.random.default_rng(window)
    cache, given = nn.KeyValueCache(window), [[], [], []]
    for step in range(150):
        t = int(rng.integers(0, 4)) if step else 30
        k, v = keys(3, 2, t, 5, seed=step), keys(3, 2, t, 4, seed=-step % 1000)
        lengths = rng.integers(0, t + 1, 3) if uneven and step % 5 == 0 else None
        seen = cache.append(ts.tensor(k), v, lengths)
        starts, ends = where(seen, t)
        for b, row in enumerate(given):
            dropped = len(row) - starts[b]
            assert dropped % KEY_TILE == 0
            assert dropped <= max(0, len(row) - window + 1) if window else dropped == 0
            n = t if lengths is None else lengths[b]
            row += [(k[b, :, i], v[b, :, i]) for i in range(n)]
            assert cache.position[b] == len(row)
            assert ends[b] == len(row) - dropped
            for held, kept in zip((seen.k, seen.v), zip(*row[dropped:], strict=True), strict=False):
                np.testing.assert_array_equal(held.data[b, :, : ends[b]], np.stack(kept, 1))


@pytest.mark.parametrize(("more", "dropped"), [(0, 0), (1, KEY_TILE)])
def test_a_tile_goes_with_the_last_of_its_keys(more, dropped):
    """The next query, at T, sees keys from T - 4 on: tile 0 may go once that is KEY_TILE."""
    cache, T = nn.KeyValueCache(5), KEY_TILE + 3 + more
    cache.append(keys(1, 1, T, 2), keys(1, 1, T, 2))
    many = keys(1, 1, 10 * KEY_TILE, 2)  # for which there is no room
    seen = cache.append(many, many)
    assert seen.k.shape[2] == T - dropped + 10 * KEY_TILE


def test_rows_that_stand_together_need_no_starts():
    cache = nn.KeyValueCache()
    cache.append(keys(2, 1, 3, 4), keys(2, 1, 3, 4), [3, 1])
    seen = cache.append(keys(2, 1, 2, 4), keys(2, 1, 2, 4), [0, 2])
    np.testing.assert_array_equal(seen.start, [3, 1])
    np.testing.assert_array_equal(seen.lengths, [3, 3])
    seen = cache.append(keys(2, 1, 1, 4), keys(2, 1, 1, 4))
    assert seen.start is None and seen.lengths is None and seen.k.shape == (2, 1, 4, 4)


def test_a_token_costs_no_more_the_longer_the_text():
    cache, moves, before = nn.KeyValueCache(), 0, 0
    for _ in range(5000):
        cache.append(keys(1, 2, 1, 4), keys(1, 2, 1, 4))
        moves, before = moves + (cache.nbytes != before), cache.nbytes
    assert moves < 10 and cache.nbytes < 2 * 2 * (5000 + KEY_TILE) * 2 * 4 * 4


@pytest.mark.parametrize("window", [1, 16, 300])
def test_a_window_stays_bounded(window):
    cache = nn.KeyValueCache(window)
    cache.append(keys(2, 1, 1000, 4), keys(2, 1, 1000, 4), [1000, 3])
    for step in range(2000):
        seen = cache.append(keys(2, 1, 1, 4), keys(2, 1, 1, 4))
        if step > 500:
            assert seen.k.shape[2] <= 2 * (window + KEY_TILE)
            assert cache.nbytes <= 2 * 2 * 4 * 4 * 2 * (window + KEY_TILE)


def test_nothing_can_be_appended():
    for shape in [(2, 2, 0, 4), (2, 2, 3, 0)]:
        cache = nn.KeyValueCache()
        for times in (1, 2):
            seen = cache.append(np.zeros(shape, np.float32), np.zeros(shape, np.float32))
            assert seen.k.shape == (*shape[:2], times * shape[2], shape[3])
    none = np.zeros((0, 2, 3, 4), np.float32)
    assert nn.KeyValueCache().append(none, none, []).k.shape == (0, 2, 3, 4)


def test_bad_input_is_named_and_changes_nothing():
    with pytest.raises(ValueError, match="KeyValueCache: window must be a whole number from 0 up"):
        nn.KeyValueCache(-1)
    cache, good = nn.KeyValueCache(), keys(2, 3, 1, 4)
    cache.append(good, good)
    for error, match, arguments in [
        (ValueError, r"k must be \(B, M, t, d\) and v .* got \(2, 3, 4\)", (good[:, :, 0], good)),
        (ValueError, r"got \(2, 3, 1, 4\) and \(2, 3, 2, 4\)", (good, keys(2, 3, 2, 4))),
        (ValueError, r"k must be \(2, 3, t, 4\), got \(1, 3, 1, 4\)", (good[:1], good[:1])),
        (ValueError, r"k must be \(2, 3, t, 4\), got \(2, 1, 1, 4\)", (good[:, :1], good[:, :1])),
        (ValueError, r"v must be \(2, 3, t, 4\), got \(2, 3, 1, 2\)", (good, good[..., :2])),
        (TypeError, "one dtype, got float32 and float64", (good, good.astype(float))),
        (TypeError, "float32 as before, got float64", (good.astype(float), good.astype(float))),
        (ValueError, "lengths must be from 0 to 1, got 2", (good, good, [0, 2])),
    ]:
        with pytest.raises(error, match=f"^KeyValueCache.append: .*{match}"):
            cache.append(*arguments)
    assert cache.position.tolist() == [1, 1]


@pytest.mark.parametrize("uneven", [False, True])
@pytest.mark.parametrize("window", [0, 5])
def test_reordered_rows_go_on_as_if_they_had_always_been_there(window, uneven):
    rows = np.array([2, 0, 0, 2, 2])
    lengths = np.array([3, 40, 21]) if uneven else None
    cache, expected = nn.KeyValueCache(window), nn.KeyValueCache(window)
    cache.reorder(rows)  # nothing is in it yet
    k, v = keys(3, 2, 40, 5), keys(3, 2, 40, 4, seed=1)
    seen = cache.append(k, v, lengths)
    other = expected.append(k[rows], v[rows], None if lengths is None else lengths[rows])
    for part, wanted in zip(seen.reordered(rows), other, strict=True):
        np.testing.assert_array_equal(*(getattr(x, "data", x) for x in (part, wanted)))
    cache.reorder(rows)
    for step in range(2, 60):
        k, v = keys(5, 2, 1, 5, seed=step), keys(5, 2, 1, 4, seed=-step % 1000)
        seen, other = cache.append(k, v), expected.append(k, v)
        starts, ends = where(seen, 1)
        other_starts, other_ends = where(other, 1)
        np.testing.assert_array_equal(ends - starts, other_ends - other_starts)
        np.testing.assert_array_equal(cache.position, expected.position)
        for b, (end, other_end) in enumerate(zip(ends, other_ends, strict=True)):
            n = min(end, other_end, window or end)
            found, wanted = (
                seen.k.data[b, :, end - n : end],
                other.k.data[b, :, other_end - n : other_end],
            )
            np.testing.assert_array_equal(found, wanted)
