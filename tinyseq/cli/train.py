"""``tinyseq train``: a model from a text, measured beside an n-gram model."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from tinyseq.cli.config import read_config, write_config
from tinyseq.cli.display import Display
from tinyseq.cli.machine import add_machine, kernels, use
from tinyseq.cli.options import add_settings, read_settings
from tinyseq.cli.runs import new_run
from tinyseq.data import default_text, read_text
from tinyseq.generation import stream_text
from tinyseq.models import NGram
from tinyseq.training import Corpus, train

SAMPLE_LENGTH = 400
SAMPLE_TEMPERATURE = 0.7
YARDSTICK_ORDER = 5


def add(commands: Any) -> None:
    """Its options."""
    parser = commands.add_parser(
        "train",
        help="train a model on a text",
        description="Train a language model, measure it on the held-out end of the text beside a "
        "5-gram model fitted on the same training part, and keep configuration, logs, checkpoints "
        "and samples in a folder of its own. Ctrl-C writes a checkpoint and ends the run; "
        "'tinyseq resume' goes on with it.",
    )
    group = parser.add_argument_group("run")
    for name, metavar, told in (
        ("data", "FILE", "UTF-8 text to train on, - for standard input (default: the Python "
         "documentation inside Python itself)"),
        ("out", "DIR", "folder for the run (default: runs/ and the time)"),
        ("config", "FILE", "TOML file of options, such as a run's config.toml; those on the "
         "command line go before"),
    ):  # fmt: skip
        group.add_argument(f"--{name}", metavar=metavar, default=argparse.SUPPRESS, help=told)
    add_settings(parser)
    add_machine(parser)
    parser.set_defaults(command=run)


def run(args: argparse.Namespace) -> int:
    """Train, compare, and show a sample."""
    file = getattr(args, "config", "")
    configured = read_config(file) if file else {}
    settings = read_settings(args, configured, file)
    for name in ("data", "out", "backend", "threads"):
        if name in configured and name not in args:
            setattr(args, name, configured[name])
    use(args)
    source = getattr(args, "data", None)
    piped = source == "-"
    text = default_text() if source is None else read_text("/dev/stdin" if piped else source)
    corpus = Corpus(text, settings)
    folder = new_run(getattr(args, "out", None))
    if piped:
        folder.text.write_text(text, encoding="utf-8", newline="")
        source = str(folder.text)
    data = str(Path(source).resolve()) if source else None
    write_config(str(folder.config), {"data": data, **settings.used()})
    print(f"kernels: {kernels()}")
    yardstick = NGram(corpus.training, len(corpus.tokenizer), YARDSTICK_ORDER)
    yardstick_bits = yardstick.bits(corpus.held_out)
    print(
        f"text: {source or 'the Python documentation'}, {len(corpus.training):,} characters "
        f"to train on, {len(corpus.held_out):,} held out, {len(corpus.tokenizer)} symbols"
    )
    unknown = int((corpus.held_out == corpus.tokenizer.unknown_id).sum())
    if unknown:
        print(f"{unknown:,} held-out characters never occur before: both models see one symbol")
    print(
        f"yardstick: {yardstick_bits:.4f} held-out bits per character "
        f"(interpolated {YARDSTICK_ORDER}-gram, modified Kneser-Ney)",
        flush=True,
    )
    path = folder.checkpoints / "last.safetensors"
    with Display() as display:
        outcome = train(corpus, settings, path, display.update)
    if outcome.interrupted:
        message = f"interrupted after step {outcome.step}; checkpoint written to {path}"
        print(f"tinyseq: {message}", file=sys.stderr)
        return 128 + outcome.interrupted
    bits = outcome.held_out_bits or 0.0
    better = "the model" if bits < yardstick_bits else "the yardstick"
    gap = abs(yardstick_bits - bits)
    print(
        f"held-out bits per character: model {bits:.4f}, yardstick {yardstick_bits:.4f}: "
        f"{better} is better by {gap:.4f}"
    )
    print(f"sample, temperature {SAMPLE_TEMPERATURE}:\n")
    sample = stream_text(
        outcome.model, corpus.tokenizer, "", SAMPLE_LENGTH,
        temperature=SAMPLE_TEMPERATURE, seed=settings.seed,
    )  # fmt: skip
    print("".join(sample))
    print(f"\nrun: {folder.folder}")
    return 0
