import io
import os
import resource
import threading

import pytest

from tinyseq.data import (
    ByteTokenizer,
    CharTokenizer,
    DataError,
    TokenFile,
    WordTokenizer,
    prepare,
    text,
)

TEXT = 'The cat sat,\n\n  and "it" sat.\n' * 40
TOKENIZERS = {"byte": ByteTokenizer, "char": CharTokenizer, "word": WordTokenizer}
each = pytest.mark.parametrize("kind", TOKENIZERS)


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch, tmp_path):
    monkeypatch.setattr(text, "_BLOCK", 64)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "one").write_text(TEXT)
    (tmp_path / "two").write_text("Two é.\n")


def sources(how):
    if how == "files":
        return ["one", "two"]
    if how == "open files":
        return [io.BytesIO(TEXT.encode()), io.BytesIO("Two é.\n".encode())]
    ends = os.pipe()

    def feed():
        with os.fdopen(ends[1], "wb") as file:
            file.write(TEXT.encode())

    threading.Thread(target=feed).start()
    return [os.fdopen(ends[0], "rb"), "two"]


@each
@pytest.mark.parametrize("how", ["files", "open files", "a pipe"])
def test_the_tokens_are_those_of_the_whole_text(kind, how):
    whole = TEXT + "Two é.\n"
    texts = sources(how)
    tokens = prepare("tokens", texts, TOKENIZERS[kind]())
    expected = TOKENIZERS[kind]().fit(whole)
    assert tokens.tokenizer.to_json() == expected.to_json()
    assert tokens[:].tolist() == expected.encode(whole).tolist()
    assert sorted(os.listdir()) == ["one", "tokens", "two"]
    if how == "a pipe":
        texts[0].close()


def test_a_fitted_tokenizer_is_left_as_it_is():
    tokenizer = CharTokenizer("abc")
    tokens = prepare("tokens", ["one"], tokenizer, fit=False)
    assert tokens.tokenizer.characters == "abc" and 0 in tokens[:]


@each
def test_progress_tells_stage_bytes_and_total(kind):
    seen = []
    prepare("tokens", ["one", "two"], TOKENIZERS[kind](), progress=lambda *now: seen.append(now))
    size = len(TEXT) + 8
    assert {total for _, _, total in seen} == {size}
    stages = ["write"] if kind == "byte" else ["fit", "write"]
    assert list(dict.fromkeys(stage for stage, _, _ in seen)) == stages
    for stage in stages:
        done = [n for name, n, _ in seen if name == stage]
        assert done == sorted(done) and done[-1] == size and len(done) > 10
    seen.clear()
    prepare("tokens", [io.BytesIO(b"ab")], TOKENIZERS[kind](), progress=lambda *x: seen.append(x))
    assert seen == [(stage, 2, None) for stage in stages]


@each
@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ("none", "none: no such file"), (".", "is a directory"), ("empty", "empty: is empty"),
        ("nul", "NUL byte at offset 1"), ("latin", "not UTF-8"), ("tokens", "is the text itself"),
    ],
)  # fmt: skip
def test_a_bad_text_is_one_error_and_the_old_file_stands(kind, bad, message):
    prepare("tokens", ["two"], ByteTokenizer())
    for name, raw in (("empty", b""), ("nul", b"a\0"), ("latin", b"caf\xe9 ")):
        with open(name, "wb") as file:
            file.write(raw)
    before = sorted(os.listdir())
    with pytest.raises(DataError, match=message):
        prepare("tokens", ["one", bad], TOKENIZERS[kind]())
    assert sorted(os.listdir()) == before
    assert TokenFile("tokens")[:].tolist() == list("Two é.\n".encode())


def test_no_texts_and_a_path_alone():
    with pytest.raises(DataError, match="there are no texts"):
        prepare("tokens", [], ByteTokenizer())
    with pytest.raises(DataError, match="must be a list of texts, got the path 'one'"):
        prepare("tokens", "one", ByteTokenizer())
    with pytest.raises(DataError, match="cannot write the tokens: No such file"):
        prepare("none/tokens", [io.BytesIO(b"ab")], CharTokenizer())


def test_a_full_disk_under_the_copy_of_a_pipe_is_one_error():
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, limits[1]))
    try:
        with pytest.raises(DataError, match=r"tokens: cannot write the tokens: File too large"):
            prepare("tokens", [io.BytesIO(b"x y\n" * 50_000)], WordTokenizer())
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert sorted(os.listdir()) == ["one", "two"]
