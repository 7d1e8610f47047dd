import json
from itertools import islice

import numpy as np
import pytest

from tinyseq.data import DataError, Streams, Windows

IDS = np.arange(1003)
MAKERS = [lambda: Streams(IDS, 4, 8), lambda: Windows(IDS, 4, 8, seed=5)]
both = pytest.mark.parametrize("make", MAKERS, ids=["streams", "windows"])


def starts(batches):
    return [batch.x[:, 0].tolist() for batch in batches]


@both
@pytest.mark.parametrize("epoch", [0, 1])
def test_it_goes_on_from_any_batch(make, epoch):
    whole = make()
    epochs = [starts(whole) for _ in range(3)]
    for k in range(len(whole) + 1):
        part = make()
        for _ in range(epoch):
            starts(part)
        assert starts(islice(part, k)) == epochs[epoch][:k]
        state = json.loads(json.dumps(part.state_dict()))
        again = make()
        again.load_state_dict(state)
        assert starts(again) == epochs[epoch][k:]
        assert starts(again) == epochs[epoch + 1]


@both
def test_a_new_iteration_is_a_new_epoch_and_one_that_was_ended_counts(make):
    data, other = make(), make()
    epochs = [starts(data) for _ in range(3)]
    assert data.state_dict()["epoch"] == 3
    assert starts(islice(other, 2)) == epochs[0][:2]
    assert starts(other) == epochs[1]
    other.load_state_dict(other.state_dict())
    assert starts(other) == epochs[2]


@both
@pytest.mark.parametrize(
    "change", [{"epoch": -1}, {"batch": 10**6}, {"batch": "2"}, {"epoch": None}, {"of": None}]
)
def test_a_position_elsewhere_is_refused_and_changes_nothing(make, change):
    data = make()
    next(iter(data))
    state = data.state_dict()
    with pytest.raises(DataError, match="position"):
        data.load_state_dict({**state, **change})
    with pytest.raises(DataError, match=r"is one in \{'symbols': 1003.* this is .*500"):
        type(data)(IDS[:500], 4, 8).load_state_dict(state)
    assert data.state_dict() == state


@both
def test_small_dtypes_are_read_as_int64(make):
    data = make()
    data.ids = IDS.astype(np.uint16)
    x, y, _ = next(iter(data))
    assert x.dtype == y.dtype == np.int64 and (y == x + 1).all()
