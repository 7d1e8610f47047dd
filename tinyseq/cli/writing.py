"""Text as a model writes it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

from tinyseq.data import Tokenizer
from tinyseq.generation import stream_text
from tinyseq.models import LanguageModel

LENGTH = 400
TEMPERATURE = 0.7


def written(
    model: LanguageModel, tokenizer: Tokenizer, prompt: str, length: int, **options: Any
) -> Iterator[str]:
    """What comes after a prompt, or after a line's end if there is none, as `stream_text` has it.

    A text of which the model has seen one long piece has no end: none is drawn.
    """
    symbols = (tokenizer.decode([i]) for i in range(len(tokenizer)))
    # A tokenizer may have no token for a line's end: then the text goes on from any that it has.
    begin = next(text for text in chain((prompt, "\n"), symbols) if len(tokenizer.encode(text)))
    return stream_text(model, tokenizer, begin, length, suppress=tokenizer.end_id, **options)


def until(pieces: Iterable[str], stops: Sequence[str]) -> Iterator[str]:
    """Pieces of text up to the first stop mark, which may lie across several.

    What may be the beginning of a mark is held back until it is known.
    """
    held = ""
    for piece in pieces:
        held += piece
        ends = [place for stop in stops if (place := held.find(stop)) >= 0]
        if ends:
            yield held[: min(ends)]
            return
        beginnings = (n for stop in stops for n in range(1, len(stop)) if held.endswith(stop[:n]))
        free = len(held) - max(beginnings, default=0)
        yield held[:free]
        held = held[free:]
    yield held
