"""Any tokenizer of Hugging Face's ``tokenizers`` as one of tinyseq's."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from tinyseq.data.text import DataError, read_text
from tinyseq.data.tokenizer import Ids, Tokenizer


class HuggingFaceTokenizer(Tokenizer):
    """A trained tokenizer of the package ``tokenizers``: byte pairs, word pieces, unigrams.

    It encodes all of a text, adds nothing to it, and leaves out special tokens when decoding;
    whether a text comes back exactly is the tokenizer's affair (one of byte pairs over bytes gives
    it back). A text that holds a special token's name is encoded as that token.

    Args:
        tokenizer: a ``tokenizers.Tokenizer``, which is copied, or the path of a ``tokenizer.json``.
        unknown, pad, begin, end: the names of the tokens that mean this, where there are such.

    Raises ImportError when ``tokenizers`` is not installed, DataError when the file cannot be read
    or holds no tokenizer, or a name is not among the tokens.
    """

    kind = "huggingface"

    def __init__(
        self,
        tokenizer: Any,
        *,
        unknown: str | None = None,
        pad: str | None = None,
        begin: str | None = None,
        end: str | None = None,
    ) -> None:
        by_path = isinstance(tokenizer, str | os.PathLike)
        self._tokenizer = _from_text(read_text(tokenizer) if by_path else tokenizer.to_str())
        # Such settings may have been saved with it, and would change or cut off texts.
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        self._size = max(self._tokenizer.get_vocab().values(), default=-1) + 1
        self._names = {"unknown": unknown, "pad": pad, "begin": begin, "end": end}
        for what, name in self._names.items():
            number = None if name is None else self._tokenizer.token_to_id(name)
            if number is None and name is not None:
                raise DataError(f"HuggingFaceTokenizer: {what} must be a token, got {name!r}")
            setattr(self, f"{what}_id", number)

    def __len__(self) -> int:
        return self._size

    def encode(self, text: str) -> Ids:
        """The numbers (n,) int64 of a text.

        Raises DataError when it is not a str, or holds half of a surrogate pair.
        """
        try:
            found = self._tokenizer.encode(self._checked_text(text), add_special_tokens=False)
        except TypeError:
            raise DataError(
                "HuggingFaceTokenizer.encode: text must be Unicode throughout"
            ) from None
        return np.array(found.ids, np.int64)

    def decode(self, ids: Iterable[int] | Ids) -> str:
        """The text that numbers (n,) stand for, without special tokens.

        Raises DataError when a number is not in the vocabulary.
        """
        return str(self._tokenizer.decode(self._checked(ids).tolist(), skip_special_tokens=True))

    def decode_stream(self, ids: Iterable[int]) -> Iterator[str]:
        """The text of numbers as they come, a character when its last token has come."""
        from tokenizers.decoders import DecodeStream

        stream = DecodeStream(skip_special_tokens=True)
        waiting: list[int] = []
        for number in ids:
            waiting += self._checked([number]).tolist()
            piece = stream.step(self._tokenizer, waiting[-1])
            if piece is not None:
                waiting = []
                yield piece
        yield self.decode(waiting)

    def to_json(self) -> dict[str, Any]:
        """What is in its ``tokenizer.json``, and the names of the marks."""
        description = json.loads(self._tokenizer.to_str())
        return {"kind": self.kind, "names": self._names, "tokenizer": description}

    @classmethod
    def from_json(cls, description: Mapping[str, Any]) -> HuggingFaceTokenizer:
        """The tokenizer that `to_json` described."""
        tokenizer = _from_text(json.dumps(description["tokenizer"]))
        return cls(tokenizer, **description["names"])


def _from_text(text: str) -> Any:
    try:
        import tokenizers
    except ImportError:
        raise ImportError(
            "HuggingFaceTokenizer needs the package tokenizers: pip install 'tinyseq[tokenizers]'"
        ) from None
    try:
        return tokenizers.Tokenizer.from_str(text)
    except Exception as error:  # the package has no other for this
        raise DataError(f"HuggingFaceTokenizer: this is not a tokenizer.json: {error}") from None
