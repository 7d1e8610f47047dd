"""A long sequence of tokens on disk, mapped into memory.

The file: 8 bytes that name the format; the number of tokens and the size of the description, each a
little-endian uint64; the description, JSON with the tokens' dtype and their tokenizer; zeros up to
the next multiple of 64 bytes; the tokens, little-endian. Nothing in it is ever executed.
"""

from __future__ import annotations

import copy
import json
import os
import struct
from collections.abc import Iterable
from typing import Any, BinaryIO, overload

import numpy as np
import numpy.typing as npt

from tinyseq.atomic import replacing
from tinyseq.data.text import DataError
from tinyseq.data.tokenizer import Ids, Tokenizer, several, tokenizer_from_json

_MAGIC = b"tinytok1"
_HEAD = struct.Struct("<8sQQ")
_DTYPES: dict[str, np.dtype[Any]] = {
    name: np.dtype(name).newbyteorder("<") for name in ("uint8", "uint16", "uint32")
}


class TokenFile:
    """The tokens that `write_tokens` wrote: a sequence (N,) of which only what is read is loaded.

    ``tokens[i]`` is an int; ``tokens[i:j]``, and ``tokens[places]`` for whole numbers of any shape,
    are int64 arrays.

    Args:
        path: of the file, which must not be written to while this is in use.

    Raises DataError when the file cannot be read, is damaged or is no token file; and when a token
    that is read is not among its tokenizer's numbers.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = os.fspath(path)
        try:
            with open(self.path, "rb") as file:
                self.tokenizer, dtype, count, offset = _read_head(file)
            # A mapping must not be empty.
            self._tokens = np.zeros(0, dtype)
            if count:
                mapped = np.memmap(self.path, dtype, "r", offset, (count,))
                self._tokens = mapped.view(np.ndarray)
        except OSError as error:
            raise DataError(f"{self.path}: cannot be read: {error.strerror or error}") from None
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            reason = f"its description lacks {error}" if isinstance(error, KeyError) else error
            raise DataError(f"{self.path}: is damaged or not a token file: {reason}") from None

    def __len__(self) -> int:
        return len(self._tokens)

    @overload
    def __getitem__(self, places: int) -> int: ...
    @overload
    def __getitem__(self, places: slice | npt.NDArray[Any]) -> Ids: ...
    def __getitem__(self, places: Any) -> Any:
        read = np.asarray(self._tokens[places]).astype(np.int64)
        if read.size and (largest := int(read.max())) >= len(self.tokenizer):
            raise DataError(
                f"{self.path}: holds a token {largest}, its tokenizer ends at "
                f"{len(self.tokenizer) - 1}"
            )
        return read if read.ndim else int(read)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> npt.NDArray[Any]:
        return np.asarray(self[:], dtype)

    def part(self, start: int, stop: int) -> TokenFile:
        """What ``[start:stop]`` would give, of which nothing is loaded before it is read."""
        part = copy.copy(self)
        part._tokens = self._tokens[start:stop]
        return part


def is_token_file(path: str | os.PathLike[str]) -> bool:
    """Whether the file begins as a token file does; not so if it cannot be read."""
    try:
        with open(path, "rb") as file:
            return file.read(len(_MAGIC)) == _MAGIC
    except OSError:
        return False


def write_tokens(
    path: str | os.PathLike[str],
    tokenizer: Tokenizer,
    pieces: str | Iterable[str],
) -> TokenFile:
    """Write the tokens of texts, one after another, whole or not at all, in constant memory.

    Args:
        path: where to; a file already there is replaced when the last token is written.
        tokenizer: a fitted one, which goes into the file; a token takes 1, 2 or 4 bytes, as the
            size of the vocabulary asks for.
        pieces: one text, or any number of them, each encoded by itself: a long text is to be cut
            where a token ends, as `read_pieces` does.

    Returns:
        the file, opened.

    Raises DataError when the file cannot be written, a piece is not a str, or the tokenizer gives
    numbers that it does not have; the old file then stands.
    """
    size = len(tokenizer)
    name = next((n for n in _DTYPES if size <= np.iinfo(n).max + 1), "uint32")
    description = json.dumps({"dtype": name, "tokenizer": tokenizer.to_json()}).encode()
    count = 0
    try:
        with replacing(path) as file:
            file.write(_HEAD.pack(_MAGIC, count, len(description)) + description)
            file.write(bytes(_offset(len(description)) - file.tell()))
            for piece in several(pieces):
                ids = tokenizer.encode(piece)
                if len(ids) and not 0 <= ids.min() <= ids.max() < size:
                    raise DataError(
                        f"write_tokens: tokens must be from 0 to {size - 1}, "
                        f"got {ids.min()} to {ids.max()}"
                    )
                file.write(ids.astype(_DTYPES[name]).tobytes())
                count += len(ids)
            file.seek(0)
            file.write(_HEAD.pack(_MAGIC, count, len(description)))
    except OSError as error:
        reason = error.strerror or error
        raise DataError(f"{os.fspath(path)}: cannot write the tokens: {reason}") from None
    return TokenFile(path)


def _offset(length: int) -> int:
    """Where the tokens begin behind a description of so many bytes."""
    return -(-(_HEAD.size + length) // 64) * 64


def _read_head(file: BinaryIO) -> tuple[Tokenizer, np.dtype[Any], int, int]:
    """Tokenizer, dtype, number and place of a file's tokens."""
    size = os.fstat(file.fileno()).st_size
    head = file.read(_HEAD.size)
    if len(head) < _HEAD.size or not head.startswith(_MAGIC):
        raise ValueError("it does not begin as one")
    _, count, length = _HEAD.unpack(head)
    if _HEAD.size + length > size:
        raise ValueError(f"a description of {length} bytes in {size}")
    description = json.loads(file.read(length))
    if not isinstance(description, dict) or description["dtype"] not in _DTYPES:
        raise ValueError(f"its tokens must be one of {', '.join(_DTYPES)}")
    dtype = _DTYPES[description["dtype"]]
    end = _offset(length) + count * dtype.itemsize
    if end != size:
        raise ValueError(f"with {count} tokens it would have {end} bytes, it has {size}")
    return tokenizer_from_json(description["tokenizer"]), dtype, count, _offset(length)
