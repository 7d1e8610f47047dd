"""The command line: ``tinyseq train``, ``tinyseq generate``, ``tinyseq info``."""

from __future__ import annotations

import argparse
import io
import os
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import fields
from types import FrameType, TracebackType
from typing import NoReturn

import tinyseq as ts
from tinyseq.data import DataError, default_text, read_text
from tinyseq.generation import generate
from tinyseq.models import NGram, load_charlm
from tinyseq.models.charlm import RECURRENT
from tinyseq.saving import CheckpointError, check_writable
from tinyseq.training import Corpus, Diverged, Progress, Settings, train

DEFAULT_CHECKPOINT = "tinyseq.safetensors"
SAMPLE_LENGTH = 400
SAMPLE_TEMPERATURE = 0.7
YARDSTICK_ORDER = 5

_HELP = {
    "model": "kind of recurrent layer",
    "embed": "size of a character's vector",
    "hidden": "size of a recurrent layer",
    "layers": "number of recurrent layers",
    "dropout": "probability of dropping a value, while training",
    "batch": "streams of text read in parallel",
    "window": "characters between two steps",
    "epochs": "passes over the training part",
    "steps": "number of steps, instead of epochs",
    "lr": "highest learning rate",
    "warmup": "share of the steps in which the learning rate rises",
    "weight_decay": "AdamW's weight decay",
    "clip": "largest gradient norm",
    "held_out": "share of the text, at its end, kept back to measure on",
    "evaluations": "how often to measure and write the checkpoint",
    "seed": "the same seed gives the same run",
}


class _Parser(argparse.ArgumentParser):
    """argparse, except that an error is one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message}\n")


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command and return the exit status.

    0; 1 on bad input, 2 on bad usage, 130 on Ctrl-C, 143 when training was ended by SIGTERM.

    Args:
        argv: the arguments after the program's name; the process's own when not given.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # text may hold what the terminal's encoding lacks
            stream.reconfigure(errors="replace")
    parser = _parser()
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


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="tinyseq",
        description="Train character language models on a from-scratch autograd engine.",
        epilog="'tinyseq COMMAND --help' shows a command's options.",
    )
    parser.add_argument("--version", action="version", version=f"tinyseq {ts.__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)

    machine = _Parser(add_help=False, argument_default=argparse.SUPPRESS)
    group = machine.add_argument_group("machine")
    group.add_argument(
        "--backend",
        choices=("auto", "c", "numpy"),
        default=argparse.SUPPRESS,
        help="whose kernels to run on (default: auto)",
    )
    group.add_argument(
        "--threads",
        type=_positive,
        metavar="N",
        default=argparse.SUPPRESS,
        help="threads of the C kernels (default: as many as there are processors)",
    )

    parser_of = commands.add_parser(
        "train",
        parents=[machine],
        help="train a model on a text and write a checkpoint",
        description="Train a character language model, measure it on the held-out end of the text "
        "beside a 5-gram model fitted on the same training part, and write a checkpoint. Ctrl-C "
        "writes it too and ends the run.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser_of.add_argument(
        "--data",
        metavar="FILE",
        default=argparse.SUPPRESS,
        help="UTF-8 text to train on (default: the Python documentation inside Python itself)",
    )
    parser_of.add_argument(
        "--out", metavar="FILE", default=DEFAULT_CHECKPOINT, help="checkpoint to write"
    )
    kinds = {"model": str, "steps": int}
    for field in fields(Settings):
        parser_of.add_argument(
            "--" + field.name.replace("_", "-"),
            type=kinds.get(field.name, type(field.default)),
            default=field.default if field.default is not None else argparse.SUPPRESS,
            choices=tuple(RECURRENT) if field.name == "model" else None,
            metavar=None if field.name == "model" else "N",
            help=_HELP[field.name],
        )
    parser_of.set_defaults(command=_train)

    parser_of = commands.add_parser(
        "generate",
        parents=[machine],
        help="continue a text with a trained model",
        description="Continue a text with the model in a checkpoint.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    add = parser_of.add_argument
    add("--checkpoint", metavar="FILE", default=DEFAULT_CHECKPOINT, help="what 'train' wrote")
    add(
        "--prompt",
        metavar="TEXT",
        default=argparse.SUPPRESS,
        help="text to continue (default: none, as after a line's end)",
    )
    add("--length", type=int, default=SAMPLE_LENGTH, metavar="N", help="characters to add")
    add(
        "--temperature",
        type=float,
        default=SAMPLE_TEMPERATURE,
        metavar="X",
        help="1 is the model's own distribution, less is safer, 0 takes the likeliest",
    )
    add("--seed", type=int, default=0, metavar="N", help="the same seed gives the same text")
    parser_of.set_defaults(command=_generate)

    parser_of = commands.add_parser(
        "info",
        parents=[machine],
        help="show version, backend, instruction set, threads and kernels",
        description="Show version, backend, instruction set, threads and who serves each kernel.",
    )
    parser_of.set_defaults(command=_info)
    return parser


def _positive(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 1, got {text!r}")
    return number


def _train(args: argparse.Namespace) -> int:
    try:
        settings = Settings(
            **{f.name: getattr(args, f.name) for f in fields(Settings) if f.name in args}
        )
    except ValueError as error:
        raise _BadInput(f"--{error}".replace("_", "-", 1)) from None
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
    with _Display() as display:
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
    for name, server in kernels.items():
        print(f"  {name:<24}{server}")
    return 0


class _Display:
    """Progress on stderr: a tqdm bar on a terminal, elsewhere a line per evaluation."""

    def __init__(self) -> None:
        from tqdm import tqdm

        self._bar = tqdm(
            total=None,
            unit="char",
            unit_scale=True,
            disable=None,
            dynamic_ncols=True,
            file=sys.stderr,
        )
        self._smooth = 0.0
        self._bits = "–"
        self._began = time.perf_counter()
        self._characters = 0

    def __enter__(self) -> _Display:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.close()

    def update(self, progress: Progress) -> None:
        """Show a step."""
        weight = max(0.02, 1 / progress.step)  # a plain mean at first, then the last 50 steps or so
        self._smooth += weight * (progress.loss - self._smooth)
        self._characters += progress.characters
        if progress.held_out_bits is not None:
            self._bits = f"{progress.held_out_bits:.3f}"
        if not self._bar.disable:
            self._bar.total = progress.steps * progress.characters
            self._bar.set_postfix_str(
                f"loss {self._smooth:.3f}, held-out {self._bits} bits", refresh=False
            )
            self._bar.update(progress.characters)
        elif progress.held_out_bits is not None:
            rate = self._characters / (time.perf_counter() - self._began)
            print(
                f"step {progress.step}/{progress.steps}: loss {self._smooth:.3f}, "
                f"held-out {self._bits} bits per character, {rate:,.0f} characters per second",
                file=sys.stderr,
                flush=True,
            )
