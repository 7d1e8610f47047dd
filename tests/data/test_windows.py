import numpy as np
import pytest

import tinyseq as ts
from tinyseq.data import DataError, Windows


def test_an_epoch_has_each_window_once_in_random_order():
    ts.manual_seed(0)
    windows = Windows(np.arange(1003), 4, 8)
    seen = list(windows.epoch())
    assert len(seen) == windows.per_epoch == 31  # (1002 - 7) // 8 = 124 windows, wherever cut
    for inputs, targets in seen:
        assert inputs.shape == targets.shape == (4, 8)
        assert (targets == inputs + 1).all() and (np.diff(inputs) == 1).all()
    starts = np.concatenate([inputs[:, 0] for inputs, _ in seen])
    assert len(set(starts.tolist())) == 124 and len(set((starts % 8).tolist())) == 1
    assert (np.diff(starts) < 0).any()


def test_each_epoch_cuts_elsewhere_and_the_seed_decides():
    windows = Windows(np.arange(1003), 4, 8)

    def cuts(seed):
        ts.manual_seed(seed)
        return [[int(inputs[0, 0]) for inputs, _ in windows.epoch()] for _ in range(50)]

    assert cuts(0) == cuts(0) != cuts(1)
    assert {starts[0] % 8 for starts in cuts(0)} == set(range(8))


@pytest.mark.parametrize("n", [9, 10, 16, 17, 18, 33, 39, 40, 41, 1000])
@pytest.mark.parametrize("batch", [1, 3, 4, 100])
def test_every_length_gives_whole_batches_within_the_text(n, batch):
    windows = Windows(np.arange(n), batch, 8)
    assert windows.batch == min(batch, (n - 1) // 8)
    for _ in range(20):
        seen = list(windows.epoch())
        assert len(seen) == windows.per_epoch >= 1
        for inputs, targets in seen:
            assert inputs.shape == (windows.batch, 8)
            assert inputs.min() >= 0 and targets.max() < n


def test_too_short_is_an_error():
    with pytest.raises(DataError, match=r"8 character.*one window of 8"):
        Windows(np.arange(8), 1, 8)
