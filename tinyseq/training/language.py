"""Training a character language model: settings, the corpus, and the loop."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from tinyseq import nn, optim, random
from tinyseq.data import CharTokenizer, Streams, Windows, split_text
from tinyseq.models import LanguageModel, save_charlm
from tinyseq.reading import Batches, held_out_bits, losses, new_model
from tinyseq.saving import check_writable
from tinyseq.settings import Settings
from tinyseq.training.errors import Diverged
from tinyseq.training.signals import interruptions


class Corpus:
    """A text made ready: tokenizer, training part in batches, held-out tail.

    The recurrent models read streams, which go on from batch to batch, the transformer windows from
    anywhere.

    Args:
        text: the whole text.
        settings: model, batch, window, seed and held_out are read.

    Raises DataError when the text is too short for one window.
    """

    def __init__(self, text: str, settings: Settings) -> None:
        training, held_out = split_text(text, settings.held_out)
        self.tokenizer = CharTokenizer(training)
        self.training: NDArray[np.int64] = self.tokenizer.encode(training)
        self.held_out: NDArray[np.int64] = self.tokenizer.encode(held_out)
        self.batches: Batches = (
            Windows(self.training, settings.batch, settings.window, settings.seed)
            if settings.model == "transformer"
            else Streams(self.training, settings.batch, settings.window)
        )


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

    model: LanguageModel
    step: int
    held_out_bits: float | None  # None when interrupted
    interrupted: int  # the number of the signal that ended it before its last step, or 0


def train(
    corpus: Corpus,
    settings: Settings,
    path: str | os.PathLike[str],
    report: Callable[[Progress], None] = lambda progress: None,
) -> Outcome:
    """Train with AdamW and write checkpoints.

    The held-out part is scored, and the checkpoint written, ``evaluations`` times, the last time
    after the last step.
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
    model = new_model(settings, len(corpus.tokenizer))
    optimizer = optim.AdamW(
        model.parameters(), settings.lr, betas=(0.9, 0.99), weight_decay=settings.weight_decay
    )
    steps = settings.steps or max(1, round(settings.epochs * len(corpus.batches)))
    evaluate_after = {
        math.ceil(steps * k / settings.evaluations) for k in range(1, settings.evaluations + 1)
    }
    bits: float | None = None
    step = 0

    def save(measured: float | None) -> None:
        if not all(np.isfinite(p.data).all() for p in optimizer.parameters):
            raise Diverged(_diverged(step, "a weight is not finite", bits, path))
        about = {"settings": asdict(settings), "step": step, "held_out_bits": measured}
        save_charlm(path, model, corpus.tokenizer, about)

    # Numbers may overflow on the way to a loss that is not finite: that is found and said below.
    with interruptions() as interrupted, np.errstate(over="ignore", invalid="ignore"):
        for characters, loss in islice(losses(model, corpus.batches), steps):
            optimizer.zero_grad()
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
            report(Progress(step, steps, characters, nats, fresh))
            if interrupted():
                save(fresh)
                return Outcome(model.eval(), step, fresh, interrupted())
    return Outcome(model.eval(), step, bits, 0)


def learning_rate(settings: Settings, step: int, steps: int) -> float:
    """lr at a step from 1 to ``steps``: a linear rise, then half a cosine down to a fiftieth."""
    rise = min(1.0, step / max(1.0, settings.warmup * steps))
    fall = 0.02 + 0.98 * 0.5 * (1.0 + math.cos(math.pi * (step - 1) / steps))
    return settings.lr * rise * fall


def _diverged(step: int, what: str, bits: float | None, path: str | os.PathLike[str]) -> str:
    kept = (
        f"{os.fspath(path)} holds the last good step"
        if bits is not None
        else "no checkpoint was written"
    )
    return f"training stopped at step {step}: {what}; {kept} (a lower --lr may help)"
