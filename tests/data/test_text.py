import io

import pytest

from tinyseq.data import DataError, default_text, read_pieces, read_text, split_text
from tinyseq.data import text as text_module


def test_default_text_is_long_english_and_the_same_every_time():
    text = default_text()
    assert len(text) > 100_000
    assert "statement" in text and "\0" not in text
    assert text == default_text()


def test_read_text_keeps_line_ends_and_drops_the_byte_order_mark(tmp_path):
    path = tmp_path / "text"
    path.write_bytes(b"\xef\xbb\xbfa\r\nb\n\xc3\xa9")
    assert read_text(path) == "a\r\nb\né"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"abc\0def", "not a text file (NUL byte at offset 3)"),
        (b"ab\xff\xfe", "not UTF-8 text (byte 0xff at offset 2)"),
    ],
)
def test_read_text_refuses_what_is_not_text(tmp_path, content, message):
    path = tmp_path / "file"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_text(path)
    assert str(caught.value) == f"{path}: is {message}".replace("is is", "is")


def test_read_text_names_a_missing_file_and_a_directory(tmp_path):
    with pytest.raises(DataError, match="no such file"):
        read_text(tmp_path / "none")
    with pytest.raises(DataError, match="is a directory"):
        read_text(tmp_path)
    (tmp_path / "file").write_text("x")
    with pytest.raises(DataError, match="cannot be read"):
        read_text(tmp_path / "file" / "below")


@pytest.mark.parametrize(
    ("length", "share", "tail"), [(100, 0.1, 10), (3, 0.1, 2), (3, 0.99, 2), (10, 0.001, 2)]
)
def test_split_text_holds_the_end_out(length, share, tail):
    text = "".join(chr(97 + i % 26) for i in range(length))
    training, held_out = split_text(text, share)
    assert training + held_out == text
    assert len(held_out) == tail


def test_split_text_refuses_short_texts_and_odd_shares():
    with pytest.raises(DataError, match="2 character"):
        split_text("ab", 0.1)
    for share in (0.0, 1.0, -1.0, float("nan")):
        with pytest.raises(ValueError, match="held_out"):
            split_text("abcdef", share)


PIECES = [
    "ab\ncd",
    "\n\n  x\n\ny",
    "word " * 9,
    "x" * 40,
    "é中\U0001f600\r\n",
    "a\n" * 30,
    "\n" * 40,
]


@pytest.mark.parametrize("block", [1, 3, 7, 16, 1000])
@pytest.mark.parametrize("body", PIECES)
def test_pieces_together_are_the_text_wherever_the_blocks_end(tmp_path, monkeypatch, block, body):
    monkeypatch.setattr(text_module, "_BLOCK", block)
    path = tmp_path / "text"
    path.write_text("\ufeff" + body * 3, encoding="utf-8", newline="")
    seen = []
    assert "".join(read_pieces(path, seen.append)) == read_text(path) == body * 3
    assert b"".join(seen) == path.read_bytes()


def test_pieces_end_where_a_line_begins_else_a_word(monkeypatch):
    monkeypatch.setattr(text_module, "_BLOCK", 18)
    assert list(read_pieces(io.BytesIO(b"one two\n\n three\nfour"))) == [
        "one two\n\n three\n",
        "four",
    ]
    monkeypatch.setattr(text_module, "_BLOCK", 8)
    assert list(read_pieces(io.BytesIO(b"one two three"))) == ["one ", "two ", "three"]
    assert list(read_pieces(io.BytesIO(b"x" * 20))) == ["x" * 8, "x" * 8, "x" * 4]


@pytest.mark.parametrize("block", [1, 2, 5, 1000])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize(
    ("raw", "offset", "message"),
    [
        (b"abcd\0", 4, "NUL byte at offset"),
        (b"abc\xc3\xa9\xff", 5, "byte 0xff at offset"),
        (b"abcde\xe4\xb8", 5, "byte 0xe4 at offset"),
    ],
)
def test_the_offset_of_what_is_no_text(monkeypatch, block, mark, raw, offset, message):
    monkeypatch.setattr(text_module, "_BLOCK", block)
    with pytest.raises(DataError, match=f"^the text: is not .*{message} {offset + len(mark)}"):
        list(read_pieces(io.BytesIO(mark + raw)))


def test_an_open_file_is_named_and_left_open(tmp_path):
    (tmp_path / "text").write_bytes(b"\xff")
    with open(tmp_path / "text", "rb") as file:
        with pytest.raises(DataError, match=r"/text: is not UTF-8"):
            list(read_pieces(file))
        assert not file.closed
