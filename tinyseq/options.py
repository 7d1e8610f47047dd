"""The options of ``tinyseq train``, ``tinyseq generate`` and ``tinyseq info``."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import fields
from typing import NoReturn

import tinyseq as ts
from tinyseq.models.gpt import POSITIONS
from tinyseq.settings import (
    MODELS,
    RECURRENT_ONLY,
    TRANSFORMER_ONLY,
    Settings,
    default_settings,
)

DEFAULT_CHECKPOINT = "tinyseq.safetensors"
SAMPLE_LENGTH = 400
SAMPLE_TEMPERATURE = 0.7

_HELP = {
    "model": "kind of model",
    "embed": "size of a character's vector; not for the transformer, whose vectors are its width",
    "hidden": "size of a recurrent layer, or the transformer's width",
    "heads": "the transformer's heads of attention",
    "positions": "how the transformer knows where it is: learned vectors, or rotary, with which it "
    "looks back one window wherever it is",
    "layers": "number of layers",
    "dropout": "probability of dropping a value, while training",
    "batch": "rows of text read in parallel",
    "window": "characters of each row in a step: so far back reaches a gradient, and the "
    "transformer's look",
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
_CHOICES = {"model": MODELS, "positions": POSITIONS}

Command = Callable[[argparse.Namespace], int]


class _Parser(argparse.ArgumentParser):
    """argparse, except that an error is one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {message}\n")


def new_parser(train: Command, generate: Command, info: Command) -> argparse.ArgumentParser:
    """The parser of all three; each puts its own function into ``command``."""
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
    _add_settings(parser_of)
    parser_of.set_defaults(command=train)

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
    parser_of.set_defaults(command=generate)

    parser_of = commands.add_parser(
        "info",
        parents=[machine],
        help="show version, backend, instruction set, threads and kernels",
        description="Show version, backend, instruction set, threads and who serves each kernel.",
    )
    parser_of.set_defaults(command=info)
    return parser


def _add_settings(parser: argparse.ArgumentParser) -> None:
    """An option for each setting. What is not given is not there: the model decides."""
    transformers = default_settings("transformer")
    kinds: dict[str, Callable[[str], object]] = {"steps": int}
    for field in fields(Settings):
        name, default, other = field.name, field.default, transformers[field.name]
        differs = name != "model" and default != other
        told = f" (default: {default}" + f"; transformer: {other}" * differs + ")"
        parser.add_argument(
            "--" + name.replace("_", "-"),
            type=kinds.get(name, type(default)),
            default=argparse.SUPPRESS,
            choices=_CHOICES.get(name),
            metavar=None if name in _CHOICES else "N",
            help=_HELP[name] + told * (default is not None),
        )


def read_settings(args: argparse.Namespace) -> Settings:
    """The settings that were asked for, the others those of the model.

    Raises ValueError, naming the option, when one is outside its range or not for this model.
    """
    given = {f.name: getattr(args, f.name) for f in fields(Settings) if f.name in args}
    model = given.get("model", Settings.model)
    foreign = RECURRENT_ONLY if model == "transformer" else TRANSFORMER_ONLY
    for name in foreign:
        if name in given:
            raise ValueError(f"--{name} is not for the {model}")
    try:
        return Settings(**default_settings(model) | given)
    except ValueError as error:
        raise ValueError(f"--{error}".replace("_", "-", 1)) from None


def _positive(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 1, got {text!r}")
    return number
