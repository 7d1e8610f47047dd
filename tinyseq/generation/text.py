"""Text that a language model goes on with, as it comes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from tinyseq.data import Tokenizer
from tinyseq.generation.options import symbols_of
from tinyseq.generation.writing import stream
from tinyseq.models.decoding import Generative


def stream_text(
    model: Generative,
    tokenizer: Tokenizer,
    prompt: str,
    max_new_tokens: int,
    *,
    stop: int | Iterable[int] | None = None,
    suppress: int | Iterable[int] | None = None,
    **options: Any,
) -> Iterator[str]:
    """Go on with a text, piece by piece as its symbols are drawn.

    The tokenizer's marks never come: that for an end ends the text, and those for what is unknown,
    for padding and for a beginning are not drawn.

    Args:
        model: a language model, in evaluation mode, unless dropout is wanted.
        tokenizer: the one it was trained with.
        prompt: what to go on with. When it holds no symbol, the text begins with the tokenizer's
            mark for a beginning, or if it has none, as after a line's end.
        max_new_tokens, stop, suppress, options: as `stream` takes them.

    Returns an iterator of texts, which together are what comes after the prompt.

    Raises as `stream` does.
    """
    read = tokenizer.encode(prompt).tolist()
    if not read:
        begin = tokenizer.begin_id
        read = tokenizer.encode("\n").tolist() if begin is None else [begin]
    marks = [tokenizer.unknown_id, tokenizer.pad_id, tokenizer.begin_id]
    symbols = stream(
        model, read, max_new_tokens,
        stop=symbols_of("stop", stop) | symbols_of("stop", tokenizer.end_id),
        suppress=symbols_of("suppress", suppress) | {mark for mark in marks if mark is not None},
        **options,
    )  # fmt: skip
    return _text_after(tokenizer, read, symbols)


def _text_after(tokenizer: Tokenizer, read: list[int], symbols: Iterator[int]) -> Iterator[str]:
    """How a symbol reads may depend on those before it: so what was read is decoded, too."""
    written = False

    def both() -> Iterator[int]:
        nonlocal written
        yield from read
        written = True
        yield from symbols

    for piece in tokenizer.decode_stream(both()):
        if written:
            yield piece
