"""Texts of any size made ready for training: a tokenizer fitted on them, and their token file."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from typing import BinaryIO

from tinyseq.data.text import DataError, Source, read_pieces
from tinyseq.data.token_file import TokenFile, write_tokens
from tinyseq.data.tokenizer import Tokenizer

Progress = Callable[[str, int, int | None], object]


def prepare(
    path: str | os.PathLike[str],
    sources: Iterable[Source],
    tokenizer: Tokenizer,
    fit: bool = True,
    progress: Progress = lambda stage, done, total: None,
) -> TokenFile:
    """Read texts, one after another, and write their tokens to a file, in constant memory.

    A tokenizer to be fitted reads the texts once and their tokens are written the second time;
    what can be read only once, such as a pipe, is kept in a temporary file in between.

    Args:
        path: of the token file; one already there is replaced when the new one is whole.
        sources: paths of UTF-8 texts, and binary files open for reading.
        tokenizer: which goes into the file.
        fit: whether to fit it on the texts first, if it has anything to learn.
        progress: called as it goes on with the stage, "fit" or "write", the number of bytes read in
            it, and of how many; None when that is not known.

    Returns:
        the token file, opened.

    Raises DataError when there are no texts, when one cannot be read, is empty, is not UTF-8 or is
    the token file itself, and when that cannot be written; the old file then stands.
    """
    if isinstance(sources, str | os.PathLike):
        raise DataError(f"prepare: sources must be a list of texts, got the path {sources!r}")
    texts = list(sources)
    if not texts:
        raise DataError("prepare: there are no texts")
    for text in texts:
        if isinstance(text, str | os.PathLike) and os.path.exists(text) and os.path.exists(path):
            if os.path.samefile(text, path):
                raise DataError(f"{os.fspath(path)}: is the text itself, which would be replaced")
    sizes = [_size(text) for text in texts]
    total = sum(size for size in sizes if size is not None) if None not in sizes else None
    with ExitStack() as stack:
        if fit and type(tokenizer).fit is not Tokenizer.fit:
            copies = {n: _Copy(path, stack) for n, size in enumerate(sizes) if size is None}
            tokenizer.fit(_pieces(texts, copies, lambda done: progress("fit", done, total)))
            for number, copy in copies.items():
                texts[number] = copy.read()
        pieces = _pieces(texts, {}, lambda done: progress("write", done, total))
        return write_tokens(path, tokenizer, pieces)


class _Copy:
    """A temporary file beside the token file, where there must be room anyway."""

    def __init__(self, path: str | os.PathLike[str], stack: ExitStack) -> None:
        self.path = os.fspath(path)
        with self._reported():
            folder = os.path.dirname(os.path.realpath(path))
            self._file: BinaryIO = tempfile.TemporaryFile(dir=folder)
        stack.callback(self._close)

    def write(self, raw: bytes) -> None:
        with self._reported():
            self._file.write(raw)

    def read(self) -> BinaryIO:
        with self._reported():
            self._file.seek(0)
        return self._file

    def _close(self) -> None:
        with suppress(OSError):  # what could not be written is not wanted any more
            self._file.close()

    @contextmanager
    def _reported(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = error.strerror or error
            raise DataError(f"{self.path}: cannot write the tokens: {reason}") from None


def _size(text: Source) -> int | None:
    """Bytes of what can be read again; of what cannot even be opened none, so that it is tried."""
    if not isinstance(text, str | os.PathLike):
        return None
    if os.path.exists(text) and not os.path.isfile(text) and not os.path.isdir(text):
        return None
    return os.path.getsize(text) if os.path.isfile(text) else 0


def _pieces(
    texts: list[Source], copies: Mapping[int, _Copy], report: Callable[[int], object]
) -> Iterator[str]:
    """The texts in pieces; some are copied as they are read."""
    done = 0
    for number, text in enumerate(texts):
        copy = copies.get(number)

        def seen(raw: bytes, copy: _Copy | None = copy) -> None:
            nonlocal done
            if copy is not None:
                copy.write(raw)
            done += len(raw)
            report(done)

        yield from read_pieces(text, seen)
