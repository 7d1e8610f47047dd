"""How the two kinds of language model read: to learn, and to be measured.

A recurrent model carries a state along the text. A transformer has none: it looks back at what it
has read, as far as its block of positions reaches.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import chain, repeat

import numpy as np
from numpy.typing import NDArray

from tinyseq.autograd import Tensor, no_grad
from tinyseq.data import Streams, Windows
from tinyseq.models import GPT, CharLM, LanguageModel, State, detached
from tinyseq.nn import functional as F
from tinyseq.settings import Settings

Batches = Streams | Windows
Ids = NDArray[np.int64]

_PIECE = 2048  # symbols per call when measuring: any number would do


def new_model(settings: Settings, vocab_size: int) -> LanguageModel:
    """The model that the settings describe, its weights drawn anew.

    A transformer with rotary positions looks no further back than one window, so that it may go on
    writing for ever.
    """
    if settings.model != "transformer":
        return CharLM(
            vocab_size,
            settings.model,
            settings.embed,
            settings.hidden,
            settings.layers,
            settings.dropout,
        )
    return GPT(
        vocab_size,
        settings.window,
        settings.layers,
        settings.heads,
        settings.hidden,
        settings.dropout,
        window=settings.window if settings.positions == "rotary" else 0,
        positions=settings.positions,
    )


def losses(model: LanguageModel, batches: Batches) -> Iterator[tuple[int, Tensor]]:
    """The symbols in each batch, and the loss on it to be differentiated, epoch after epoch.

    A recurrent model's state is carried from batch to batch, cut off from the graph, and starts as
    zeros in each epoch: truncated backpropagation through time.
    """
    if isinstance(model, GPT):
        for inputs, targets, _ in chain.from_iterable(repeat(batches)):
            yield inputs.size, model.loss(inputs, targets)
        return
    while True:
        state: State | None = None
        for inputs, targets, _ in batches:
            logits, state = model(inputs, state)
            state = detached(state)
            rows = logits.reshape(-1, logits.shape[-1])
            yield inputs.size, F.cross_entropy(rows, targets.reshape(-1))


def held_out_bits(model: LanguageModel, ids: Ids) -> float:
    """Mean bits per symbol over a sequence, its first symbol given.

    A recurrent model reads it once, in order. A transformer reads it in windows that overlap by
    half: each symbol is predicted once, from at least half a block before it if there is so much.

    Args:
        model: switched to evaluation and, at the end, back.
        ids: (N,) int64, N at least 2.
    """
    was_training = model.training
    model.eval()
    with no_grad():
        nats = _in_windows(model, ids) if isinstance(model, GPT) else _in_order(model, ids)
    model.train(was_training)
    return nats / (len(ids) - 1) / math.log(2.0)


def _in_order(model: CharLM, ids: Ids) -> float:
    state: State | None = None
    nats = 0.0
    for first in range(0, len(ids) - 1, _PIECE):
        piece = ids[first : first + _PIECE + 1]
        logits, state = model(piece[None, :-1], state)
        nats += F.cross_entropy(logits[0], piece[1:], reduction="sum").item()
    return nats


def _in_windows(model: GPT, ids: Ids) -> float:
    predicted = len(ids) - 1
    T = min(model.block_size, predicted)
    step = max(1, T // 2)
    starts = np.array([*range(0, predicted - T, step), predicted - T])
    ends = starts + T
    fresh = np.diff(ends, prepend=0)  # of each window, its last symbols that no other has predicted
    rows = max(1, _PIECE // T)
    nats = 0.0
    for first in range(0, len(starts), rows):
        places = starts[first : first + rows, None] + np.arange(T)
        found = model.loss(ids[places], ids[places + 1], reduction="none").data
        counted = np.arange(T) >= T - fresh[first : first + rows, None]
        nats += float(found[counted].sum(dtype=np.float64))
    return nats
