"""The bytes of a text as its numbers."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from tinyseq.data.tokenizer import Ids, Tokenizer


class ByteTokenizer(Tokenizer):
    """The 256 bytes: a text's are those of its UTF-8. There is nothing to learn or to be unknown.

    Every str comes back from `decode` as it was, and all bytes whatever from `decode_bytes`.
    """

    kind = "byte"

    def __len__(self) -> int:
        return 256

    def encode(self, text: str | bytes) -> Ids:
        """The bytes (n,) int64 of a text in UTF-8, or of bytes as they are."""
        raw = text
        if not isinstance(raw, bytes):
            raw = self._checked_text(raw).encode("utf-8", "surrogatepass")
        return np.frombuffer(raw, np.uint8).astype(np.int64)

    def decode_bytes(self, ids: Iterable[int] | Ids) -> bytes:
        """The bytes that numbers (n,) stand for.

        Raises DataError when one is not from 0 to 255.
        """
        return self._checked(ids).astype(np.uint8).tobytes()

    def decode(self, ids: Iterable[int] | Ids) -> str:
        """The text that numbers (n,) stand for; U+FFFD for what is not UTF-8.

        Raises DataError when one is not from 0 to 255.
        """
        raw = self.decode_bytes(ids)
        try:
            return raw.decode("utf-8", "surrogatepass")
        except UnicodeDecodeError:
            return raw.decode("utf-8", "replace")

    def decode_stream(self, ids: Iterable[int]) -> Iterator[str]:
        """The text of numbers as they come, a character when its last byte has come."""
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        for number in ids:
            yield decoder.decode(self.decode_bytes([number]))
        yield decoder.decode(b"", final=True)

    def to_json(self) -> dict[str, Any]:
        """Its kind: there is nothing else."""
        return {"kind": self.kind}

    @classmethod
    def from_json(cls, description: Mapping[str, Any]) -> ByteTokenizer:
        """A byte tokenizer; they are all alike."""
        return cls()
