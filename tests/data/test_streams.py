from itertools import pairwise

import numpy as np
import pytest

from tinyseq.data import DataError, Streams


def test_rows_go_on_where_they_stopped_and_targets_are_one_ahead():
    ids = np.arange(103)
    streams = Streams(ids, 4, 8)
    windows = list(streams.epoch())
    assert len(windows) == streams.per_epoch == 3  # (103 - 1) // 4 = 25 symbols a stream
    for inputs, targets in windows:
        assert inputs.shape == targets.shape == (4, 8)
        assert (targets == inputs + 1).all()
    for (before, _), (after, _) in pairwise(windows):
        assert (after[:, 0] == before[:, -1] + 1).all()
    assert windows[0][0][:, 0].tolist() == [0, 25, 50, 75]


def test_a_short_sequence_gets_fewer_streams():
    streams = Streams(np.arange(20), 16, 8)
    assert streams.streams == 2
    assert streams.per_epoch == 1


def test_exactly_one_window_is_enough_and_less_is_refused():
    inputs, targets = next(Streams(np.arange(9), 16, 8).epoch())
    assert inputs.tolist() == [list(range(8))] and targets[0, -1] == 8
    with pytest.raises(DataError, match=r"has 8 character.*one window of 8"):
        Streams(np.arange(8), 16, 8)
