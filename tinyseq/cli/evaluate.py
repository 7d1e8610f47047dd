"""``tinyseq evaluate``: how well a model predicts a text."""

from __future__ import annotations

import argparse
from typing import Any

from tinyseq.cli.machine import add_machine, use
from tinyseq.cli.runs import RUN_HELP, find_checkpoint, told_of_run
from tinyseq.cli.texts import DATA_HELP, characters, corpus_of, tokens_of, unit, unknown
from tinyseq.data import DataError
from tinyseq.models import load_language_model
from tinyseq.reading import held_out_bits


def add(commands: Any) -> None:
    """Its options."""
    parser = commands.add_parser(
        "evaluate",
        help="measure a trained model on a text",
        description="Print how well a trained model predicts a text: bits and perplexity.",
    )
    parser.add_argument("run", nargs="?", metavar="RUN", help=RUN_HELP)
    parser.add_argument(
        "--data", metavar="FILE", help=f"{DATA_HELP} (default: the held-out part of the run's own)"
    )
    add_machine(parser)
    parser.set_defaults(command=run)


def run(args: argparse.Namespace) -> int:
    """Print one line, or two if a token is no character."""
    use(args)
    path = find_checkpoint(args.run)
    model, tokenizer, told = load_language_model(path)
    if args.data is None:
        settings, data = told_of_run(path, told)
        tokens = corpus_of(data, settings, tokenizer).held_out
    else:
        tokens = tokens_of(args.data, tokenizer)
    if len(tokens) < 2:
        raise DataError(f"{args.data}: a text of one token is too short: the first is given")
    bits, name = held_out_bits(model, tokens), unit(tokenizer)
    print(f"{len(tokens):,} {name}s: {bits:.4f} bits per {name}, perplexity {2**bits:.3f}")
    if strange := unknown(tokens, tokenizer):
        print(f"{strange:,} are unknown to the model: all one symbol to it")
    if tokenizer.kind != "char":
        length = characters(tokens, tokenizer)
        each = bits * (len(tokens) - 1) / length
        print(f"{length:,} characters: {each:.4f} bits per character")
    return 0
