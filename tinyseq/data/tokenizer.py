"""What every tokenizer does, and a tokenizer as a file and back."""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from tinyseq.atomic import replacing
from tinyseq.data.text import DataError

Ids = NDArray[np.int64]

_KINDS: dict[str, type[Tokenizer]] = {}
_BRIDGES = {"huggingface": "tinyseq.huggingface"}  # kinds whose module is loaded when asked for


class Tokenizer:
    """Text to numbers and back; a subclass says how, and names itself in ``kind``.

    ``len(tokenizer)`` is how many numbers there are, V. A tokenizer may have numbers for what it
    does not know, for padding, for a text's begin and its end; those it lacks are None.
    """

    kind: ClassVar[str]
    unknown_id: int | None = None
    pad_id: int | None = None
    begin_id: int | None = None
    end_id: int | None = None

    def __init_subclass__(cls) -> None:
        if "kind" in vars(cls):
            _KINDS[cls.kind] = cls

    def __len__(self) -> int:
        raise NotImplementedError

    def fit(self, texts: str | Iterable[str]) -> Tokenizer:
        """Learn the vocabulary from texts, read once and one at a time; returns the tokenizer.

        One that has nothing to learn leaves them unread.
        """
        return self

    def encode(self, text: str) -> Ids:
        """The numbers (n,) int64 of a text."""
        raise NotImplementedError

    def encode_many(self, texts: Iterable[str]) -> list[Ids]:
        """The numbers of each text.

        Raises DataError when ``texts`` is one text.
        """
        if isinstance(texts, str):
            name = type(self).__name__
            raise DataError(f"{name}.encode_many: texts must be several texts, got a str")
        return [self.encode(text) for text in texts]

    def decode(self, ids: Iterable[int] | Ids) -> str:
        """The text of numbers (n,).

        Raises DataError when one is not from 0 to V - 1.
        """
        raise NotImplementedError

    def decode_stream(self, ids: Iterable[int]) -> Iterator[str]:
        """The text of numbers as they come; the pieces together are what `decode` gives."""
        for number in ids:
            yield self.decode([number])

    def to_json(self) -> dict[str, Any]:
        """All there is to know, as JSON can hold it; `tokenizer_from_json` reads it."""
        raise NotImplementedError

    @classmethod
    def from_json(cls, description: Mapping[str, Any]) -> Tokenizer:
        """The tokenizer that `to_json` described.

        Raises KeyError, TypeError or ValueError when it describes none.
        """
        raise NotImplementedError

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a JSON file that `load_tokenizer` reads, whole or not at all.

        Raises DataError when it cannot be written.
        """
        raw = json.dumps(self.to_json(), indent=0).encode() + b"\n"
        try:
            with replacing(path) as file:
                file.write(raw)
        except OSError as error:
            reason = error.strerror or error
            raise DataError(f"{os.fspath(path)}: cannot write the tokenizer: {reason}") from None

    def _checked_text(self, text: str) -> str:
        if not isinstance(text, str):
            name = type(self).__name__
            raise DataError(f"{name}.encode: text must be a str, got {type(text).__name__}")
        return text

    def _checked(self, ids: Iterable[int] | Ids) -> Ids:
        where = f"{type(self).__name__}.decode"
        array = np.asarray(ids if isinstance(ids, np.ndarray) else list(ids))
        if array.size == 0:
            array = array.astype(np.int64)
        if array.ndim != 1 or array.dtype.kind not in "iu":
            raise DataError(
                f"{where}: ids must be whole numbers (n,), got {array.dtype} {array.shape}"
            )
        wrong = np.flatnonzero((array < 0) | (array >= len(self)))
        if len(wrong):
            raise DataError(
                f"{where}: ids must be from 0 to {len(self) - 1}, "
                f"got {array[wrong[0]]} at position {wrong[0]}"
            )
        return array.astype(np.int64)


def several(texts: str | Iterable[str]) -> Iterator[str]:
    """The texts to fit on: one, or any number of them.

    Raises DataError when one is not a str.
    """
    for text in [texts] if isinstance(texts, str) else texts:
        if not isinstance(text, str):
            raise DataError(f"fit: texts must be str, got {type(text).__name__}")
        yield text


def tokenizer_from_json(description: Any) -> Tokenizer:
    """The tokenizer that ``to_json`` described.

    Raises DataError when it describes none; nothing in it is executed.
    """
    kind = description.get("kind") if isinstance(description, Mapping) else None
    if not isinstance(kind, str) or kind not in {*_KINDS, *_BRIDGES}:
        kinds = ", ".join(sorted({*_KINDS, *_BRIDGES}))
        raise DataError(f"a tokenizer's kind must be one of {kinds}, got {kind!r}")
    if kind not in _KINDS:
        importlib.import_module(_BRIDGES[kind])
    try:
        return _KINDS[kind].from_json(description)
    except (KeyError, TypeError, ValueError) as error:
        reason = f"lacks {error}" if isinstance(error, KeyError) else str(error)
        raise DataError(f"the {kind} tokenizer is damaged: {reason}") from None


def load_tokenizer(path: str | os.PathLike[str]) -> Tokenizer:
    """Read what ``save`` wrote, whatever its kind.

    Raises DataError when the file cannot be read or holds no tokenizer.
    """
    name = os.fspath(path)
    try:
        with open(name, "rb") as file:
            description = json.loads(file.read())
    except OSError as error:
        raise DataError(f"{name}: cannot be read: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{name}: is not a tokenizer ({error})") from None
    try:
        return tokenizer_from_json(description)
    except DataError as error:
        raise DataError(f"{name}: {error}") from None
