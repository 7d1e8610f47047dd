"""Characters and their numbers."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray


class CharVocabulary:
    """The characters of a training text, numbered from 1 in code-point order.

    Number 0 is reserved for every character that is not among them. Held-out characters that never
    occur in the training part all become this one symbol, so that any two models over the same
    vocabulary are asked the same question: "is the next one a character never seen?".

    Args:
        characters: the known characters; repeats are ignored.
    """

    UNKNOWN = 0

    def __init__(self, characters: Iterable[str]) -> None:
        self.characters = "".join(sorted(set(characters)))
        self._number = {character: i for i, character in enumerate(self.characters, start=1)}

    def __len__(self) -> int:
        return len(self.characters) + 1

    def encode(self, text: str) -> NDArray[np.int64]:
        """Numbers (len(text),) int64 of a text's characters, 0 for the unknown ones."""
        number = self._number
        return np.fromiter(
            (number.get(character, self.UNKNOWN) for character in text), np.int64, len(text)
        )

    def decode(self, numbers: Iterable[int]) -> str:
        """The text that numbers stand for; 0 becomes U+FFFD, the replacement character.

        Raises IndexError when a number is not in the vocabulary.
        """
        table = "\ufffd" + self.characters
        return "".join(table[number] for number in numbers)
