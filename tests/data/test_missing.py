import numpy as np
import pytest

from tinyseq.data import DataError, Imputer

NAN = float("nan")
SERIES = np.array([NAN, 2, NAN, NAN, 8, NAN])
CAUSAL = ["forward", "mean", "mask"]


def fitted(method, train=SERIES):
    return Imputer(method).fit(train)


def test_forward_holds_the_last_value_and_begins_with_the_mean():
    assert fitted("forward").transform(SERIES).tolist() == [5, 2, 2, 2, 8, 8]


def test_mean_is_the_mean_of_the_training_part():
    assert fitted("mean").transform(SERIES).tolist() == [5, 2, 5, 5, 8, 5]
    assert fitted("mean", SERIES[:3]).transform(SERIES).tolist() == [2, 2, 2, 2, 8, 2]


def test_mask_tells_what_was_seen_and_how_long_ago():
    values, seen, since = fitted("mask").transform(SERIES).T
    assert values.tolist() == [5, 2, 2, 2, 8, 8]
    assert seen.tolist() == [0, 1, 0, 0, 1, 0]
    assert since.tolist() == [1, 0, 1, 2, 0, 1]


def random_series(rng, shape, dtype=np.float64):
    series = rng.standard_normal(shape).astype(dtype)
    series[rng.random(shape) < 0.4] = NAN
    return series


@pytest.mark.parametrize("method", CAUSAL)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_against_a_walk_along_the_series(method, dtype):
    rng = np.random.default_rng(0)
    series = random_series(rng, (50, 3), dtype)
    imputer = fitted(method, series[:25])
    filled = imputer.transform(series)
    assert filled.dtype == dtype
    for d in range(3):
        value, since = dtype(imputer.mean[d]), 0
        for t in range(50):
            present = not np.isnan(series[t, d])
            since = 0 if present else since + 1
            if method == "mean":
                value = dtype(imputer.mean[d])
            if present:
                value = series[t, d]
            wanted = [value, present, since] if method == "mask" else [value]
            np.testing.assert_array_equal(filled[t, d::3], wanted)


@pytest.mark.parametrize("method", CAUSAL)
def test_no_step_knows_the_future(method):
    """Whatever comes later, seen or missing: the steps up to now keep their bits."""
    rng = np.random.default_rng(1)
    series = random_series(rng, (60, 2))
    imputer = fitted(method, series[:20])
    before = imputer.transform(series)
    for now in range(20, 60):
        other = series.copy()
        other[now:] = random_series(rng, (60 - now, 2)) * 1000
        np.testing.assert_array_equal(imputer.transform(other)[:now], before[:now])
        np.testing.assert_array_equal(imputer.transform(series[:now]), before[:now])


@pytest.mark.parametrize("method", [*CAUSAL, "linear"])
def test_what_comes_after_the_training_part_has_no_say(method):
    rng = np.random.default_rng(2)
    series = random_series(rng, (60, 2))
    mean = fitted(method, series[:20]).mean
    np.testing.assert_array_equal(mean, np.nanmean(series[:20], axis=0))


@pytest.mark.parametrize("method", CAUSAL)
def test_several_series_are_filled_each_on_its_own(method):
    rng = np.random.default_rng(3)
    several = random_series(rng, (4, 20, 2))
    imputer = fitted(method, several)
    wanted = [imputer.transform(series) for series in several]
    np.testing.assert_array_equal(imputer.transform(several), wanted)
    for one, other in zip(imputer.transform(list(several)), wanted, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("method", CAUSAL)
def test_nothing_missing_nothing_changed(method):
    x = np.arange(10.0)
    filled = fitted(method).transform(x)
    np.testing.assert_array_equal(filled[:, 0] if method == "mask" else filled, x)
    assert fitted(method, np.ones((3, 2))).transform(np.zeros((0, 2))).shape[0] == 0


def test_a_line_to_the_value_seen_next_is_refused_and_the_error_says_what_to_do():
    with pytest.raises(ValueError, match=r"lies in the future.*timeseries_windows.*forward"):
        fitted("linear").transform(SERIES)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: Imputer("spline"), ValueError, "must be \"forward\".* got 'spline'"),
        (lambda: Imputer().transform(SERIES), RuntimeError, "call fit"),
        (lambda: Imputer().fit([]), DataError, "x is empty"),
        (lambda: Imputer().fit(np.array([NAN])), DataError, "feature 0 of 1 is missing through"),
        (lambda: Imputer().fit(SERIES).transform(np.ones((2, 2))), DataError, r"fitted on \(T,\)"),
        (lambda: Imputer().fit(SERIES).transform(np.array([np.inf])), DataError, "infinite"),
    ],
)
def test_bad_input_is_one_clear_error(call, error, message):
    with pytest.raises(error, match=message):
        call()
