import numpy as np
import pytest

from tinyseq.data import DataError, pad_sequences

ROWS = [[1, 2, 3], [4], [], [5, 6]]


def test_padding_behind_is_the_default_and_the_lengths_count_from_the_front():
    padded, lengths = pad_sequences(ROWS)
    assert padded.tolist() == [[1, 2, 3], [4, 0, 0], [0, 0, 0], [5, 6, 0]]
    assert padded.dtype == lengths.dtype == np.int64 and lengths.tolist() == [3, 1, 0, 2]


# What keras.utils.pad_sequences gives for the same arguments.
@pytest.mark.parametrize(
    ("padding", "truncating", "expected"),
    [
        ("pre", "pre", [[2, 3], [9, 4], [9, 9], [5, 6]]),
        ("pre", "post", [[1, 2], [9, 4], [9, 9], [5, 6]]),
        ("post", "pre", [[2, 3], [4, 9], [9, 9], [5, 6]]),
        ("post", "post", [[1, 2], [4, 9], [9, 9], [5, 6]]),
    ],
)
def test_both_sides(padding, truncating, expected):
    padded, lengths = pad_sequences(ROWS, 2, "int32", padding, truncating, value=9)
    assert padded.tolist() == expected and padded.dtype == np.int32
    assert lengths.tolist() == [2, 1, 0, 2]


def test_maxlen_may_be_longer_and_zero():
    assert pad_sequences(ROWS, 4)[0].shape == (4, 4)
    padded, lengths = pad_sequences(ROWS, 0, padding="pre", truncating="pre")
    assert padded.shape == (4, 0) and lengths.tolist() == [0] * 4


def test_sequences_of_vectors_and_none_at_all():
    rows = [np.ones((2, 3), np.float32), np.zeros((0, 3), np.float32)]
    padded, lengths = pad_sequences(rows, value=np.nan, padding="pre", maxlen=3)
    assert padded.dtype == np.float32 and padded.shape == (2, 3, 3)
    assert np.isnan(padded[0, 0]).all() and (padded[0, 1:] == 1).all() and np.isnan(padded[1]).all()
    for nothing, shape in (([], (0, 0)), ([[], []], (2, 0)), (rows[1:], (1, 0, 3))):
        padded, lengths = pad_sequences(nothing)
        assert padded.shape == shape and lengths.shape == shape[:1] and not lengths.any()


def test_a_generator_and_mixed_numbers():
    padded, _ = pad_sequences(iter([[1, 2], [0.5]]))
    assert padded.dtype == np.float64 and padded.tolist() == [[1.0, 2.0], [0.5, 0.0]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"dtype": "int64", "sequences": [[0.5]]}, "a sequence does not fit int64"),
        ({"dtype": "int32", "sequences": [[0.0, np.nan]]}, "a sequence does not fit int32"),
        ({"dtype": "uint8", "sequences": [[256]]}, "a sequence does not fit uint8"),
        ({"value": 0.5}, "value does not fit int64"),
        ({"value": -1, "dtype": "uint8"}, "value does not fit uint8"),
        ({"sequences": [[1], [[1, 2]]]}, r"got \(1, 2\) as sequence 1"),
        ({"sequences": [[1], 2]}, "sequence 1 must hold numbers"),
        ({"sequences": [["a"]]}, "sequence 0 must hold numbers"),
        ({"sequences": [[[1], [1, 2]]]}, "sequence 0 must hold numbers"),
    ],
)
def test_what_does_not_fit_is_refused(arguments, message):
    with pytest.raises(DataError, match=f"pad_sequences: .*{message}"):
        pad_sequences(**{"sequences": ROWS, **arguments})


def test_bad_arguments():
    with pytest.raises(ValueError, match="padding must be 'pre' or 'post', got 'left'"):
        pad_sequences(ROWS, padding="left")
    with pytest.raises(ValueError, match="truncating must be"):
        pad_sequences(ROWS, truncating="both")
    with pytest.raises(ValueError, match="maxlen must not be negative"):
        pad_sequences(ROWS, maxlen=-1)
