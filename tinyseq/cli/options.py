"""The options that are settings of a run, and what they and a configuration amount to."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from tinyseq.cli.usage import Parser, WrongUsage
from tinyseq.models.gpt import POSITIONS
from tinyseq.settings import (
    MODELS,
    TOKENIZERS,
    Settings,
    default_settings,
    foreign,
)

GROUPS = {
    "model": {
        "model": "kind of model",
        "embed": "size of a token's vector; not for the transformer, whose vectors are its width",
        "hidden": "size of a recurrent layer, or the transformer's width",
        "heads": "the transformer's heads of attention",
        "positions": "how the transformer knows where it is: learned vectors, or rotary, with "
        "which it looks back one window wherever it is",
        "layers": "number of layers",
        "dropout": "probability of dropping a value, while training",
    },
    "text": {
        "tokenizer": "what a token is; a file that 'tinyseq prepare' made has its own",
        "vocabulary": "the most tokens of the word tokenizer: rarer words are all the same to it",
        "held_out": "share of the text, at its end, kept back to measure on",
        "batch": "rows of text read in parallel",
        "window": "tokens of each row in a step: so far back reaches a gradient, and the "
        "transformer's look",
    },
    "training": {
        "epochs": "passes over the training part",
        "steps": "number of steps, instead of epochs",
        "lr": "highest learning rate",
        "warmup": "share of the steps in which the learning rate rises",
        "weight_decay": "AdamW's weight decay",
        "clip": "largest gradient norm",
        "evaluations": "how often to measure, write the checkpoint and a sample",
        "seed": "the same seed gives the same run",
    },
}
CHOICES = {"model": MODELS, "positions": POSITIONS, "tokenizer": TOKENIZERS}
KINDS: dict[str, type] = {f.name: type(f.default) for f in fields(Settings)} | {"steps": int}


def add_settings(parser: Parser) -> None:
    """An option for each setting. What is not given is not there: the model decides."""
    usual, transformers = default_settings("lstm"), default_settings("transformer")
    for title, options in GROUPS.items():
        group = parser.add_argument_group(title)
        for name, told in options.items():
            default, other = usual[name], transformers[name]
            if default is not None:
                differs = name != "model" and default != other
                told += f" (default: {default}" + f"; transformer: {other}" * differs + ")"
            group.add_argument(
                "--" + name.replace("_", "-"),
                type=KINDS[name],
                default=argparse.SUPPRESS,
                choices=CHOICES.get(name),
                metavar=None if name in CHOICES else "X" if KINDS[name] is float else "N",
                help=told,
            )


def read_settings(args: argparse.Namespace, configured: Mapping[str, Any], file: str) -> Settings:
    """The settings that were asked for, the others those of the model.

    Args:
        args: options that were given; they go before what the file says.
        configured: what a configuration says, checked for its names and types.
        file: the configuration's name, for messages.

    Raises WrongUsage, naming the option or file, when one is outside its range or not for this
    model.
    """
    flags = {name: getattr(args, name) for name in KINDS if name in args}
    given = {name: configured[name] for name in KINDS if name in configured} | flags
    if "epochs" in flags and "steps" not in flags:
        given.pop("steps", None)
    model = given.get("model", Settings.model)

    def wrong(message: str) -> WrongUsage:
        name = message.split()[0]
        if name in configured and name not in flags:
            return WrongUsage(f"{file}: {message}")
        return WrongUsage(f"--{message}".replace(name, name.replace("_", "-"), 1))

    for name, what in foreign(model, given.get("tokenizer", Settings.tokenizer)).items():
        if name in given:
            raise wrong(f"{name} is not for {what}")
    try:
        return Settings(**default_settings(model) | given)
    except ValueError as error:
        raise wrong(str(error)) from None
