"""``tinyseq prepare``: a file of tokens, from texts of any size."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any

from tinyseq.cli.options import GROUPS
from tinyseq.cli.texts import PIPE, unit
from tinyseq.cli.usage import WrongUsage, nearest
from tinyseq.data import (
    DataError,
    TokenFile,
    Tokenizer,
    is_token_file,
    load_tokenizer,
    prepare,
)
from tinyseq.huggingface import HuggingFaceTokenizer
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
        metavar="KIND|FILE",
        default=Settings.tokenizer,
        help=f"what a token is, {', '.join(TOKENIZERS)}, or a file with a fitted tokenizer: "
        "another file of tokens, what a tokenizer's save() wrote, or a tokenizer.json of Hugging "
        "Face (default: %(default)s)",
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
    tokenizer = _tokenizer(args.tokenizer, args.vocabulary)
    texts = [sys.stdin.buffer if text == PIPE else text for text in args.texts]
    with _Bar() as bar:
        fit = args.tokenizer in TOKENIZERS
        tokens = prepare(args.out, texts, tokenizer, fit, bar.show)
    print(f"{args.out}: {len(tokens):,} {unit(tokenizer)}s, {len(tokenizer):,} symbols")
    return 0


def _tokenizer(name: str, vocabulary: int | None) -> Tokenizer:
    """The kind that is named, not yet fitted, or the one in a file."""
    if vocabulary is not None and name != "word":
        raise WrongUsage(f"--vocabulary is not for the {name} tokenizer")
    if name in TOKENIZERS:
        size = Settings.vocabulary if vocabulary is None else vocabulary
        try:
            return new_tokenizer(Settings(tokenizer=name, vocabulary=size))
        except ValueError as error:
            raise WrongUsage(f"--{error}") from None
    if not os.path.exists(name):
        kinds = ", ".join(TOKENIZERS)
        hint = nearest(name, TOKENIZERS)
        raise WrongUsage(f"--tokenizer must be one of {kinds} or a file, got {name!r}{hint}")
    if is_token_file(name):
        return TokenFile(name).tokenizer
    try:
        return load_tokenizer(name)
    except DataError as error:
        try:
            return HuggingFaceTokenizer(name)
        except DataError:
            raise error from None
        except ImportError as missing:
            raise WrongUsage(f"--tokenizer: {name} is none of tinyseq's: {missing}") from None


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
