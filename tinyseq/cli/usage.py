"""Wrong usage, and how it is told."""

from __future__ import annotations

import argparse
import difflib
from collections.abc import Iterable
from typing import Any, NoReturn


class WrongUsage(ValueError):
    """An option or a line of a configuration that cannot be used; the message is for the user."""


class Parser(argparse.ArgumentParser):
    """argparse, except that an error is one line, and that options are not to be abbreviated."""

    def __init__(self, **options: object) -> None:
        options.setdefault("allow_abbrev", False)
        super().__init__(**options)  # type: ignore[arg-type]

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As argparse does, but that there are none which are not known: the nearest is named."""
        found, rest = super().parse_known_args(args, namespace)
        if rest:
            word = rest[0].split("=")[0]
            self.error(f"{word} is unknown{nearest(word, self._option_string_actions)}")
        return found, rest

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"{self.prog}: error: {' '.join(message.split())}\n")


def nearest(word: str, known: Iterable[str]) -> str:
    """The end of a message about an unknown word: the known one that is most like it, if any is."""
    found = difflib.get_close_matches(word, list(known), n=1)
    return f" (did you mean {found[0]}?)" if found else ""


def count(text: str) -> int:
    """A whole number of at least 1, as an option's type."""
    try:
        number = int(text)
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number of at least 1, got {text!r}")
    return number
