import tracemalloc
from itertools import product

import numpy as np
import pytest

from tinyseq.data import DataError, Imputer, timeseries_windows

NAN = float("nan")


def together(loader):
    """All of an epoch's windows, and their targets."""
    batches = list(loader)
    x = np.concatenate([batch.x for batch in batches])
    return x, None if batches[0].y is None else np.concatenate([batch.y for batch in batches])


def test_the_first_example_of_keras():
    x, y = together(timeseries_windows(np.arange(99), None, 10, 3, 2, batch_size=7))
    assert y is None
    assert x[0].tolist() == list(range(0, 19, 2)) and x[1].tolist() == list(range(3, 22, 2))
    assert x[-1].tolist() == list(range(78, 97, 2)) and len(x) == 27


def test_the_second_example_of_keras():
    data = np.arange(50)
    x, y = together(timeseries_windows(data[:-10], data[10:], 10))
    assert x[0].tolist() == list(range(10)) and y[0] == 10
    np.testing.assert_array_equal(x[:, -1] + 1, y)


@pytest.mark.parametrize("limits", [(None, None), (4, None), (0, 31), (3, 40)])
@pytest.mark.parametrize("horizon", [None, 1, 4])
def test_every_window_that_fits_and_no_other(limits, horizon):
    data = np.stack([np.arange(43.0), 100 + np.arange(43.0)], axis=1)
    start, end = limits[0] or 0, limits[1] or 43
    for length, stride, rate in product([1, 2, 5], [1, 3, 7], [1, 2, 4]):
        x, y, s = [], [], start
        while True:  # one window after the other, step by step
            steps = [s + rate * i for i in range(length + (horizon or 0))]
            if steps[-1] >= end:
                break
            x.append(data[steps[:length]])
            y.append(data[s] if horizon is None else data[steps[length:]])
            s += stride
        if not x:
            continue
        loader = timeseries_windows(
            data, data, length, stride, rate, 4, False, 0, *limits, horizon=horizon
        )
        got_x, got_y = together(loader)
        np.testing.assert_array_equal(got_x, x)
        np.testing.assert_array_equal(got_y, y)
        assert got_x.dtype == got_y.dtype == np.float32


def test_a_horizon_is_of_the_targets_or_of_the_data():
    data = np.stack([np.arange(20.0), -np.arange(20.0)], axis=1)
    _, y = together(timeseries_windows(data, None, 4, horizon=3))
    np.testing.assert_array_equal(y[0], data[4:7])
    _, y = together(timeseries_windows(data, data[:, 0], 4, horizon=3))
    np.testing.assert_array_equal(y[-1], [17, 18, 19])
    assert y.shape == (14, 3)


def test_whole_numbers_stay_whole_and_a_seed_shuffles():
    data = np.arange(30)
    x, _ = together(timeseries_windows(data, None, 3, shuffle=True, seed=1))
    assert x.dtype == data.dtype and sorted(x[:, 0]) == list(range(28)) != list(x[:, 0])
    same, _ = together(timeseries_windows(data, None, 3, shuffle=True, seed=1))
    np.testing.assert_array_equal(x, same)


def test_windows_are_cut_when_they_are_read():
    series = np.zeros((100_000, 4), np.float32)
    tracemalloc.start()
    try:
        loader = timeseries_windows(series, None, 1000, horizon=10, missing="drop", batch_size=2)
        next(iter(loader))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 5 * series.nbytes  # all windows would be a thousand times the series


HOLES = np.arange(40.0)
HOLES[[7, 22, 23]] = NAN


def test_nan_is_an_error_unless_something_is_to_become_of_it():
    with pytest.raises(DataError, match=r"data has 3 missing value\(s\) \(NaN\), the first at st"):
        timeseries_windows(HOLES, None, 5)
    with pytest.raises(DataError, match=r"targets has 3 missing .* at step 7"):
        timeseries_windows(np.arange(40.0), HOLES, 5)
    with pytest.raises(DataError, match="data has 3 missing"):
        timeseries_windows(HOLES, None, 5, start_index=8, end_index=27, horizon=1)
    timeseries_windows(HOLES, None, 5, start_index=8, end_index=22)  # there is none in these


def test_nan_is_handed_on_or_left_out_as_asked():
    x, y = together(timeseries_windows(HOLES, None, 3, horizon=1, missing="keep"))
    assert len(x) == 37 and np.isnan(x).sum() == 9 and np.isnan(y).sum() == 3
    kept_x, kept_y = together(timeseries_windows(HOLES, None, 3, horizon=1, missing="drop"))
    whole = ~(np.isnan(x).any(1) | np.isnan(y).any(1))
    np.testing.assert_array_equal(kept_x, x[whole])
    np.testing.assert_array_equal(kept_y, y[whole])


@pytest.mark.parametrize("method", ["forward", "mean", "mask"])
def test_an_imputer_fills_the_windows_and_targets_are_never_made_up(method):
    series = HOLES[:, None]
    imputer = Imputer(method).fit(series[:20])
    x, y = together(timeseries_windows(series, None, 5, horizon=1, missing=imputer))
    kept = ~np.isnan(HOLES[5:])
    filled = imputer.transform(series)
    wanted = np.stack([filled[s : s + 5] for s in range(35)])[kept]
    np.testing.assert_array_equal(x, wanted.astype(np.float32))
    np.testing.assert_array_equal(y[:, 0, 0], HOLES[5:][kept])


def lines_up_to_the_end(window, before, mean):
    """What a careful hand would draw, given the series up to the window's last step."""
    known = np.concatenate((before, window))
    seen = np.flatnonzero(~np.isnan(known))
    filled = np.interp(np.arange(len(known)), seen, known[seen]) if len(seen) else known
    filled[: seen[0] if len(seen) else None] = mean
    return filled[len(before) :]


@pytest.mark.parametrize("rate", [1, 3])
def test_lines_are_drawn_between_what_is_known_when_the_window_ends(rate):
    rng = np.random.default_rng(0)
    series = rng.standard_normal(200)
    target = series.copy()
    series[rng.random(200) < 0.6] = NAN
    series[:9] = NAN
    imputer = Imputer("linear").fit(series[:100])
    length = 4
    loader = timeseries_windows(
        series, target, length, 1, rate, missing=imputer, dtype=None, batch_size=9
    )
    x, _ = together(loader)
    for s, window in enumerate(x):
        until = s + rate * (length - 1) + 1
        wanted = lines_up_to_the_end(series[s:until], series[:s], imputer.mean)[::rate]
        np.testing.assert_allclose(window, wanted, rtol=1e-12)


def test_several_features_have_lines_of_their_own():
    series = np.array([[0, NAN], [NAN, 4], [4, NAN], [NAN, NAN], [8, 10]])
    imputer = Imputer("linear").fit(series)
    x, _ = together(timeseries_windows(series, None, 3, missing=imputer))
    wanted = [
        [[0, 7], [2, 4], [4, 4]],
        [[2, 4], [4, 4], [4, 4]],
        [[4, 6], [6, 8], [8, 10]],
    ]
    np.testing.assert_array_equal(x, wanted)


@pytest.mark.parametrize("method", ["forward", "mean", "mask", "linear"])
@pytest.mark.parametrize("rate", [1, 2])
def test_no_window_knows_the_future(method, rate):
    """Whatever comes after a window's last step, seen or missing: its bits are the same."""
    rng = np.random.default_rng(1)
    series = rng.standard_normal((80, 3))
    series[rng.random(series.shape) < 0.4] = NAN
    imputer = Imputer(method).fit(series[:30])
    length, still = 6, np.zeros(80)

    def windows(data):
        return together(timeseries_windows(data, still, length, 1, rate, missing=imputer))[0]

    before = windows(series)
    for now in range(30, 79):
        other = series.copy()
        other[now + 1 :] = rng.standard_normal((79 - now, 3)) * 1000
        other[now + 1 :][rng.random((79 - now, 3)) < 0.4] = NAN
        known = now - rate * (length - 1) + 1  # windows that end at `now` or earlier
        after = windows(other)
        np.testing.assert_array_equal(after[:known], before[:known])
        assert (after[known:] != before[known:]).any()


def test_the_forecast_is_not_in_the_window():
    """A horizon's targets lie after all a window was filled with."""
    series = np.where(np.arange(60) % 3 == 0, np.arange(60.0), NAN)
    imputer = Imputer("linear").fit(series)
    x, y = together(timeseries_windows(series, None, 5, horizon=1, missing=imputer))
    assert (x.max(axis=1) < y[:, 0]).all()


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"targets": np.zeros(9)}, DataError, "same length, got 10 and 9"),
        ({"data": []}, DataError, "0 step.* too few for a window that spans 3"),
        ({"data": np.zeros(2)}, DataError, "2 step.* too few for a window that spans 3"),
        ({"horizon": 8}, DataError, "10 step.* too few for a window that spans 11"),
        ({"end_index": 2}, DataError, "2 step.* too few"),
        ({"data": ["a"] * 10}, DataError, "must be numbers .* got <U1"),
        ({"data": np.float32(1)}, DataError, r"got float32 \(\)"),
        ({"data": np.full(10, np.inf)}, DataError, "data holds an infinite value"),
        ({"data": np.full(10, NAN), "missing": "drop"}, DataError, "no window without missing"),
        (
            {"sequence_length": 0},
            ValueError,
            "sequence_length must be a whole number from 1, got 0",
        ),
        (
            {"sequence_length": 1.5},
            ValueError,
            "sequence_length must be a whole number from 1, got",
        ),
        (
            {"sequence_stride": 0},
            ValueError,
            "sequence_stride must be a whole number from 1, got 0",
        ),
        ({"sampling_rate": -1}, ValueError, "sampling_rate must be a whole number from 1, got -1"),
        ({"horizon": 0}, ValueError, "horizon must be a whole number from 1, got 0"),
        ({"start_index": -1}, ValueError, "got -1 and 10"),
        ({"end_index": 11}, ValueError, "<= 10, got 0 and 11"),
        ({"start_index": 5, "end_index": 4}, ValueError, "got 5 and 4"),
        ({"missing": "fill"}, ValueError, "missing must be .* got 'fill'"),
        ({"missing": Imputer("linear")}, RuntimeError, "call fit"),
        ({"missing": Imputer().fit(np.zeros((3, 2)))}, DataError, r"fitted on \(T, 2\)"),
        ({"data": np.zeros((10, 2, 2)), "missing": Imputer()}, DataError, r"\(T,\) or \(T, D\)"),
    ],
)
def test_bad_input_is_one_clear_error(options, error, message):
    given = {"data": np.zeros(10), "targets": None, "sequence_length": 3, **options}
    with pytest.raises(error, match=message):
        timeseries_windows(**given)
