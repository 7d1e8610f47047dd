"""A training run from where it stands to its end: what ``train`` and ``resume`` have in common."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tinyseq.cli.display import Display
from tinyseq.cli.machine import kernels
from tinyseq.cli.runs import Run
from tinyseq.cli.texts import unit, unknown
from tinyseq.cli.writing import LENGTH, TEMPERATURE, written
from tinyseq.language import Corpus, LanguageTrainer
from tinyseq.models import NGram
from tinyseq.settings import Settings
from tinyseq.training import (
    AppendingLogger,
    CSVLogger,
    Diverged,
    Interrupted,
    JSONLinesLogger,
    ModelCheckpoint,
)

if TYPE_CHECKING:
    from tinyseq.training import Trainer

_YARDSTICK_ORDER = 5
_YARDSTICK_TOKENS = 2_000_000  # it is held in memory, a hundred bytes and more for each
_STEPS = 1000  # between checkpoints, at most
_SHORT = 200  # tokens in a sample in passing


def carry_out(
    run: Run, corpus: Corpus, settings: Settings, data: str | None, resume: Path | None = None
) -> int:
    """Train, compare with the yardstick, and show a sample; returns the exit status.

    Args:
        run: where to keep what there is to keep.
        corpus: what to train on and to measure on.
        settings: all else.
        data: where the corpus comes from.
        resume: the checkpoint to go on with.

    Raises as `Trainer.fit` does.
    """
    print(f"kernels: {kernels()}")
    name = unit(corpus.tokenizer)
    yardstick = _yardstick(corpus, data, name)
    trainer = LanguageTrainer(corpus, settings, data)
    trainer.callbacks = [
        Display(name, corpus.tokens_per_step, trainer.total),
        JSONLinesLogger(run.log),
        CSVLogger(run.history),
        _Samples(run.samples, corpus, settings),
        ModelCheckpoint(run.checkpoints, every=_STEPS),
    ]
    if resume is None:  # so that there is one to go on with, whenever the run is killed
        trainer.save(run.checkpoints / "step-00000000.safetensors")
    try:
        trainer.train(resume)
    except Interrupted as interrupted:
        path = run.newest()
        print(
            f"tinyseq: interrupted after step {trainer.step}; checkpoint written to {path}; "
            f"'tinyseq resume {run.folder}' goes on",
            file=sys.stderr,
        )
        return 128 + interrupted.signal
    except Diverged as error:
        kept = run.newest()
        what = f"{kept} holds the last good step" if kept else "no checkpoint was written"
        raise Diverged(f"{error}; {what}") from None
    if importlib.util.find_spec("matplotlib"):
        trainer.history.plot(run.plot)
    bits = trainer.history["val_bits"][-1]
    better = "the model" if bits < yardstick else "the yardstick"
    print(
        f"held-out bits per {name}: model {bits:.4f}, yardstick {yardstick:.4f}: "
        f"{better} is better by {abs(yardstick - bits):.4f}"
    )
    print(f"sample, temperature {TEMPERATURE}:\n")
    print(_sample(trainer.model, corpus, settings, LENGTH))
    print(f"\nrun: {run.folder}")
    return 0


def _yardstick(corpus: Corpus, data: str | None, name: str) -> float:
    """Say what there is to train on, and what an n-gram model makes of the held-out part."""
    size = len(corpus.tokenizer)
    yardstick = NGram(corpus.training[-_YARDSTICK_TOKENS:], size, _YARDSTICK_ORDER)
    bits = yardstick.bits(corpus.held_out[:_YARDSTICK_TOKENS])
    print(
        f"text: {data or 'the Python documentation'}, {len(corpus.training):,} {name}s to train "
        f"on, {len(corpus.held_out):,} held out, {size:,} symbols"
    )
    if strange := unknown(corpus.held_out, corpus.tokenizer):
        print(f"{strange:,} held-out {name}s never occur before: both models see one symbol")
    print(
        f"yardstick: {bits:.4f} held-out bits per {name} "
        f"(interpolated {_YARDSTICK_ORDER}-gram, modified Kneser-Ney)",
        flush=True,
    )
    return bits


def _sample(model: Any, corpus: Corpus, settings: Settings, length: int) -> str:
    options: Mapping[str, Any] = {"temperature": TEMPERATURE, "seed": settings.seed}
    was_training = model.training
    model.eval()
    try:
        return "".join(written(model, corpus.tokenizer, "", length, **options))
    finally:
        model.train(was_training)


class _Samples(AppendingLogger):
    """Adds a sample to a file after each evaluation."""

    def __init__(self, path: Path, corpus: Corpus, settings: Settings) -> None:
        super().__init__(path)
        self.corpus, self.settings = corpus, settings

    def on_evaluate_end(self, trainer: Trainer) -> None:
        """Write one."""
        row = trainer.history.rows[-1]
        sample = _sample(trainer.model, self.corpus, self.settings, _SHORT)
        self.append(f"--- step {row['step']}, {row['val_bits']:.4f} bits\n{sample}\n\n")
