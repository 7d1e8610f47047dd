import json
import os
import resource
import struct

import numpy as np
import pytest

from tinyseq.data import (
    ByteTokenizer,
    CharTokenizer,
    DataError,
    Streams,
    TokenFile,
    Windows,
    WordTokenizer,
    is_token_file,
    write_tokens,
)

TEXT = "The cat sat.\nIt sat again, and again.\n" * 9


@pytest.fixture
def path(tmp_path):
    return tmp_path / "tokens"


@pytest.mark.parametrize(
    ("tokenizer", "dtype"),
    [
        (ByteTokenizer(), np.uint8),
        (CharTokenizer(TEXT), np.uint8),
        (WordTokenizer().fit(TEXT), np.uint8),
        (CharTokenizer(map(chr, range(300))), np.uint16),
        (CharTokenizer(map(chr, range(70000))), np.uint32),
    ],
    ids=["byte", "char", "word", "300", "70000"],
)
def test_what_is_written_is_read(path, tokenizer, dtype):
    tokens = write_tokens(path, tokenizer, iter([TEXT, "", TEXT]))
    ids = tokenizer.encode(TEXT + TEXT)
    assert len(tokens) == len(ids) and np.array_equal(tokens[:], ids)
    assert tokens[:].dtype == np.int64
    assert path.stat().st_size - len(ids) * dtype().itemsize < 64 + len(
        json.dumps(tokenizer.to_json()) + '{"dtype": "uint32", "tokenizer": }' + 64 * "."
    )
    assert tokens.tokenizer.to_json() == tokenizer.to_json()
    assert tokens.tokenizer.decode(tokens[:]) == TEXT + TEXT
    assert is_token_file(path)


def test_it_is_indexed_as_an_array_is(path):
    tokens = write_tokens(path, ByteTokenizer(), TEXT)
    ids = np.array(tokens)
    assert ids.tolist() == list(TEXT.encode())
    assert tokens[3] == ids[3] and type(tokens[3]) is int and tokens[-1] == ids[-1]
    assert np.array_equal(tokens[5:50:3], ids[5:50:3])
    places = np.array([[1, 2], [7, 0]])
    assert np.array_equal(tokens[places], ids[places])
    with pytest.raises(IndexError):
        tokens[len(tokens)]
    part = tokens.part(10, 30)
    assert isinstance(part, TokenFile) and len(part) == 20 and len(tokens) == len(ids)
    assert np.array_equal(part[:], ids[10:30]) and np.array_equal(part.part(5, 99)[:], ids[15:30])


@pytest.mark.parametrize("kind", [Streams, Windows])
def test_streams_and_windows_read_a_file_as_they_read_an_array(path, kind):
    tokens = write_tokens(path, ByteTokenizer(), TEXT)
    for x, y in ((tokens, tokens[:]), (tokens.part(7, 99), tokens[7:99])):
        for file, array in zip(kind(x, 3, 8), kind(y, 3, 8), strict=True):
            assert np.array_equal(file.x, array.x) and np.array_equal(file.y, array.y)
            assert file.x.dtype == np.int64


def test_no_tokens_are_a_file_too_but_nothing_to_train_on(path):
    tokens = write_tokens(path, ByteTokenizer(), [])
    assert len(tokens) == 0 and tokens[:].shape == (0,) and len(tokens.part(0, 0)) == 0
    with pytest.raises(DataError, match=r"0 symbol.*too short for one window of 8"):
        Streams(tokens, 1, 8)


class Wrong(ByteTokenizer):
    def encode(self, text):
        return np.array([0, 256])


@pytest.mark.parametrize("pieces", [["a", b"b"], ["a", None]])
def test_an_error_on_the_way_leaves_the_old_file(path, pieces):
    write_tokens(path, ByteTokenizer(), "old")
    with pytest.raises(DataError, match="texts must be str"):
        write_tokens(path, ByteTokenizer(), pieces)
    with pytest.raises(DataError, match="tokens must be from 0 to 255, got 0 to 256"):
        write_tokens(path, Wrong(), "a")
    assert os.listdir(path.parent) == ["tokens"] and TokenFile(path)[:].tolist() == list(b"old")


def test_a_full_disk_is_one_error_and_the_old_file_stands(path):
    write_tokens(path, ByteTokenizer(), "old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 16, limits[1]))
    try:
        with pytest.raises(DataError, match=r"tokens: cannot write the tokens: File too large"):
            write_tokens(path, ByteTokenizer(), ["x" * 1000] * 100)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert os.listdir(path.parent) == ["tokens"] and TokenFile(path)[:].tolist() == list(b"old")


def test_a_token_out_of_range_is_named_when_it_is_read(path):
    write_tokens(path, CharTokenizer("ab"), "abab")
    raw = bytearray(path.read_bytes())
    raw[-1] = 7
    path.write_bytes(raw)
    tokens = TokenFile(path)
    assert tokens[:3].tolist() == [1, 2, 1]
    for places in (3, slice(None), np.array([3])):
        with pytest.raises(DataError, match="holds a token 7, its tokenizer ends at 2"):
            tokens[places]


def lie(count=4, length=None, **changes):
    """The bytes of a file of 4 tokens whose head says something else."""
    description = {"dtype": "uint8", "tokenizer": {"kind": "byte"}, **changes}
    raw = json.dumps({key: value for key, value in description.items() if value != ()}).encode()
    size = len(raw) if length is None else length
    head = struct.pack("<8sQQ", b"tinytok1", count, size) + raw
    return head.ljust(-(-len(head) // 64) * 64, b"\0") + b"abcd"


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"", "does not begin as one"),
        (b"tinytok1", "does not begin as one"),
        (b"A text, longer than a head is.", "does not begin as one"),
        (lie(3), "with 3 tokens it would have"),
        (lie(2**64 - 1), "tokens it would have"),
        (lie()[:-1], "it has"),
        (lie() + b"e", "it has"),
        (lie(length=2**64 - 1), "a description of 18446744073709551615 bytes"),
        (lie(length=5), "damaged"),
        (lie(dtype="float32"), "must be one of uint8, uint16, uint32"),
        (lie(dtype=["uint8"]), "damaged"),
        (lie(dtype="uint16"), "with 4 tokens"),
        (lie(dtype=()), "lacks 'dtype'"),
        (lie(tokenizer=()), "lacks 'tokenizer'"),
        (lie(tokenizer=None), "kind must be one of"),
        (lie(tokenizer={"kind": "char", "characters": ["b", "a"]}), "in order and each once"),
        (lie().replace(b"{", b"[", 1), "damaged"),
        (struct.pack("<8sQQ", b"tinytok1", 0, 10**5) + b"[" * 10**5, "damaged"),
        (struct.pack("<8sQQ", b"tinytok1", 0, 2).ljust(64, b"\0"), "damaged"),
    ],
)  # fmt: skip
def test_files_from_strangers_and_lies_in_the_head(path, raw, message):
    path.write_bytes(raw)
    with pytest.raises(DataError, match=f"damaged or not a token file: .*{message}|{message}"):
        TokenFile(path)


def test_no_damage_gets_by_or_is_another_error(path):
    raw = lie()
    path.write_bytes(raw)
    assert TokenFile(path)[:].tolist() == list(b"abcd")
    rng = np.random.default_rng(0)
    for _ in range(400):
        damaged = bytearray(raw[: rng.integers(len(raw) + 1)] if rng.random() < 0.3 else raw)
        for _ in range(rng.integers(1, 5) if damaged else 0):
            damaged[rng.integers(len(damaged))] = rng.integers(256)
        path.write_bytes(damaged)
        try:
            tokens = TokenFile(path)
        except DataError as error:
            assert str(error).startswith(f"{path}: is damaged or not a token file: ")
        else:
            assert len(tokens[:]) == 4


def test_files_that_cannot_be_read(tmp_path):
    with pytest.raises(DataError, match="none: cannot be read: No such file"):
        TokenFile(tmp_path / "none")
    with pytest.raises(DataError, match="cannot be read: Is a directory"):
        TokenFile(tmp_path)
    assert not is_token_file(tmp_path) and not is_token_file(tmp_path / "none")
    (tmp_path / "text").write_text("text")
    assert not is_token_file(tmp_path / "text")
    with pytest.raises(DataError, match="cannot write the tokens: No such file"):
        write_tokens(tmp_path / "none" / "tokens", ByteTokenizer(), "a")
