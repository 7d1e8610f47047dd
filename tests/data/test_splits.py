import numpy as np
import pytest

from tinyseq.data import DataError, split_series

T = np.arange(100)


def test_the_parts_follow_each_other_and_are_views():
    train, validation, test = split_series(T, validation=0.2, test=0.1)
    assert (len(train), len(validation), len(test)) == (70, 20, 10)
    np.testing.assert_array_equal(np.concatenate((train, validation, test)), T)
    assert all(np.shares_memory(part, T) for part in (train, validation, test))


def test_several_series_are_cut_alike():
    (x, y), (x_validation, y_validation), (x_test, y_test) = split_series(T, list(T))
    for one, other in [(x, y), (x_validation, y_validation), (x_test, y_test)]:
        assert one.tolist() == other
    assert (len(x), len(x_validation), len(x_test)) == (80, 10, 10)


@pytest.mark.parametrize("gap", [0, 1, 5])
def test_a_gap_lies_between_one_part_and_the_next(gap):
    train, validation, test = split_series(T, gap=gap)
    assert validation[0] - train[-1] == test[0] - validation[-1] == gap + 1
    assert (len(validation), len(test), test[-1]) == (10, 10, 99)


@pytest.mark.parametrize("gap", [0, 3])
def test_a_part_that_is_not_asked_for_is_empty(gap):
    train, validation, test = split_series(T, validation=0, gap=gap)
    assert (len(train), len(validation), len(test)) == (90 - gap, 0, 10)
    train, validation, test = split_series(T, test=0, gap=gap)
    assert (len(train), len(validation), len(test)) == (90 - gap, 10, 0)
    assert len(split_series(T, validation=0, test=0, gap=gap)[0]) == 100


@pytest.mark.parametrize("n", range(1, 40))
def test_every_length_gives_whole_parts_or_an_error(n):
    for gap in (0, 1, 4):
        try:
            parts = split_series(T[:n], gap=gap)
        except DataError:
            assert n < 15 + 2 * gap
        else:
            assert min(len(part) for part in parts) > 0
            assert sum(len(part) for part in parts) == n - 2 * gap
            assert (np.diff(np.concatenate(parts)) > 0).all()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: split_series(T, T[:9]), DataError, "same length, got 100 and 9"),
        (lambda: split_series([]), DataError, r"0 step\(s\) are too few"),
        (lambda: split_series(T, gap=45), DataError, r"100 step\(s\) are too few"),
        (lambda: split_series(T, test=0.001), DataError, "too few"),
        (lambda: split_series(T, validation=0.5, test=0.5), ValueError, "below 1, got 0.5 and 0.5"),
        (lambda: split_series(T, test=-0.1), ValueError, "at least 0"),
        (lambda: split_series(T, test=float("nan")), ValueError, "at least 0"),
        (lambda: split_series(T, gap=-1), ValueError, "gap must be at least 0, got -1"),
        (lambda: split_series(), ValueError, "at least one series"),
    ],
)
def test_bad_input_is_one_clear_error(call, error, message):
    with pytest.raises(error, match=message):
        call()
