"""Where the characters come from, and which of them are held out."""

from __future__ import annotations

import codecs
import contextlib
import os
import re
from collections.abc import Callable, Iterator
from typing import BinaryIO

Source = str | os.PathLike[str] | BinaryIO

_BLOCK = 1 << 20
# As much as there is before the last place where a line, or else a word, begins.
_LINES = re.compile(r".*\n(?=\S)", re.DOTALL)
_WORDS = re.compile(r".*\s(?=\S)", re.DOTALL)


class DataError(ValueError):
    """A text that cannot be read or cannot be used; the message is one line for the user."""


def default_text() -> str:
    """The Python documentation that ships inside CPython, about half a million characters.

    The topics of ``pydoc_data.topics`` in the order of their names, a blank line between them.
    The text grows from one Python version to the next: 459,000 characters in 3.10, 511,000 in 3.13.

    Raises DataError when this Python was installed without its documentation.
    """
    try:
        from pydoc_data.topics import topics
    except ImportError:
        raise DataError(
            "this Python has no pydoc_data.topics to train on; give a text with --data FILE"
        ) from None
    return "\n\n".join(topics[name].strip() for name in sorted(topics)) + "\n"


def read_text(path: str | os.PathLike[str]) -> str:
    """The whole of a UTF-8 text file, line ends as they are, without a byte order mark.

    Raises DataError, with the path in the message, when the file is missing, is a directory, cannot
    be read, is empty, holds a NUL byte or is not UTF-8.
    """
    return "".join(read_pieces(path))


def read_pieces(
    source: Source, seen: Callable[[bytes], object] = lambda raw: None
) -> Iterator[str]:
    """A UTF-8 text of any size in pieces of about a megabyte, which together are `read_text`.

    A piece ends at a line's end before something other than white space, so that words, runs of
    white space and lines are whole. In a line longer than a piece it ends behind a white space, and
    where there is none, anywhere.

    Args:
        source: a path, or an open binary file or pipe, which is not closed.
        seen: called with the bytes, block by block.

    Raises DataError as `read_text` does.
    """
    if isinstance(source, str | os.PathLike):
        name = os.fspath(source)
    else:
        name = str(getattr(source, "name", "the text"))
    decoder = codecs.getincrementaldecoder("utf-8-sig")()
    waiting, read = "", 0
    try:
        with _opened(source) as file:
            while raw := file.read(_BLOCK):
                nul = raw.find(b"\0")
                if nul >= 0:
                    raise DataError(f"{name}: is not a text file (NUL byte at offset {read + nul})")
                seen(raw)
                read += len(raw)
                waiting += decoder.decode(raw)
                cut = _cut(waiting)
                if cut:
                    yield waiting[:cut]
                    waiting = waiting[cut:]
        waiting += decoder.decode(b"", final=True)
    except FileNotFoundError:
        raise DataError(f"{name}: no such file") from None
    except IsADirectoryError:
        raise DataError(f"{name}: is a directory, expected a text file") from None
    except OSError as error:
        raise DataError(f"{name}: cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError as error:
        offset = read - len(error.object) + error.start
        raise DataError(
            f"{name}: is not UTF-8 text (byte 0x{error.object[error.start]:02x} at offset {offset})"
        ) from None
    if not read:
        raise DataError(f"{name}: is empty")
    if waiting:
        yield waiting


def _opened(source: Source) -> contextlib.AbstractContextManager[BinaryIO]:
    if isinstance(source, str | os.PathLike):
        return open(source, "rb")
    return contextlib.nullcontext(source)


def _cut(text: str) -> int:
    """How much of what was read is a piece; 0 if it must wait for more."""
    found = _LINES.match(text)
    if not found and len(text) >= _BLOCK:
        found = _WORDS.match(text)
        return found.end() if found else len(text)
    return found.end() if found else 0


def split_text(text: str, held_out: float) -> tuple[str, str]:
    """Cut a text into the part to train on and its held-out tail.

    The tail is the last ``held_out`` of the characters and never fewer than two, since predicting
    takes one character to start from; the training part keeps at least one.

    Args:
        text: at least three characters.
        held_out: the share to keep back, above 0 and below 1.

    Raises DataError when the text has fewer than three characters, ValueError when ``held_out`` is
    outside its range.
    """
    if not 0.0 < held_out < 1.0:
        raise ValueError(f"split_text: held_out must be above 0 and below 1, got {held_out}")
    if len(text) < 3:
        raise DataError(
            f"the text has {len(text)} character(s): too short to hold a part of it out"
        )
    tail = min(max(2, round(len(text) * held_out)), len(text) - 1)
    return text[:-tail], text[-tail:]
