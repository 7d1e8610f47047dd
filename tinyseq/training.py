"""Training a character language model: settings, the corpus, and the loop."""

from __future__ import annotations

import math
import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import chain, islice, repeat
from types import FrameType

import numpy as np
from numpy.typing import NDArray

from tinyseq import nn, optim, random
from tinyseq.autograd import no_grad
from tinyseq.data import CharVocabulary, Streams, split_text
from tinyseq.models import CharLM, State, detached, save_charlm
from tinyseq.nn import functional as F
from tinyseq.saving import check_writable

_LARGEST = 65536  # of any size: a slip of the finger should be an error, not a full memory


class Diverged(ArithmeticError):
    """A loss, gradient, weight or prediction is not finite; the message is a line for the user."""


@dataclass(frozen=True)
class Settings:
    """Everything a run depends on besides the text; the defaults are `tinyseq train`'s.

    They are chosen so that a run on the default text ends within two minutes on two cores.

    Raises ValueError, naming the setting, when one is outside its range.
    """

    model: str = "lstm"
    embed: int = 64
    hidden: int = 256
    layers: int = 1
    dropout: float = 0.2
    batch: int = 16  # streams read in parallel, B
    window: int = 64  # characters between two steps, T: gradients reach back this far at most
    epochs: float = 6.0
    steps: int | None = None  # instead of epochs
    lr: float = 4e-3
    warmup: float = 0.05  # share of the steps in which lr rises from 0
    weight_decay: float = 0.01
    clip: float = 1.0  # largest gradient norm
    held_out: float = 0.1  # share of the text, at its end, that is never trained on
    evaluations: int = 6  # times the held-out part is scored and a checkpoint written
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("embed", "hidden", "layers", "batch", "window", "evaluations"):
            value = getattr(self, name)
            if not 1 <= value <= _LARGEST:
                raise ValueError(f"{name} must be from 1 to {_LARGEST}, got {value}")
        if self.steps is not None and self.steps < 1:
            raise ValueError(f"steps must be at least 1, got {self.steps}")
        for name in ("epochs", "lr", "clip"):
            value = getattr(self, name)
            if not (value > 0 and math.isfinite(value)):
                raise ValueError(f"{name} must be finite and above 0, got {value}")
        for name in ("weight_decay", "seed"):
            value = getattr(self, name)
            if not (value >= 0 and math.isfinite(value)):
                raise ValueError(f"{name} must be finite and not negative, got {value}")
        for name in ("dropout", "warmup"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} must be from 0 below 1, got {getattr(self, name)}")
        if not 0 < self.held_out < 1:
            raise ValueError(f"held_out must be above 0 and below 1, got {self.held_out}")


class Corpus:
    """A text made ready: vocabulary, training part in streams, held-out tail.

    Args:
        text: the whole text.
        settings: batch, window and held_out are read.

    Raises DataError when the text is too short for one window.
    """

    def __init__(self, text: str, settings: Settings) -> None:
        training, held_out = split_text(text, settings.held_out)
        self.vocabulary = CharVocabulary(training)
        self.training: NDArray[np.int64] = self.vocabulary.encode(training)
        self.held_out: NDArray[np.int64] = self.vocabulary.encode(held_out)
        self.streams = Streams(self.training, settings.batch, settings.window)


@dataclass(frozen=True)
class Progress:
    """How far a run is, after each step."""

    step: int
    steps: int
    characters: int  # trained on in this step
    loss: float  # of this step, nats per character
    held_out_bits: float | None  # of this step's evaluation, if it had one


@dataclass(frozen=True)
class Outcome:
    """How a run ended."""

    model: CharLM
    step: int
    held_out_bits: float | None  # None when interrupted
    interrupted: int  # the number of the signal that ended it before its last step, or 0


def train(
    corpus: Corpus,
    settings: Settings,
    path: str | os.PathLike[str],
    report: Callable[[Progress], None] = lambda progress: None,
) -> Outcome:
    """Train by truncated backpropagation through time, with AdamW, and write checkpoints.

    The state is carried from window to window and starts as zeros in each epoch. The held-out part
    is scored, and the checkpoint written, ``evaluations`` times, the last time after the last step.
    One Ctrl-C or SIGTERM (in the main thread) lets the step finish, writes the checkpoint and
    returns; a second raises KeyboardInterrupt.

    Args:
        corpus: what to train on.
        settings: everything else.
        path: of the checkpoint.
        report: called after every step.

    Raises CheckpointError, before the first step, when the checkpoint could not be written, and
    Diverged when loss, gradient or weights are not finite; the last checkpoint written then stands.
    """
    check_writable(path)
    random.manual_seed(settings.seed)
    streams = corpus.streams
    model = CharLM(
        len(corpus.vocabulary),
        settings.model,
        settings.embed,
        settings.hidden,
        settings.layers,
        settings.dropout,
    )
    optimizer = optim.AdamW(
        model.parameters(), settings.lr, betas=(0.9, 0.99), weight_decay=settings.weight_decay
    )
    steps = settings.steps or max(1, round(settings.epochs * streams.per_epoch))
    evaluate_after = {
        math.ceil(steps * k / settings.evaluations) for k in range(1, settings.evaluations + 1)
    }
    state: State | None = None
    bits: float | None = None
    step = 0

    def save(measured: float | None) -> None:
        if not all(np.isfinite(p.data).all() for p in optimizer.parameters):
            raise Diverged(_diverged(step, "a weight is not finite", bits, path))
        about = {"settings": asdict(settings), "step": step, "held_out_bits": measured}
        save_charlm(path, model, corpus.vocabulary, about)

    windows = chain.from_iterable(streams.epoch() for _ in repeat(None))
    # Numbers may overflow on the way to a loss that is not finite: that is found and said below.
    with _interruptions() as interrupted, np.errstate(over="ignore", invalid="ignore"):
        for inputs, targets in islice(windows, steps):
            if step % streams.per_epoch == 0:
                state = None
            optimizer.zero_grad()
            logits, state = model(inputs, state)
            state = detached(state)
            loss = F.cross_entropy(logits.reshape(-1, logits.shape[-1]), targets.reshape(-1))
            loss.backward()
            norm = nn.utils.clip_grad_norm_(optimizer.parameters, settings.clip)
            nats = loss.item()
            step += 1
            if not (math.isfinite(nats) and math.isfinite(norm)):
                raise Diverged(_diverged(step, f"loss {nats}, gradient norm {norm}", bits, path))
            optimizer.lr = learning_rate(settings, step, steps)
            optimizer.step()
            fresh = None
            if step in evaluate_after:
                fresh = held_out_bits(model, corpus.held_out)
                if not math.isfinite(fresh):
                    raise Diverged(_diverged(step, f"held-out loss {fresh}", bits, path))
                save(fresh)
                bits = fresh
            report(Progress(step, steps, inputs.size, nats, fresh))
            if interrupted():
                save(fresh)
                return Outcome(model.eval(), step, fresh, interrupted())
    return Outcome(model.eval(), step, bits, 0)


def learning_rate(settings: Settings, step: int, steps: int) -> float:
    """lr at a step from 1 to ``steps``: a linear rise, then half a cosine down to a fiftieth."""
    rise = min(1.0, step / max(1.0, settings.warmup * steps))
    fall = 0.02 + 0.98 * 0.5 * (1.0 + math.cos(math.pi * (step - 1) / steps))
    return settings.lr * rise * fall


def held_out_bits(model: CharLM, ids: NDArray[np.int64]) -> float:
    """Mean bits per symbol over a sequence read once, in order, its first symbol given.

    Args:
        model: switched to evaluation and, at the end, back.
        ids: (N,) int64, N at least 2.
    """
    was_training = model.training
    model.eval()
    state: State | None = None
    nats = 0.0
    with no_grad():
        for first in range(0, len(ids) - 1, _PIECE):
            piece = ids[first : first + _PIECE + 1]
            logits, state = model(piece[None, :-1], state)
            nats += F.cross_entropy(logits[0], piece[1:], reduction="sum").item()
    model.train(was_training)
    return nats / (len(ids) - 1) / math.log(2.0)


_PIECE = 2048  # symbols per call: the state goes on from one to the next, so any number would do


def _diverged(step: int, what: str, bits: float | None, path: str | os.PathLike[str]) -> str:
    kept = (
        f"{os.fspath(path)} holds the last good step"
        if bits is not None
        else "no checkpoint was written"
    )
    return f"training stopped at step {step}: {what}; {kept} (a lower --lr may help)"


@contextmanager
def _interruptions() -> Iterator[Callable[[], int]]:
    """Remember a first Ctrl-C or SIGTERM instead of obeying it, so that no step is left half done.

    Yields what tells the signal's number, 0 before there was one. The second raises
    KeyboardInterrupt; any more change nothing, lest they break off the cleaning up after it.
    """
    seen: list[int] = []

    def remember(number: int, frame: FrameType | None) -> None:
        seen.append(number)
        if len(seen) == 2:
            raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():  # signals are not ours to take
        yield lambda: 0
        return
    before = {n: signal.signal(n, remember) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: seen[0] if seen else 0
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
