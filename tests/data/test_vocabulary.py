import numpy as np
import pytest

from tinyseq.data import CharVocabulary


def test_numbers_start_at_one_in_code_point_order_and_zero_is_unknown():
    vocabulary = CharVocabulary("banana\n")
    assert vocabulary.characters == "\nabn"
    assert len(vocabulary) == 5
    ids = vocabulary.encode("nab?\n")
    assert ids.dtype == np.int64
    assert ids.tolist() == [4, 2, 3, 0, 1]


def test_decode_undoes_encode_for_known_characters():
    vocabulary = CharVocabulary("héllo wörld")
    assert vocabulary.decode(vocabulary.encode("hold")) == "hold"
    assert vocabulary.decode([0]) == "\ufffd"
    with pytest.raises(IndexError):
        vocabulary.decode([len(vocabulary)])


def test_an_empty_text_has_an_empty_encoding():
    assert CharVocabulary("").encode("").shape == (0,)
    assert len(CharVocabulary("")) == 1
