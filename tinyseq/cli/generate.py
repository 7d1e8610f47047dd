"""``tinyseq generate``: a trained model goes on with a text."""

from __future__ import annotations

import argparse
from typing import Any

from tinyseq.cli.machine import add_machine, use
from tinyseq.cli.runs import RUN_HELP, find_checkpoint
from tinyseq.cli.texts import PIPE, text_of
from tinyseq.cli.usage import WrongUsage
from tinyseq.cli.writing import LENGTH, TEMPERATURE, until, written
from tinyseq.models import load_language_model


def add(commands: Any) -> None:
    """Its options."""
    parser = commands.add_parser(
        "generate",
        help="continue a text with a trained model",
        description="Continue a text with a trained model, printing each token as it comes.",
    )
    parser.add_argument("run", nargs="?", metavar="RUN", help=RUN_HELP)
    group = parser.add_argument_group("text")
    group.add_argument(
        "--prompt",
        default="",
        metavar="TEXT",
        help="text to continue, - for standard input (default: none, as after a line's end)",
    )
    group.add_argument(
        "--length",
        type=int,
        default=LENGTH,
        metavar="N",
        help="the most tokens to add (default: %(default)s)",
    )
    group.add_argument(
        "--stop",
        action="append",
        default=[],
        metavar="TEXT",
        help="end before this text would come; may be given several times",
    )
    group = parser.add_argument_group("choice of tokens")
    for name, default, told in (
        ("temperature", None, "1 is the model's own distribution, less is safer, 0 takes the "
         f"likeliest (default: {TEMPERATURE})"),
        ("top-k", None, "choose among the N likeliest"),
        ("top-p", None, "choose among the likeliest that together have this probability"),
        ("repetition-penalty", 1.0, "above 1 makes tokens that were there less likely"),
        ("beams", 1, "search for the likeliest text along so many at a time, instead of drawing"),
        ("length-penalty", 1.0, "of --beams: above 0 is for longer texts, below for shorter"),
        ("seed", 0, "the same seed gives the same text"),
    ):  # fmt: skip
        kind = int if name in ("top-k", "beams", "seed") else float
        told += " (default: %(default)s)" * (default is not None)
        letter = "N" if kind is int else "X"
        group.add_argument(f"--{name}", type=kind, default=default, metavar=letter, help=told)
    add_machine(parser)
    parser.set_defaults(command=run)


def run(args: argparse.Namespace) -> int:
    """Print the prompt and each piece of text as it comes."""
    use(args)
    if "" in args.stop:
        raise WrongUsage("--stop: expected a text, got none")
    prompt = args.prompt
    if prompt == PIPE:
        prompt = text_of(PIPE).removesuffix("\n")
    model, tokenizer, _ = load_language_model(find_checkpoint(args.run))
    options = _options(args)
    try:
        pieces = written(model, tokenizer, prompt, args.length, **options)
    except ValueError as error:
        raise WrongUsage(_of_options(str(error))) from None
    print(prompt, end="", flush=True)
    for piece in until(pieces, args.stop):
        print(piece, end="", flush=True)
    print()
    return 0


def _options(args: argparse.Namespace) -> dict[str, Any]:
    names = ("temperature", "top_k", "top_p", "repetition_penalty", "seed")
    given = {name: getattr(args, name) for name in names}
    if args.beams != 1:
        if [name for name in names[:3] if given.pop(name) is not None]:
            raise WrongUsage(
                "--beams: draws nothing, so that it has no use for "
                "--temperature, --top-k and --top-p"
            )
        return given | {"num_beams": args.beams, "length_penalty": args.length_penalty}
    if args.temperature is None:
        given["temperature"] = TEMPERATURE
    return given


def _of_options(message: str) -> str:
    """What is wrong with an argument, as said of the option."""
    name, _, rest = message.removeprefix("generate: ").partition(" ")
    name = {"max_new_tokens": "length", "num_beams": "beams"}.get(name, name)
    return f"--{name.replace('_', '-')} {rest}"
