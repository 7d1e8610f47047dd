"""Where a command's tokens come from: a text, a pipe, or a file that ``tinyseq prepare`` made."""

from __future__ import annotations

from itertools import chain

from tinyseq.data import (
    DataError,
    TokenFile,
    Tokenizer,
    default_text,
    is_token_file,
    read_text,
)
from tinyseq.data.epochs import Tokens
from tinyseq.language import Corpus
from tinyseq.settings import Settings

PIPE = "-"
_PIECE = 1 << 20  # tokens of a file in memory at a time
DATA_HELP = "UTF-8 text, - for standard input, or a file that 'tinyseq prepare' made"


def text_of(source: str | None) -> str:
    """A whole text: a file's, standard input's, or the one inside Python."""
    if source is None:
        return default_text()
    return read_text("/dev/stdin" if source == PIPE else source)


def corpus_of(source: str | None, settings: Settings, tokenizer: Tokenizer | None = None) -> Corpus:
    """What to train on and what to measure on.

    Args:
        source: as `text_of` takes it, or a file of tokens.
        settings: how to cut it up.
        tokenizer: the one to use; one is fitted when not given.
    """
    if source is not None and is_token_file(source):
        return Corpus.from_tokens(_file(source, tokenizer), settings)
    return Corpus.from_text(text_of(source), settings, tokenizer)


def tokens_of(source: str | None, tokenizer: Tokenizer) -> Tokens:
    """All the tokens of a text or a file of tokens."""
    if source is not None and is_token_file(source):
        return _file(source, tokenizer)
    return tokenizer.encode(text_of(source))


def unknown(tokens: Tokens, tokenizer: Tokenizer) -> int:
    """How many of the tokens stand for what the tokenizer does not know."""
    number = tokenizer.unknown_id
    if number is None:
        return 0
    starts = range(0, len(tokens), _PIECE)
    return sum(int((tokens[i : i + _PIECE] == number).sum()) for i in starts)


def characters(tokens: Tokens, tokenizer: Tokenizer) -> int:
    """How many characters the tokens stand for."""
    pieces = (tokens[i : i + _PIECE].tolist() for i in range(0, len(tokens), _PIECE))
    return sum(map(len, tokenizer.decode_stream(chain.from_iterable(pieces))))


def unit(tokenizer: Tokenizer) -> str:
    """What a token is called."""
    return {"char": "character", "byte": "byte"}.get(tokenizer.kind, "token")


def _file(source: str, tokenizer: Tokenizer | None) -> TokenFile:
    tokens = TokenFile(source)
    if tokenizer is not None and tokens.tokenizer.to_json() != tokenizer.to_json():
        raise DataError(f"{source}: was prepared with another tokenizer than the model's")
    return tokens
