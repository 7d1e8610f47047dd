"""Characters and their numbers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from tinyseq.data.text import DataError
from tinyseq.data.tokenizer import Ids, Tokenizer, several


class CharTokenizer(Tokenizer):
    """The characters of a training text, numbered from 1 in code-point order.

    Number 0 is reserved for every character that is not among them. Held-out characters that never
    occur in the training part all become this one symbol, so that any two models over the same
    vocabulary are asked the same question: "is the next one a character never seen?".

    A text of known characters comes back from `decode` as it was.

    Args:
        characters: the known characters; repeats are ignored.
    """

    kind = "char"
    unknown_id = 0

    def __init__(self, characters: Iterable[str] = ()) -> None:
        self._know(set(characters))

    def _know(self, characters: set[str]) -> None:
        self.characters = "".join(sorted(characters))
        self._codes = _code_points("\ufffd" + self.characters)
        # Of each code point its number; the last place is for all those above.
        self._numbers = np.zeros(int(self._codes[1:].max(initial=0)) + 2, np.int64)
        self._numbers[self._codes[1:]] = np.arange(1, len(self))

    def __len__(self) -> int:
        return len(self.characters) + 1

    def fit(self, texts: str | Iterable[str]) -> CharTokenizer:
        """Know the characters of these texts, and no others; returns the tokenizer."""
        known: set[str] = set()
        for text in several(texts):
            known.update(text)
        self._know(known)
        return self

    def encode(self, text: str) -> Ids:
        """Numbers (len(text),) int64 of a text's characters, 0 for the unknown ones."""
        codes = _code_points(self._checked_text(text))
        numbers: Ids = self._numbers[np.minimum(codes, len(self._numbers) - 1)]
        return numbers

    def decode(self, ids: Iterable[int] | Ids) -> str:
        """The text that numbers (n,) stand for; 0 becomes U+FFFD, the replacement character.

        Raises DataError when a number is not in the vocabulary.
        """
        return str(self._codes[self._checked(ids)].tobytes().decode(*_UTF32))

    def to_json(self) -> dict[str, Any]:
        """The known characters, a list: JSON would make one character of two halves of a pair."""
        return {"kind": self.kind, "characters": list(self.characters)}

    @classmethod
    def from_json(cls, description: Mapping[str, Any]) -> CharTokenizer:
        """The tokenizer that `to_json` described."""
        characters = description["characters"]
        tokenizer = cls(characters)
        if list(tokenizer.characters) != characters:
            raise DataError("its characters must be a list, in order and each once")
        return tokenizer


_UTF32 = ("utf-32-le", "surrogatepass")


def _code_points(text: str) -> Any:
    return np.frombuffer(text.encode(*_UTF32), "<u4")
