import json
import os

import pytest

from tinyseq.data import (
    ByteTokenizer,
    CharTokenizer,
    DataError,
    WordTokenizer,
    load_tokenizer,
    tokenizer_from_json,
)

TEXT = "A cat,\n sat. é \ud800"
ALL = [CharTokenizer(TEXT), WordTokenizer().fit(TEXT), ByteTokenizer()]


@pytest.mark.parametrize("tokenizer", ALL, ids=lambda tokenizer: tokenizer.kind)
def test_a_file_brings_back_the_kind_and_the_numbers(tokenizer, tmp_path):
    tokenizer.save(tmp_path / "t.json")
    again = load_tokenizer(tmp_path / "t.json")
    assert type(again) is type(tokenizer) and len(again) == len(tokenizer)
    assert again.decode(again.encode(TEXT)) == TEXT
    assert [ids.tolist() for ids in again.encode_many(["A", ""])] == [
        again.encode("A").tolist(),
        [],
    ]
    assert os.listdir(tmp_path) == ["t.json"]


def test_a_file_that_cannot_be_written_is_an_error(tmp_path):
    with pytest.raises(DataError, match="cannot write the tokenizer: No such file"):
        ByteTokenizer().save(tmp_path / "none" / "t.json")


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "is not a tokenizer"),
        (b"\xff\xfe\x00", "is not a tokenizer"),
        (b"[" * 200_000, "is not a tokenizer"),
        (b"[]", "kind must be one of byte, char, .*word, got None"),
        (b'{"kind": "none"}', "got 'none'"),
        (b'{"kind": ["word"]}', "kind must be one of"),
        (b'{"kind": "char"}', "lacks 'characters'"),
        (json.dumps({"kind": "char", "characters": ["b", "a"]}).encode(), "damaged"),
    ],
)
def test_files_from_strangers(raw, message, tmp_path):
    path = tmp_path / "t.json"
    path.write_bytes(raw)
    with pytest.raises(DataError, match=message) as caught:
        load_tokenizer(path)
    assert str(caught.value).startswith(str(path)) and len(str(caught.value)) < 400


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(DataError, match="none: cannot be read: No such file"):
        load_tokenizer(tmp_path / "none")
    with pytest.raises(DataError, match="got None"):
        tokenizer_from_json("word")
