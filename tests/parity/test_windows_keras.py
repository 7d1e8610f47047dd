"""timeseries_windows beside Keras' timeseries_dataset_from_array."""

from itertools import product

import numpy as np
import pytest

from tinyseq.data import timeseries_windows

keras = pytest.importorskip("keras")
pytest.importorskip("tensorflow")

DATA = np.random.default_rng(0).standard_normal((61, 2)).astype(np.float32)
TARGETS = np.arange(61)


def batches(pairs):
    return [tuple(np.asarray(array) for array in pair) for pair in pairs]


@pytest.mark.parametrize("limits", [(None, None), (5, None), (None, 50), (7, 44)])
@pytest.mark.parametrize("with_targets", [True, False])
def test_the_same_batches(limits, with_targets):
    targets = TARGETS if with_targets else None
    start, end = limits
    for length, stride, rate in product([1, 4, 9], [1, 5], [1, 3]):
        sizes = {"sequence_length": length, "sequence_stride": stride, "sampling_rate": rate}
        options = {**sizes, "batch_size": 8, "start_index": start, "end_index": end}
        theirs = keras.utils.timeseries_dataset_from_array(DATA, targets, **options)
        ours = list(timeseries_windows(DATA, targets, **options))
        theirs = batches(theirs) if with_targets else batches((x,) for x in theirs)
        assert len(ours) == len(theirs) > 0
        for batch, wanted in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(batch.x, wanted[0])
            if with_targets:
                np.testing.assert_array_equal(batch.y, wanted[1])
            else:
                assert batch.y is None
