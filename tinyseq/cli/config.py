"""Configurations: TOML files that say what options say.

::

    model = "gru"           # as --model gru
    weight_decay = 0.1      # as --weight-decay 0.1
    data = "book.txt"
"""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Mapping
from typing import Any

from tinyseq.cli.machine import BACKENDS
from tinyseq.cli.options import CHOICES, GROUPS, KINDS
from tinyseq.cli.usage import WrongUsage, nearest

_KINDS = KINDS | {"data": str, "out": str, "backend": str, "threads": int}
_CHOICES: dict[str, Any] = {**CHOICES, "backend": BACKENDS}
_WORDS = {int: "a whole number", float: "a number", str: "a text in quotes"}


def read_config(path: str) -> dict[str, Any]:
    """What a configuration says: name of an option, with underscores -> value.

    Raises WrongUsage, in one line with the file's name, when it cannot be read, is no TOML, holds a
    name that is no option of ``tinyseq train``, or a value of another type.
    """
    try:
        with open(path, "rb") as file:
            found = _toml().loads(file.read().decode("utf-8"))
    except OSError as error:
        raise WrongUsage(f"{path}: cannot be read: {error.strerror or error}") from None
    except (ValueError, RecursionError) as error:  # no UTF-8, or no TOML
        raise WrongUsage(f"{path}: is not TOML: {error}") from None
    return {key: _checked(path, key, value) for key, value in found.items()}


def write_config(path: str, values: Mapping[str, Any]) -> None:
    """Write what `read_config` reads, in the order and the groups of the options.

    Args:
        path: where to.
        values: as `read_config` returns them; those that are None are left out.
    """
    groups = {"data": ["data"], **{title: list(options) for title, options in GROUPS.items()}}
    parts = []
    for title, names in groups.items():
        lines = [f"{n} = {_text(values[n])}" for n in names if values.get(n) is not None]
        parts.append("\n".join([f"# {title}", *lines]) + "\n")
    with open(path, "w", encoding="utf-8", errors="replace") as file:
        file.write("\n".join(parts))


def _text(value: Any) -> str:
    """A value as TOML, in which a text is one of JSON, but for one character."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    return repr(value)


def _checked(path: str, key: str, value: Any) -> Any:
    if key not in _KINDS:
        raise WrongUsage(f"{path}: {key!r} is unknown{nearest(key, _KINDS)}")
    kind: Any = _KINDS[key]
    if kind is float and type(value) is int:
        value = float(value)
    if type(value) is not kind:
        raise WrongUsage(f"{path}: {key} must be {_WORDS[kind]}, got {value!r}")
    if key in _CHOICES and value not in _CHOICES[key]:
        choices = ", ".join(_CHOICES[key])
        hint = nearest(value, _CHOICES[key])
        raise WrongUsage(f"{path}: {key} must be one of {choices}, got {value!r}{hint}")
    if key == "threads" and value < 1:
        raise WrongUsage(f"{path}: threads must be at least 1, got {value}")
    return value


def _toml() -> Any:
    """The module that reads TOML: Python's own from 3.11 on."""
    if sys.version_info >= (3, 11):
        return importlib.import_module("tomllib")
    try:
        return importlib.import_module("tomli")
    except ImportError:
        raise WrongUsage(
            "--config needs the package tomli on Python 3.10: python -m pip install 'tinyseq[toml]'"
        ) from None
