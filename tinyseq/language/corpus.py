"""A text made ready to be learned."""

from __future__ import annotations

import zlib

import numpy as np

from tinyseq.data import (
    ByteTokenizer,
    CharTokenizer,
    DataError,
    Streams,
    TokenFile,
    Tokenizer,
    Windows,
    WordTokenizer,
    split_text,
)
from tinyseq.data.epochs import Tokens
from tinyseq.settings import Settings

_SAMPLE = 1 << 20  # tokens looked at, at either end, to tell one corpus from another


class Corpus:
    """Tokens to train on, in batches, and a held-out tail.

    The recurrent models read streams, which go on from batch to batch, the transformer windows from
    anywhere.

    Args:
        tokenizer: what the tokens are of.
        training: tokens (N,).
        held_out: those after them, at least two.
        settings: model, batch, window and seed are read.

    Raises DataError when a part is too short.
    """

    def __init__(
        self, tokenizer: Tokenizer, training: Tokens, held_out: Tokens, settings: Settings
    ) -> None:
        if len(held_out) < 2:
            raise DataError("the held-out part of the text must have at least two tokens")
        self.tokenizer = tokenizer
        self.training = training
        self.held_out = held_out
        self.batches: Streams | Windows
        if settings.model == "transformer":
            self.batches = Windows(training, settings.batch, settings.window, settings.seed)
            rows = self.batches.batch
        else:
            self.batches = Streams(training, settings.batch, settings.window)
            rows = self.batches.streams
        self.tokens_per_step = rows * settings.window

    @classmethod
    def from_text(cls, text: str, settings: Settings, tokenizer: Tokenizer | None = None) -> Corpus:
        """A text, whose training part alone tells the tokenizer what there is to know.

        Args:
            text: the whole text.
            settings: held_out and tokenizer are read besides.
            tokenizer: one that is fitted, instead.
        """
        training, held_out = split_text(text, settings.held_out)
        known = tokenizer or new_tokenizer(settings).fit(training)
        return cls(known, known.encode(training), known.encode(held_out), settings)

    @classmethod
    def from_tokens(cls, tokens: TokenFile, settings: Settings) -> Corpus:
        """A file of tokens, which is read as it is needed, never whole."""
        tail = max(2, round(len(tokens) * settings.held_out))
        if len(tokens) <= tail:
            raise DataError(f"{len(tokens)} tokens are too few to hold a part of them out")
        cut = len(tokens) - tail
        return cls(tokens.tokenizer, tokens.part(0, cut), tokens.part(cut, len(tokens)), settings)

    def fingerprint(self) -> str:
        """What tells this corpus from another: its lengths, and a checksum of its ends."""
        check = 0
        for part in (self.training[:_SAMPLE], self.training[-_SAMPLE:], self.held_out[-_SAMPLE:]):
            check = zlib.crc32(np.ascontiguousarray(part, np.int64).tobytes(), check)
        return f"{len(self.training)}-{len(self.held_out)}-{check:08x}"


def new_tokenizer(settings: Settings) -> Tokenizer:
    """The tokenizer that the settings name, not yet fitted."""
    if settings.tokenizer == "word":
        return WordTokenizer(settings.vocabulary)
    return ByteTokenizer() if settings.tokenizer == "byte" else CharTokenizer()
