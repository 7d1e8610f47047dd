"""The one generator: seeded, restored, and what is drawn from it."""

import json

import numpy as np
import pytest

import tinyseq as ts
from tinyseq import random


@pytest.fixture(autouse=True)
def generator_put_back():
    before = random.get_state()
    yield
    random.set_state(before)


def test_the_same_seed_gives_the_same_numbers():
    draws = []
    for seed in (3, 3, 4):
        ts.manual_seed(seed)
        draws.append(np.concatenate((ts.randn(5).data, ts.rand(5).data)))
    np.testing.assert_array_equal(draws[0], draws[1])
    assert not np.array_equal(draws[0], draws[2])


def test_a_state_survives_json():
    ts.manual_seed(1)
    ts.randn(3)  # float32 draws leave half a word over, which is part of the state
    state = json.loads(json.dumps(random.get_state()))
    wanted = ts.randn(7).data
    random.set_state(state)
    np.testing.assert_array_equal(ts.randn(7).data, wanted)


@pytest.mark.parametrize("seed", [-1, 1.5, "1", True, None])
def test_a_seed_is_a_whole_number(seed):
    with pytest.raises(ValueError, match="manual_seed: expected a whole number"):
        ts.manual_seed(seed)


def test_what_is_drawn():
    ts.manual_seed(0)
    uniform, normal = ts.rand(1000), ts.randn(50, 40, dtype=np.float64)
    assert uniform.dtype == np.float32 and 0 <= uniform.data.min() and uniform.data.max() < 1
    assert normal.shape == (50, 40) and normal.dtype == np.float64
    assert abs(normal.data.mean()) < 0.1 and abs(normal.data.std() - 1) < 0.1
    whole = ts.randint(-1, 2, (200,))
    assert whole.dtype == np.int64 and set(whole.tolist()) == {-1, 0, 1}
    assert ts.randint(0, 2, size=(2, 3)).shape == ts.randint(5, size=(2, 3)).shape == (2, 3)
    assert ts.tensor([[0.0, 1.0]]).bernoulli().tolist() == [[0, 1]]


def test_keys_follow_the_seed_and_fill_64_bits():
    ts.manual_seed(3)
    keys = [ts.random.next_key() for _ in range(200)]
    ts.manual_seed(3)
    assert keys == [ts.random.next_key() for _ in range(200)] and len(set(keys)) == 200
    assert 0 <= min(keys) and 2**63 < max(keys) < 2**64
