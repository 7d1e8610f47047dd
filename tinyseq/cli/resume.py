"""``tinyseq resume``: a run that was ended before its end goes on."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from tinyseq.cli.machine import BACKENDS, add_machine, use
from tinyseq.cli.runs import find_run, told_of_run
from tinyseq.cli.session import carry_out
from tinyseq.cli.texts import PIPE, corpus_of
from tinyseq.data import DataError
from tinyseq.models import load_language_model
from tinyseq.saving import CheckpointError


def add(commands: Any) -> None:
    """Its options."""
    parser = commands.add_parser(
        "resume",
        help="go on with a run that was ended",
        description="Go on with a run that was ended by Ctrl-C, a signal or a crash. It comes to "
        "what it would have come to without, to the bit.",
    )
    parser.add_argument(
        "run", nargs="?", metavar="RUN", help="folder of a run (default: the newest run in runs/)"
    )
    parser.add_argument(
        "--data", metavar="FILE", help="where the text is now, if it was moved since"
    )
    add_machine(parser, "the run's")
    parser.set_defaults(command=resume)


def resume(args: argparse.Namespace) -> int:
    """Read what the last checkpoint says of the run, and carry it out."""
    run = find_run(args.run)
    path = run.newest()
    if path is None:
        raise CheckpointError(f"{run.folder}: has no checkpoint to go on from")
    _, tokenizer, told = load_language_model(path)
    settings, data = told_of_run(path, told)
    if "backend" not in args and told.get("backend") in BACKENDS:
        args.backend = told["backend"]
    use(args)
    source = data if args.data is None else args.data
    corpus = corpus_of(source, settings, tokenizer)
    if corpus.fingerprint() != told.get("fingerprint"):
        raise DataError(
            f"{source or 'the Python documentation'}: is not the text that {run.folder} began with"
        )
    for half_written in run.checkpoints.glob("*.tmp"):  # what kill -9 may leave behind
        half_written.unlink(missing_ok=True)
    if args.data not in (None, PIPE):
        data = str(Path(args.data).resolve())
    return carry_out(run, corpus, settings, data, path)
