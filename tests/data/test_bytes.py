import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyseq.data import ByteTokenizer, DataError, tokenizer_from_json

TOKENIZER = ByteTokenizer()


def test_numbers_are_the_bytes_of_utf8():
    assert len(TOKENIZER) == 256
    assert TOKENIZER.encode("aé").tolist() == [97, 0xC3, 0xA9]
    assert TOKENIZER.fit(None) is TOKENIZER  # nothing to learn, nothing read


@given(st.text(st.characters() | st.characters(categories=["Cs"])))
def test_every_text_comes_back(text):
    ids = TOKENIZER.encode(text)
    assert TOKENIZER.decode(ids) == text
    if not any("\ud800" <= character <= "\udfff" for character in text):
        assert "".join(TOKENIZER.decode_stream(iter(ids))) == text


@given(st.binary())
def test_all_bytes_come_back_and_decode_to_some_text(raw):
    ids = TOKENIZER.encode(raw)
    assert TOKENIZER.decode_bytes(ids) == raw
    assert TOKENIZER.decode(ids) == raw.decode("utf-8", "replace")
    assert "".join(TOKENIZER.decode_stream(ids.tolist())) == raw.decode("utf-8", "replace")


def test_a_stream_gives_a_character_with_its_last_byte():
    assert list(TOKENIZER.decode_stream(iter("aé".encode()))) == ["a", "", "é", ""]
    assert list(TOKENIZER.decode_stream([0xC3])) == ["", "\ufffd"]


def test_numbers_that_are_no_bytes_are_refused_and_json_needs_the_kind_alone():
    with pytest.raises(DataError, match="ids must be from 0 to 255, got 256 at position 0"):
        TOKENIZER.decode([256])
    assert isinstance(tokenizer_from_json({"kind": "byte"}), ByteTokenizer)
