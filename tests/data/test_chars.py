import json

import numpy as np
import pytest

from tinyseq.data import CharTokenizer, DataError, tokenizer_from_json


def test_numbers_start_at_one_in_code_point_order_and_zero_is_unknown():
    tokenizer = CharTokenizer("banana\n")
    assert tokenizer.characters == "\nabn"
    assert len(tokenizer) == 5
    ids = tokenizer.encode("nab?\n")
    assert ids.dtype == np.int64
    assert ids.tolist() == [4, 2, 3, 0, 1]


def test_decode_undoes_encode_for_known_characters():
    text = "héllo wörld \U0001f600 \ud800 \x00"
    tokenizer = CharTokenizer(text)
    assert tokenizer.decode(tokenizer.encode(text)) == text
    assert tokenizer.decode([0]) == "\ufffd"
    assert "".join(tokenizer.decode_stream(iter(tokenizer.encode(text)))) == text


@pytest.mark.parametrize("number", [3, -1])
def test_a_number_out_of_range_is_named(number):
    with pytest.raises(DataError, match=rf"decode: ids must be from 0 to 2, got {number} at posit"):
        CharTokenizer("ab").decode([1, number])
    with pytest.raises(DataError, match="whole numbers"):
        CharTokenizer("ab").decode([1.0])


def test_characters_above_and_between_the_known_ones_are_unknown():
    assert CharTokenizer("ac").encode("abc\U0010ffff\0").tolist() == [1, 0, 2, 0, 0]


def test_an_empty_text_has_an_empty_encoding():
    empty = CharTokenizer()
    assert empty.encode("").shape == (0,) and empty.decode([]) == ""
    assert len(empty) == 1
    assert empty.encode("ab").tolist() == [0, 0]


def test_fit_takes_a_text_or_many_and_forgets_the_former():
    assert CharTokenizer("x").fit("banana").characters == "abn"
    assert CharTokenizer("x").fit(iter(["ba", "nana"])).characters == "abn"
    with pytest.raises(DataError, match="texts must be str, got bytes"):
        CharTokenizer().fit([b"ab"])
    with pytest.raises(DataError, match="text must be a str, got list"):
        CharTokenizer().encode(["ab"])


def test_it_comes_back_from_json_and_damage_is_found():
    description = json.loads(json.dumps(CharTokenizer("abé\udbff\udc00").to_json()))
    assert tokenizer_from_json(description).characters == "abé\udbff\udc00"
    for characters in (["b", "a"], ["a", "a"], ["ab"], "ab", 3, None, [[]], [1]):
        with pytest.raises(DataError, match="the char tokenizer is damaged"):
            tokenizer_from_json({**description, "characters": characters})
