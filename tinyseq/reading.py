"""How the two kinds of language model read: to learn, and to be measured.

A recurrent model carries a state along the text. A transformer has none: it looks back at what it
has read, as far as its block of positions reaches.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from tinyseq.autograd import Tensor, no_grad
from tinyseq.data.epochs import Tokens
from tinyseq.models import GPT, CharLM, LanguageModel, State, detached
from tinyseq.nn import functional as F
from tinyseq.settings import Settings

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


def loss_after(
    model: LanguageModel, inputs: Ids, targets: Ids, state: State | None
) -> tuple[Tensor, State | None]:
    """The mean loss on a batch, in nats, and a recurrent model's state to go on from.

    That state is cut off from the graph: truncated backpropagation through time.

    Args:
        model: either kind.
        inputs, targets: tokens (B,T), and those after them.
        state: of a recurrent model, what the batch before left; None at the beginning.
    """
    if isinstance(model, GPT):
        return model.loss(inputs, targets), None
    logits, after = model(inputs, state)
    rows = logits.reshape(-1, logits.shape[-1])
    return F.cross_entropy(rows, targets.reshape(-1)), detached(after)


def held_out_bits(model: LanguageModel, ids: Tokens) -> float:
    """Mean bits per symbol over a sequence, its first symbol given.

    A recurrent model reads it once, in order. A transformer reads it in windows that overlap by
    half: each symbol is predicted once, from at least half a block before it if there is so much.

    Args:
        model: switched to evaluation and, at the end, back.
        ids: (N,), N at least 2; a file of tokens is read as it is needed.
    """
    was_training = model.training
    model.eval()
    with no_grad():
        nats = _in_windows(model, ids) if isinstance(model, GPT) else _in_order(model, ids)
    model.train(was_training)
    return nats / (len(ids) - 1) / math.log(2.0)


def _in_order(model: CharLM, ids: Tokens) -> float:
    state: State | None = None
    nats = 0.0
    for first in range(0, len(ids) - 1, _PIECE):
        piece = ids[first : first + _PIECE + 1]
        logits, state = model(piece[None, :-1], state)
        nats += F.cross_entropy(logits[0], piece[1:], reduction="sum").item()
    return nats


def _in_windows(model: GPT, ids: Tokens) -> float:
    predicted = len(ids) - 1
    T = min(model.block_size, predicted)
    step = max(1, T // 2)
    starts = np.array([*range(0, predicted - T, step), predicted - T])
    ends = starts + T
    fresh = np.diff(ends, prepend=0)  # of each window, its last symbols that no other has predicted
    rows = max(1, _PIECE // T)
    nats = 0.0
    for first in range(0, len(starts), rows):
        begins = starts[first : first + rows]
        piece = ids[int(begins[0]) : int(begins[-1]) + T + 1]
        places = (begins - begins[0])[:, None] + np.arange(T)
        found = model.loss(piece[places], piece[places + 1], reduction="none").data
        counted = np.arange(T) >= T - fresh[first : first + rows, None]
        nats += float(found[counted].sum(dtype=np.float64))
    return nats
