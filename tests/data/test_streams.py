from itertools import pairwise

import numpy as np
import pytest

from tinyseq.data import DataError, Streams


def test_rows_go_on_where_they_stopped_and_targets_are_one_ahead():
    ids = np.arange(103)
    streams = Streams(ids, 4, 8)
    windows = list(streams)
    assert len(windows) == len(streams) == 3  # (103 - 1) // 4 = 25 symbols a stream
    for x, y, lengths in windows:
        assert x.shape == y.shape == (4, 8) and x.dtype == y.dtype == np.int64
        assert (y == x + 1).all() and lengths is None
    for before, after in pairwise(windows):
        assert (after.x[:, 0] == before.x[:, -1] + 1).all()
    assert windows[0].x[:, 0].tolist() == [0, 25, 50, 75]
    for first, again in zip(windows, streams, strict=True):
        assert (first.x == again.x).all()


def test_a_short_sequence_gets_fewer_streams():
    streams = Streams(np.arange(20), 16, 8)
    assert streams.streams == 2
    assert len(streams) == 1


def test_exactly_one_window_is_enough_and_less_is_refused():
    x, y, _ = next(iter(Streams(np.arange(9), 16, 8)))
    assert x.tolist() == [list(range(8))] and y[0, -1] == 8
    with pytest.raises(DataError, match=r"has 8 symbol.*one window of 8"):
        Streams(np.arange(8), 16, 8)


def test_bad_arguments():
    with pytest.raises(ValueError, match="streams must be at least 1, got 0"):
        Streams(np.arange(100), 0, 8)
    with pytest.raises(ValueError, match="window must be at least 1, got 0"):
        Streams(np.arange(100), 4, 0)
    for ids in (np.zeros((3, 3), np.int64), np.zeros(99)):
        with pytest.raises(DataError, match="Streams: ids must be whole numbers"):
            Streams(ids, 4, 8)
