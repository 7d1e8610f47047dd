"""The command line: ``tinyseq train``, ``tinyseq generate``, ``tinyseq info``."""

from __future__ import annotations

import argparse
import io
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import NoReturn

import tinyseq as ts
from tinyseq.data import DataError, default_text, read_text
from tinyseq.display import Display
from tinyseq.generation import generate
from tinyseq.models import NGram, load_charlm
from tinyseq.options import SAMPLE_LENGTH, SAMPLE_TEMPERATURE, new_parser, read_settings
from tinyseq.saving import CheckpointError, check_writable
from tinyseq.training import Corpus, Diverged, train

YARDSTICK_ORDER = 5


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return the exit status.

    0; 1 on bad input, 2 on bad usage, 130 on Ctrl-C, 143 when training was ended by SIGTERM.

    Args:
        argv: the arguments after the program's name; the process's own when not given.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # text may hold what the terminal's encoding lacks
            stream.reconfigure(errors="replace")
    parser = new_parser(_train, _generate, _info)
    try:
        args = parser.parse_args(argv)
        _use(getattr(args, "backend", None))
        if "threads" in args:
            ts.set_num_threads(args.threads)
        status: int = args.command(args)
        return status
    except SystemExit as stop:  # argparse: help, version, or an error already printed
        return stop.code if isinstance(stop.code, int) else 2
    except (CheckpointError, DataError, Diverged, _BadInput) as error:
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


class _BadInput(ValueError):
    """A number or a name on the command line that cannot be used."""


def _use(backend: str | None) -> None:
    try:
        if backend is None:
            ts.backend.info()  # what the environment says is taken up here, or refused
        else:
            ts.backend.use(backend)
    except (ValueError, RuntimeError) as error:
        raise _BadInput(str(error)) from None


def _fail(message: str, status: int = 1) -> int:
    print(f"tinyseq: error: {' '.join(message.split())}", file=sys.stderr)
    return status


def _train(args: argparse.Namespace) -> int:
    try:
        settings = read_settings(args)
    except ValueError as error:
        raise _BadInput(str(error)) from None
    check_writable(args.out)
    source = args.data if "data" in args else None
    corpus = Corpus(default_text() if source is None else read_text(source), settings)
    if source is not None and os.path.exists(args.out) and os.path.samefile(source, args.out):
        raise _BadInput(f"--out: {args.out} is the text itself, which the checkpoint would replace")
    print(f"kernels: {_kernels()}")
    yardstick = NGram(corpus.training, len(corpus.vocabulary), YARDSTICK_ORDER)
    yardstick_bits = yardstick.bits(corpus.held_out)
    print(
        f"text: {source or 'the Python documentation'}, {len(corpus.training):,} characters "
        f"to train on, {len(corpus.held_out):,} held out, {len(corpus.vocabulary)} symbols"
    )
    unknown = int((corpus.held_out == corpus.vocabulary.UNKNOWN).sum())
    if unknown:
        print(f"{unknown:,} held-out characters never occur before: both models see one symbol")
    print(
        f"yardstick: {yardstick_bits:.4f} held-out bits per character "
        f"(interpolated {YARDSTICK_ORDER}-gram, modified Kneser-Ney)",
        flush=True,
    )
    with Display() as display:
        outcome = train(corpus, settings, args.out, display.update)
    if outcome.interrupted:
        message = f"interrupted after step {outcome.step}; checkpoint written to {args.out}"
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
    sample = generate(
        outcome.model, corpus.vocabulary, "", SAMPLE_LENGTH, SAMPLE_TEMPERATURE, settings.seed
    )
    print("".join(sample))
    print(f"\ncheckpoint: {args.out}")
    return 0


def _kernels() -> str:
    """Who computes: a slow run should say why it is slow."""
    info = ts.backend.info()
    if info["backend"] == "c":
        return f"C, {info['isa']}, threads: {info['threads']}"
    return f"NumPy ({info['missing'] or 'as asked'})"


def _generate(args: argparse.Namespace) -> int:
    prompt = args.prompt if "prompt" in args else ""
    model, vocabulary, _ = load_charlm(args.checkpoint)
    try:
        characters = generate(model, vocabulary, prompt, args.length, args.temperature, args.seed)
    except ValueError as error:
        raise _BadInput(f"--{error}") from None
    print(prompt, end="", flush=True)
    for character in characters:
        print(character, end="", flush=True)
    print()
    return 0


def _info(args: argparse.Namespace) -> int:
    info = ts.backend.info()
    print(f"tinyseq {ts.__version__}")
    print(f"backend          {info['backend']}")
    print(f"instruction set  {info['isa'] or 'none: NumPy'}")
    print(f"threads          {info['threads']}")
    if info["missing"]:
        print(f"C extension      {info['missing']}")
    print("kernels")
    kernels = info["kernels"]
    assert isinstance(kernels, dict)
    width = max(map(len, kernels)) + 2
    for name, server in kernels.items():
        print(f"  {name:<{width}}{server}")
    return 0
