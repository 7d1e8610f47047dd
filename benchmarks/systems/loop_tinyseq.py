"""The loop of `tinyseq train`, and the steps in it alone."""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle

import numpy as np

import tinyseq as ts
from benchmarks.cases.loop import LoopCase
from benchmarks.harness import Results
from tinyseq.language import Corpus, LanguageTrainer
from tinyseq.reading import loss_after
from tinyseq.settings import Settings
from tinyseq.training import Callback, ProgressBar, Trainer


class Losses(Callback):
    """The loss of each step."""

    def __init__(self) -> None:
        self.found: list[float] = []

    def on_step_end(self, trainer: Trainer) -> None:
        """Note it."""
        self.found.append(trainer.last["loss"])


def work(case: LoopCase) -> Callable[[], Results]:
    """A function that takes some steps and returns what the very first ones lost."""
    D, H, T, B = map(int, case.shape)
    settings = Settings(embed=D, hidden=H, window=T, batch=B, dropout=0.0, steps=1_000_000)
    text = "".join(chr(97 + i) for i in case.inputs()["ids"] % 26) * 24
    losses = Losses()
    trainer = LanguageTrainer(
        Corpus.from_text(text, settings), settings, callbacks=[losses, ProgressBar()]
    )
    take = bare(trainer, losses.found) if case.bare else looped(trainer)

    def some() -> Results:
        take(case.units)
        return [np.array(losses.found[: case.units], np.float32)]

    return some


def looped(trainer: LanguageTrainer) -> Callable[[int], None]:
    """With all that belongs to it."""

    def take(steps: int) -> None:
        trainer.fit(trainer.corpus.batches, steps=steps)

    return take


def bare(trainer: LanguageTrainer, losses: list[float]) -> Callable[[int], None]:
    """As one would write them, the batches at hand."""
    model, optimizer = trainer.model.train(), trainer.optimizer
    per_epoch = len(trainer.corpus.batches)
    batches = enumerate(cycle(list(trainer.corpus.batches)))
    state = None

    def take(steps: int) -> None:
        nonlocal state
        for _ in range(steps):
            number, (x, y, _) = next(batches)
            loss, state = loss_after(model, x, y, state if number % per_epoch else None)
            optimizer.zero_grad()
            loss.backward()
            ts.nn.utils.clip_grad_norm_(optimizer.parameters, trainer.settings.clip)
            losses.append(loss.item())
            optimizer.step()
            trainer.scheduler.step()

    return take
