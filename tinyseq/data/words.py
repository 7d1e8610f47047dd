"""Words and their numbers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any

import numpy as np

from tinyseq.data.text import DataError
from tinyseq.data.tokenizer import Ids, Tokenizer, several

MARKS = ("<pad>", "<unk>", "<bos>", "<eos>")

_WORD = r"\w+(?:['’]\w+)*"
_WORDS = re.compile(_WORD)
# The one space between two words matches, but not as a group: findall gives "" for it.
_PIECES = re.compile(rf"(?<=\w) (?=\w)|({_WORD}|.)", re.DOTALL)
_DISTINCT = 1 << 20


class WordTokenizer(Tokenizer):
    """Words, and every other character by itself, numbered from 4, the most frequent first.

    A word is letters, digits and underscores, with apostrophes inside; between two words a single
    space is understood and has no number. Nothing else is left out: a text whose words and
    characters are all known comes back from `decode` exactly as it was, spaces and line ends too.
    Two things give that up, when asked for: ``lower``, and ``words_only``, after which `decode`
    puts single spaces between the words.

    The numbers below 4 are marks, which no text can forge: 0 is padding (``<pad>``), 1 stands for
    all that is unknown (``<unk>``), 2 and 3 for a text's begin and end (``<bos>``, ``<eos>``).

    Args:
        vocab_size: the most numbers there may be, marks included: the rarest words are unknown. Of
            equally frequent ones those first in code-point order are kept.
        min_count: words that occur less often are unknown.
        lower: read all in lower case.
        words_only: leave out all that is not a word, punctuation and line ends too.

    Raises ValueError when vocab_size has no room for a word beside the marks, or min_count is
    below 1.
    """

    kind = "word"
    pad_id = 0
    unknown_id = 1
    begin_id = 2
    end_id = 3

    def __init__(
        self,
        vocab_size: int | None = None,
        min_count: int = 1,
        lower: bool = False,
        words_only: bool = False,
    ) -> None:
        if vocab_size is not None and vocab_size <= len(MARKS):
            raise ValueError(
                f"WordTokenizer: vocab_size must be above {len(MARKS)}, the marks, got {vocab_size}"
            )
        if min_count < 1:
            raise ValueError(f"WordTokenizer: min_count must be at least 1, got {min_count}")
        self.vocab_size = vocab_size
        self.min_count = min_count
        self.lower = lower
        self.words_only = words_only
        self._know([])

    def _know(self, words: Iterable[str]) -> None:
        self.vocabulary = [*MARKS, *words]  # of each number its word
        self._number = {word: i for i, word in enumerate(self.vocabulary) if i >= len(MARKS)}
        self._is_word = [bool(_WORDS.match(word)) for word in self.vocabulary]
        self._is_word[self.unknown_id] = True

    def __len__(self) -> int:
        return len(self.vocabulary)

    def fit(self, texts: str | Iterable[str]) -> WordTokenizer:
        """Know the words of these texts, and no others; returns the tokenizer.

        With a ``vocab_size`` the counting keeps within memory: when there are a million different
        words, and eight times those wanted, the rarest are forgotten and counted anew.
        """
        counts: Counter[str] = Counter()
        most = None if self.vocab_size is None else max(_DISTINCT, 8 * self.vocab_size)
        for text in several(texts):
            counts.update(self._pieces(text))
            while most is not None and len(counts) > most:
                rarest = min(counts.values())
                counts = Counter({word: n for word, n in counts.items() if n > rarest})
        known = (word for word, n in counts.items() if n >= self.min_count)
        ordered = sorted(known, key=lambda word: (-counts[word], word))
        room = None if self.vocab_size is None else self.vocab_size - len(MARKS)
        self._know(islice(ordered, room))
        return self

    def _pieces(self, text: str) -> Iterable[str]:
        text = text.lower() if self.lower else text
        if self.words_only:
            return _WORDS.findall(text)
        return filter(None, _PIECES.findall(text))

    def encode(self, text: str, begin: bool = False, end: bool = False) -> Ids:
        """Numbers (n,) int64 of a text's words, 1 for the unknown ones.

        Args:
            text: any text.
            begin, end: whether to put these marks before and behind.
        """
        find, unknown = self._number.get, self.unknown_id
        numbers = [find(piece, unknown) for piece in self._pieces(self._checked_text(text))]
        marked = [*[self.begin_id] * begin, *numbers, *[self.end_id] * end]
        return np.array(marked, np.int64)

    def decode(self, ids: Iterable[int] | Ids) -> str:
        """The text that numbers (n,) stand for; 1 becomes ``<unk>``, the other marks nothing.

        Raises DataError when a number is not in the vocabulary.
        """
        return "".join(self._spaced(self._checked(ids).tolist()))

    def decode_stream(self, ids: Iterable[int]) -> Iterator[str]:
        """The text of numbers as they come, a space before a word that follows a word."""
        return self._spaced(int(self._checked([number])[0]) for number in ids)

    def _spaced(self, ids: Iterable[int]) -> Iterator[str]:
        after_word = False
        for number in ids:
            if number in (self.pad_id, self.begin_id, self.end_id):
                continue
            is_word = self._is_word[number]
            yield " " * (is_word and after_word) + self.vocabulary[number]
            after_word = is_word

    def to_json(self) -> dict[str, Any]:
        """What it was made with, and the words in the order of their numbers."""
        return {
            "kind": self.kind,
            "vocab_size": self.vocab_size,
            "min_count": self.min_count,
            "lower": self.lower,
            "words_only": self.words_only,
            "words": self.vocabulary[len(MARKS) :],
        }

    @classmethod
    def from_json(cls, description: Mapping[str, Any]) -> WordTokenizer:
        """The tokenizer that `to_json` described."""
        made = {name: description[name] for name in ("lower", "words_only")}
        sizes = {name: description[name] for name in ("vocab_size", "min_count")}
        words = description["words"]
        if not all(isinstance(flag, bool) for flag in made.values()):
            raise DataError("lower and words_only must be true or false")
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise DataError("its words must be a list of texts")
        pieces = _WORDS if description["words_only"] else re.compile(f"{_WORD}|.", re.DOTALL)
        for word in words:
            if not pieces.fullmatch(word):
                raise DataError(f"its words must be single words, got {word[:40]!r}")
        if len(set(words)) != len(words):
            raise DataError("its words must be there once each")
        tokenizer = cls(**sizes, **made)
        tokenizer._know(words)
        return tokenizer
