"""``tinyseq generate``: a trained model goes on with a text."""

from __future__ import annotations

import argparse
from typing import Any

from tinyseq.cli.machine import add_machine, use
from tinyseq.cli.runs import find_checkpoint
from tinyseq.cli.train import SAMPLE_LENGTH, SAMPLE_TEMPERATURE
from tinyseq.cli.usage import WrongUsage
from tinyseq.generation import stream_text
from tinyseq.models import load_charlm


def add(commands: Any) -> None:
    """Its options."""
    parser = commands.add_parser(
        "generate",
        help="continue a text with a trained model",
        description="Continue a text with a trained model, writing as it goes.",
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    parser.add_argument(
        "run",
        nargs="?",
        default=argparse.SUPPRESS,
        metavar="RUN",
        help="folder of a run, or a checkpoint (default: the newest run in runs/)",
    )
    add = parser.add_argument
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
    add_machine(parser)
    parser.set_defaults(command=run)


def run(args: argparse.Namespace) -> int:
    """Print the prompt and each piece of text as it comes."""
    use(args)
    prompt = getattr(args, "prompt", "")
    model, tokenizer, _ = load_charlm(find_checkpoint(getattr(args, "run", None)))
    try:
        pieces = stream_text(
            model, tokenizer, prompt, args.length, temperature=args.temperature, seed=args.seed
        )
    except ValueError as error:
        wrong = str(error).removeprefix("generate: ").replace("max_new_tokens", "length")
        raise WrongUsage(f"--{wrong}") from None
    print(prompt, end="", flush=True)
    for piece in pieces:
        print(piece, end="", flush=True)
    print()
    return 0
