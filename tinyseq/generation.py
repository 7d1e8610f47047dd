"""Text from a language model, one character at a time."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tinyseq.data import CharTokenizer
from tinyseq.models import LanguageModel
from tinyseq.reading import Writer
from tinyseq.training import Diverged


def generate(
    model: LanguageModel,
    tokenizer: CharTokenizer,
    prompt: str,
    length: int,
    temperature: float,
    seed: int,
) -> Iterator[str]:
    """Continue a text, yielding each new character as it is drawn.

    Characters are drawn from softmax(logits / temperature), never the one reserved for unknown
    characters. The same arguments give the same text. A transformer whose positions end begins anew
    with the half block before, one that looks no further than a window goes on for ever.

    Args:
        model: in evaluation mode, unless dropout is wanted.
        tokenizer: the one it was trained with.
        prompt: what to continue; characters the model does not know are read as unknown. When
            empty, the text begins as after a line's end.
        length: characters to draw, not negative.
        temperature: 1 is the model's own distribution, less is safer, 0 takes the likeliest.
        seed: of the draws, not negative.

    Raises ValueError when length, temperature or seed is outside its range, and, while drawing,
    Diverged when the model's predictions are not finite.
    """
    if length < 0:
        raise ValueError(f"length must not be negative, got {length}")
    if not (math.isfinite(temperature) and temperature >= 0):
        raise ValueError(f"temperature must be a number from 0 up, got {temperature}")
    if seed < 0:
        raise ValueError(f"seed must not be negative, got {seed}")
    return _drawn(model, tokenizer, prompt or "\n", length, temperature, seed)


def _drawn(
    model: LanguageModel,
    tokenizer: CharTokenizer,
    prompt: str,
    length: int,
    temperature: float,
    seed: int,
) -> Iterator[str]:
    rng = np.random.default_rng(seed)
    ids = tokenizer.encode(prompt)
    writer = Writer(model)
    for _ in range(length):
        symbol = _draw(writer.read(ids), temperature, rng)
        yield tokenizer.decode([symbol])
        ids = np.array([symbol])


def _draw(logits: NDArray[np.float64], temperature: float, rng: np.random.Generator) -> int:
    logits[CharTokenizer.unknown_id] = -np.inf
    likeliest = int(logits.argmax())  # a NaN, if there is one
    if not math.isfinite(logits[likeliest]):
        raise Diverged("the model's predictions are not numbers: its weights are too large")
    if temperature == 0.0:
        return likeliest
    with np.errstate(over="ignore", under="ignore"):  # a tiny temperature: exp(-inf) is 0
        weights = np.exp((logits - logits[likeliest]) / temperature)
    cumulative = np.cumsum(weights)
    return int(np.searchsorted(cumulative, rng.random() * cumulative[-1], side="right"))
