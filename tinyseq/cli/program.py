"""The program: its parser, and what becomes of each way to end."""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

import tinyseq as ts
from tinyseq.cli import evaluate, generate, info, prepare, resume, train
from tinyseq.cli.usage import Parser, WrongUsage
from tinyseq.data import DataError
from tinyseq.saving import CheckpointError
from tinyseq.training import Diverged

_COMMANDS = (train, resume, generate, evaluate, prepare, info)


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return the exit status.

    0; 1 when it failed, 2 for wrong usage, 130 on Ctrl-C, 143 when SIGTERM ended it.

    Args:
        argv: the arguments after the program's name; the process's own when not given.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # text may hold what the terminal's encoding lacks
            stream.reconfigure(errors="replace")
    try:
        args = new_parser().parse_args(argv)
        status: int = args.command(args)
        sys.stdout.flush()  # what cannot be written is found here, not after the end
        return status
    except SystemExit as stop:  # argparse: help, version, or an error already printed
        return stop.code if isinstance(stop.code, int) else 2
    except WrongUsage as error:
        return _fail(str(error), 2)
    except (CheckpointError, DataError, Diverged) as error:
        return _fail(str(error))
    except MemoryError:
        return _fail("there is not enough memory for these sizes")
    except KeyboardInterrupt:
        return _fail("interrupted", 130)
    except OSError as error:  # the output can no longer be written; Python itself tries at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error, BrokenPipeError):  # whoever read it has seen enough
            return 1
        return _fail(str(error))


def command() -> NoReturn:
    """The program ``tinyseq``: `main`, and then the end of the process.

    One Ctrl-C is obeyed; those that follow it must not break off what it set going.
    """

    def once(number: int, frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_IGN)
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, once)
    try:
        status = main()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
    except KeyboardInterrupt:  # in the middle of the last words
        status = 130
    sys.exit(status)


def new_parser() -> Parser:
    """The parser of all commands; each puts its own function into ``command``."""
    parser = Parser(
        prog="tinyseq",
        description="Train language models on a from-scratch autograd engine, and let them write.",
        epilog="'tinyseq COMMAND --help' shows a command's options.",
    )
    parser.add_argument("--version", action="version", version=f"tinyseq {ts.__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for each in _COMMANDS:
        each.add(commands)
    return parser


def _fail(message: str, status: int = 1) -> int:
    print(f"tinyseq: error: {' '.join(message.split())}", file=sys.stderr)
    return status
