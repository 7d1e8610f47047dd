import json
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyseq.data import DataError, TokenFile, load_tokenizer, tokenizer_from_json, write_tokens
from tinyseq.huggingface import HuggingFaceTokenizer

TEXT = "hello world, héllo wörld ❤"


@pytest.fixture(scope="module")
def theirs():
    package = pytest.importorskip("tokenizers", reason="the package tokenizers is not installed")
    trained = package.Tokenizer(package.models.BPE())
    trained.pre_tokenizer = package.pre_tokenizers.ByteLevel(add_prefix_space=False)
    trained.decoder = package.decoders.ByteLevel()
    trainer = package.trainers.BpeTrainer(
        vocab_size=300,
        special_tokens=["<pad>", "<eos>"],
        initial_alphabet=package.pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    trained.train_from_iterator([TEXT] * 3, trainer)
    return trained


@pytest.fixture(scope="module")
def ours(theirs):
    return HuggingFaceTokenizer(theirs, pad="<pad>", end="<eos>")


def test_its_numbers_are_theirs(theirs, ours):
    ids = ours.encode(TEXT)
    assert ids.tolist() == theirs.encode(TEXT).ids and len(ids) < len(TEXT.encode())
    assert ours.decode(ids) == TEXT
    assert ours.decode([0, *ids, 1]) == TEXT
    assert len(ours) == theirs.get_vocab_size() and ours.fit(None) is ours
    assert (ours.pad_id, ours.end_id, ours.begin_id, ours.unknown_id) == (0, 1, None, None)


@given(text=st.text())
def test_every_text_comes_back_also_piece_by_piece(ours, text):
    text = text.replace("<", "")
    ids = ours.encode(text)
    assert ours.decode(ids) == text == "".join(ours.decode_stream(iter(ids)))


def test_a_stream_that_ends_within_a_character(ours):
    ids = ours.encode("a漢")[:-1]
    assert "".join(ours.decode_stream(ids)) == ours.decode(ids) != "a"


def test_truncation_and_padding_that_were_saved_with_it_do_nothing(theirs):
    changed = type(theirs).from_str(theirs.to_str())
    changed.enable_truncation(3)
    changed.enable_padding(length=99)
    ids = HuggingFaceTokenizer(changed).encode(TEXT)
    assert ids.tolist() == theirs.encode(TEXT).ids
    assert len(changed.encode(TEXT).ids) == 99


def test_it_comes_back_from_files(theirs, ours, tmp_path):
    ours.save(tmp_path / "t.json")
    theirs.save(str(tmp_path / "tokenizer.json"))
    write_tokens(tmp_path / "tokens", ours, TEXT)
    for again in (
        load_tokenizer(tmp_path / "t.json"),
        HuggingFaceTokenizer(tmp_path / "tokenizer.json", pad="<pad>", end="<eos>"),
        TokenFile(tmp_path / "tokens").tokenizer,
    ):
        assert again.to_json() == ours.to_json()
        assert again.encode(TEXT).tolist() == ours.encode(TEXT).tolist()


def test_bad_input(theirs, ours, tmp_path):
    with pytest.raises(DataError, match="pad must be a token, got '<none>'"):
        HuggingFaceTokenizer(theirs, pad="<none>")
    with pytest.raises(DataError, match=r"decode: ids must be from 0 to \d+, got 300"):
        ours.decode([300])
    with pytest.raises(DataError, match="text must be Unicode"):
        ours.encode("\ud800")
    (tmp_path / "t.json").write_text("{}")
    with pytest.raises(DataError, match=r"not a tokenizer.json: Model missing"):
        HuggingFaceTokenizer(tmp_path / "t.json")
    good = json.loads(json.dumps(ours.to_json()))
    for change in ({"tokenizer": []}, {"names": []}, {"names": {"x": "y"}}, {"names": {"pad": 3}}):
        with pytest.raises(DataError, match="the huggingface tokenizer is damaged"):
            tokenizer_from_json({**good, **change})


def test_without_the_package_the_error_names_the_extra(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "tokenizers", None)
    (tmp_path / "t.json").write_text("{}")
    with pytest.raises(ImportError, match=r"pip install 'tinyseq\[tokenizers\]'"):
        HuggingFaceTokenizer(tmp_path / "t.json")
    with pytest.raises(ImportError, match=r"pip install 'tinyseq\[tokenizers\]'"):
        tokenizer_from_json({"kind": "huggingface", "tokenizer": {}, "names": {}})
