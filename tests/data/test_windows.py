import numpy as np
import pytest

import tinyseq as ts
from tinyseq.data import DataError, Windows


def test_an_epoch_has_each_window_once_in_random_order():
    windows = Windows(np.arange(1003), 4, 8)
    seen = list(windows)
    assert len(seen) == len(windows) == 31  # (1002 - 7) // 8 = 124 windows, wherever cut
    for x, y, lengths in seen:
        assert x.shape == y.shape == (4, 8) and lengths is None
        assert (y == x + 1).all() and (np.diff(x) == 1).all()
    starts = np.concatenate([batch.x[:, 0] for batch in seen])
    assert len(set(starts.tolist())) == 124 and len(set((starts % 8).tolist())) == 1
    assert (np.diff(starts) < 0).any()


def test_each_epoch_cuts_elsewhere_and_the_seed_alone_decides():
    def cuts(seed):
        windows = Windows(np.arange(1003), 4, 8, seed)
        return [[int(batch.x[0, 0]) for batch in windows] for _ in range(50)]

    ts.manual_seed(0)
    first = cuts(0)
    assert first == cuts(0) != cuts(1)
    assert {starts[0] % 8 for starts in first} == set(range(8))


@pytest.mark.parametrize("n", [9, 10, 16, 17, 18, 33, 39, 40, 41, 1000])
@pytest.mark.parametrize("batch", [1, 3, 4, 100])
def test_every_length_gives_whole_batches_within_the_text(n, batch):
    windows = Windows(np.arange(n), batch, 8)
    assert windows.batch == min(batch, (n - 1) // 8)
    for _ in range(20):
        seen = list(windows)
        assert len(seen) == len(windows) >= 1
        for x, y, _ in seen:
            assert x.shape == (windows.batch, 8)
            assert x.min() >= 0 and y.max() < n


def test_bad_arguments():
    with pytest.raises(DataError, match=r"8 symbol.*one window of 8"):
        Windows(np.arange(8), 1, 8)
    with pytest.raises(ValueError, match="got 0 and 0"):
        Windows(np.arange(99), 0, 8)
    with pytest.raises(ValueError, match="got 1 and -1"):
        Windows(np.arange(99), 1, 8, seed=-1)
