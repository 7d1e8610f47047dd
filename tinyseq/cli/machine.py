"""What computes: the options that choose it, and a line that tells it."""

from __future__ import annotations

import argparse

import tinyseq as ts
from tinyseq.cli.usage import Parser, WrongUsage, count

BACKENDS = ("auto", "c", "numpy")


def add_machine(parser: Parser, backend: str = "auto") -> None:
    """The options of every command that computes; ``backend`` tells which is used without them."""
    group = parser.add_argument_group("machine")
    group.add_argument(
        "--backend",
        choices=BACKENDS,
        default=argparse.SUPPRESS,
        help=f"whose kernels to run on (default: {backend})",
    )
    group.add_argument(
        "--threads",
        type=count,
        metavar="N",
        default=argparse.SUPPRESS,
        help="threads of the C kernels (default: as many as there are processors)",
    )


def use(args: argparse.Namespace) -> None:
    """Compute as the options and the environment say.

    Raises WrongUsage when they name what is not there.
    """
    try:
        if "backend" in args:
            ts.backend.use(args.backend)
        else:
            ts.backend.info()  # what the environment says is taken up here, or refused
    except (ValueError, RuntimeError) as error:
        raise WrongUsage(str(error)) from None
    if "threads" in args:
        ts.set_num_threads(args.threads)


def kernels() -> str:
    """Who computes: a slow run should say why it is slow."""
    info = ts.backend.info()
    if info["backend"] == "c":
        return f"C, {info['isa']}, threads: {info['threads']}"
    return f"NumPy ({info['missing'] or 'as asked'})"
