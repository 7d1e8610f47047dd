"""``tinyseq prepare``: a file of tokens, from texts of any size."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from tinyseq.cli.options import GROUPS
from tinyseq.cli.texts import PIPE, unit
from tinyseq.cli.usage import WrongUsage
from tinyseq.data import prepare
from tinyseq.language import new_tokenizer
from tinyseq.settings import TOKENIZERS, Settings


def add(commands: Any) -> None:
    """Its options."""
    parser = commands.add_parser(
        "prepare",
        help="make a file of tokens from texts of any size",
        description="Make a file of tokens, the tokenizer inside, from texts that may be larger "
        "than the memory. 'tinyseq train --data' reads it as it is needed.",
    )
    parser.add_argument(
        "texts", nargs="+", metavar="TEXT", help="UTF-8 text, one after another; - standard input"
    )
    parser.add_argument("--out", required=True, metavar="FILE", help="the file to write")
    parser.add_argument(
        "--tokenizer",
        choices=TOKENIZERS,
        default=Settings.tokenizer,
        help="what a token is (default: %(default)s)",
    )
    parser.add_argument(
        "--vocabulary",
        type=int,
        metavar="N",
        help=f"{GROUPS['text']['vocabulary']} (default: {Settings.vocabulary})",
    )
    parser.set_defaults(command=run)


def run(args: argparse.Namespace) -> int:
    """Write it, and say what is in it."""
    if args.vocabulary is not None and args.tokenizer != "word":
        raise WrongUsage(f"--vocabulary is not for the {args.tokenizer} tokenizer")
    vocabulary = Settings.vocabulary if args.vocabulary is None else args.vocabulary
    try:
        tokenizer = new_tokenizer(Settings(tokenizer=args.tokenizer, vocabulary=vocabulary))
    except ValueError as error:
        raise WrongUsage(f"--{error}") from None
    texts = [sys.stdin.buffer if text == PIPE else text for text in args.texts]
    with _Bar() as bar:
        tokens = prepare(args.out, texts, tokenizer, progress=bar.show)
    print(f"{args.out}: {len(tokens):,} {unit(tokenizer)}s, {len(tokenizer):,} symbols")
    return 0


class _Bar:
    """A tqdm bar for each time the texts are read, on a terminal."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._stage = ""

    def show(self, stage: str, done: int, total: int | None) -> None:
        """So much has been read in this stage."""
        from tqdm import tqdm

        if stage != self._stage:
            self.__exit__()
            what = {"fit": "reading", "write": "writing"}[stage]
            self._bar = tqdm(total=total, desc=what, unit="B", unit_scale=True, disable=None)
            self._stage = stage
        self._bar.update(done - self._bar.n)

    def __enter__(self) -> _Bar:
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.close()
