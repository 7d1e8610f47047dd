"""Where the characters come from, and which of them are held out."""

from __future__ import annotations

import os


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
    name = os.fspath(path)
    try:
        with open(name, "rb") as file:
            raw = file.read()
    except FileNotFoundError:
        raise DataError(f"{name}: no such file") from None
    except IsADirectoryError:
        raise DataError(f"{name}: is a directory, expected a text file") from None
    except OSError as error:
        raise DataError(f"{name}: cannot be read: {error.strerror or error}") from None
    if not raw:
        raise DataError(f"{name}: is empty")
    nul = raw.find(b"\0")
    if nul >= 0:
        raise DataError(f"{name}: is not a text file (NUL byte at offset {nul})")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(
            f"{name}: is not UTF-8 text (byte 0x{error.object[error.start]:02x} "
            f"at offset {error.start})"
        ) from None


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
