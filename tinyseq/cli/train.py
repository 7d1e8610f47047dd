"""``tinyseq train``: a model from a text, measured beside an n-gram model."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from tinyseq.cli.config import read_config, write_config
from tinyseq.cli.machine import add_machine, use
from tinyseq.cli.options import add_settings, read_settings
from tinyseq.cli.runs import new_run
from tinyseq.cli.session import carry_out
from tinyseq.cli.texts import DATA_HELP, PIPE, corpus_of, text_of
from tinyseq.cli.usage import WrongUsage
from tinyseq.data import TokenFile, is_token_file
from tinyseq.language import Corpus

_TOKENIZER = ("tokenizer", "vocabulary")


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
        ("data", "FILE", f"{DATA_HELP} (default: the Python documentation inside Python itself)"),
        ("out", "DIR", "folder for the run (default: runs/ and the time)"),
        ("config", "FILE", "TOML file of options, such as a run's config.toml; those on the "
         "command line go before"),
    ):  # fmt: skip
        group.add_argument(f"--{name}", metavar=metavar, default=argparse.SUPPRESS, help=told)
    add_settings(parser)
    add_machine(parser)
    parser.set_defaults(command=train)


def train(args: argparse.Namespace) -> int:
    """Train, compare, and show a sample."""
    file = getattr(args, "config", "")
    configured = read_config(file) if file else {}
    settings = read_settings(args, configured, file)
    for name in ("data", "out", "backend", "threads"):
        if name in configured and name not in args:
            setattr(args, name, configured[name])
    use(args)
    source = getattr(args, "data", None)
    if source is not None and source != PIPE and is_token_file(source):
        _check_tokenizer(source, {*vars(args), *configured})
    text = text_of(PIPE) if source == PIPE else None
    corpus = corpus_of(source, settings) if text is None else Corpus.from_text(text, settings)
    with new_run(getattr(args, "out", None)) as run:
        if text is not None:
            run.text.write_text(text, encoding="utf-8", newline="")
            source = str(run.text)
        data = None if source is None else str(Path(source).resolve())
        told = settings.used() | {"data": data}
        if isinstance(corpus.training, TokenFile):
            told |= dict.fromkeys(_TOKENIZER)
        write_config(str(run.config), told)
        return carry_out(run, corpus, settings, data)


def _check_tokenizer(source: str, given: set[str]) -> None:
    for name in _TOKENIZER:
        if name in given:
            raise WrongUsage(
                f"--{name}: {source} has its own, of kind {TokenFile(source).tokenizer.kind}"
            )
