"""``tinyseq evaluate``: how well a model predicts a text."""

from __future__ import annotations

import argparse
from typing import Any

from tinyseq.cli.machine import add_machine, use
from tinyseq.cli.runs import find_checkpoint
from tinyseq.data import DataError, read_text
from tinyseq.models import load_charlm
from tinyseq.reading import held_out_bits


def add(commands: Any) -> None:
    """Its options."""
    parser = commands.add_parser(
        "evaluate",
        help="measure a trained model on a text",
        description="Print how well a trained model predicts a text: bits and perplexity.",
    )
    parser.add_argument(
        "run",
        nargs="?",
        default=None,
        metavar="RUN",
        help="folder of a run, or a checkpoint (default: the newest run in runs/)",
    )
    parser.add_argument(
        "--data", metavar="FILE", required=True, help="UTF-8 text, - for standard input"
    )
    add_machine(parser)
    parser.set_defaults(command=run)


def run(args: argparse.Namespace) -> int:
    """Print one line."""
    use(args)
    model, tokenizer, _ = load_charlm(find_checkpoint(args.run))
    ids = tokenizer.encode(read_text("/dev/stdin" if args.data == "-" else args.data))
    if len(ids) < 2:
        raise DataError(f"{args.data}: one character is too short: the first is given")
    bits = held_out_bits(model, ids)
    print(f"{len(ids):,} characters: {bits:.4f} bits per character, perplexity {2**bits:.3f}")
    return 0
