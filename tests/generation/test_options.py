import numpy as np
import pytest

from tests.generation.table import Table
from tinyseq.generation import generate, stream


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"max_new_tokens": -1}, "max_new_tokens must be a whole number from 0 up, got -1"),
        ({"max_new_tokens": 1.5}, "max_new_tokens must be a whole number from 0 up, got 1.5"),
        ({"max_new_tokens": True}, "max_new_tokens must be a whole number from 0 up, got True"),
        ({"temperature": -0.1}, "temperature must be a number from 0 up, got -0.1"),
        ({"temperature": float("nan")}, "temperature must be a number from 0 up, got nan"),
        ({"temperature": "hot"}, "temperature must be a number from 0 up, got 'hot'"),
        ({"top_k": 0}, "top_k must be a whole number from 1 up, got 0"),
        ({"top_p": 1.1}, "top_p must be a number from 0 to 1, got 1.1"),
        ({"repetition_penalty": 0}, "repetition_penalty must be above 0, got 0"),
        ({"repetition_penalty": float("inf")}, "repetition_penalty must be a number from 0 up"),
        ({"num_beams": 0}, "num_beams must be a whole number from 1 up, got 0"),
        (
            {"length_penalty": float("nan")},
            "length_penalty must be a number from -10 to 10, got nan",
        ),
        ({"num_beams": 2, "top_k": 3}, "top_k and top_p are for draws, and num_beams 2 draws"),
        ({"num_beams": 2, "temperature": 0.5}, "temperature, top_k and top_p are for draws"),
        ({"stop": -1}, "stop must be a whole number from 0 up, got -1"),
        ({"suppress": [1, 2.0]}, "suppress must be a whole number from 0 up, got 2.0"),
        ({"seed": -1}, "seed must be a whole number from 0 up, got -1"),
        ({"stop": 3}, "stop must be below 3, got 3"),
        ({"suppress": [0, 7]}, "suppress must be below 3, got 7"),
        ({"suppress": [0, 1, 2]}, "suppress leaves none of 3 symbols"),
    ],
)
def test_what_is_out_of_range_is_named(wrong, message):
    with pytest.raises(ValueError, match=f"^generate: .*{message}"):
        generate(Table(3), [1], **{"max_new_tokens": 2} | wrong)


def test_a_stream_says_so_at_the_call():
    with pytest.raises(ValueError, match="temperature must be"):
        stream(Table(3), [1], 2, temperature=-1)


def test_numbers_of_numpy_will_do():
    found = generate(Table(3), [1], np.int64(2), stop=np.array([0]), top_k=np.int32(2), seed=0)
    assert len(found) <= 2
