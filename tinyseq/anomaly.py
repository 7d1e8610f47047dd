"""Finding the line at fault: where a NaN came from, and which array was changed too late.

Inside `detect_anomaly` every recorded Tensor notes the line of the program that made it and a
checksum of each array it remembers; the backward walk then checks what it meets.
"""

from __future__ import annotations

import linecache
import sys
from collections.abc import Iterator
from os.path import dirname
from typing import TYPE_CHECKING, Any, NamedTuple
from zlib import crc32

import numpy as np

from tinyseq.autograd.modes import NOTED, switch

if TYPE_CHECKING:
    from tinyseq.autograd.tensor import Tensor

OURS = dirname(__file__)  # the package: a line in it is not the program's


class detect_anomaly:
    """Inside, a backward walk that goes wrong names the line that made the Tensor at fault.

    A context manager, for forward and backward together; everything in it is slow.

    Raises:
        RuntimeError: in the walk, at the first gradient that has a NaN, and where an array that a
            rule may read (an input, the result, a parameter) was changed since the forward.
    """

    def __enter__(self) -> None:
        self._before = switch.level, switch.recording
        switch.level = NOTED
        switch.recording = switch.recording and NOTED

    def __exit__(self, *error: object) -> None:
        switch.level, switch.recording = self._before


class Note(NamedTuple):
    """What is noted about a Tensor when it is made."""

    line: str
    sums: dict[str, int]


def note(y: Tensor) -> None:
    """Note where y was made, and of what."""
    y.note = Note(line_outside(), dict(checksums(y)))


def line_outside() -> str:
    """The innermost line being run that is not ours: "file:line: text"."""
    frame = sys._getframe(1)
    while frame.f_code.co_filename.startswith(OURS) and frame.f_back is not None:
        frame = frame.f_back
    file, line = frame.f_code.co_filename, frame.f_lineno
    return f"{file}:{line}: {linecache.getline(file, line).strip()}"


def checksums(y: Tensor) -> Iterator[tuple[str, int]]:
    """What each array that y remembers is called, and its checksum."""
    named = {"result": y.data, **y.params}
    named |= {f"input {i}": getattr(x, "data", None) for i, x in enumerate(y.inputs)}
    for name, data in named.items():
        sum = 0
        for array in data if isinstance(data, tuple) else (data,):
            if isinstance(array, np.ndarray):
                sum = crc32(array.tobytes(), sum)
        yield name, sum


def check_saved(y: Tensor, g: Any) -> None:
    """Before y's rule runs: are its arrays as they were, and is its gradient still a number?"""
    if hasattr(y, "note"):
        for name, sum in checksums(y):
            if y.note.sums[name] != sum:
                raise RuntimeError(f"{told(y)}: its {name} was changed in place since")
    if has_nan(g):
        raise RuntimeError(f"{told(y)}: the gradient that arrives there has a NaN")


def check_shares(y: Tensor, shares: tuple[Any, ...]) -> None:
    """After it: did it make a NaN?"""
    for i, share in enumerate(shares):
        if has_nan(share):
            raise RuntimeError(f"{told(y)}: its gradient with respect to input {i} has a NaN")


def has_nan(g: Any) -> bool:
    """Whether there is one in a gradient, or in those of several results."""
    parts = g.values() if isinstance(g, dict) else () if g is None else (g,)
    return any(bool(np.isnan(part.data).any()) for part in parts)


def told(y: Tensor) -> str:
    """Op and line, as an error names them."""
    name = "a leaf" if y.op is None else y.op.name
    return (
        f"detect_anomaly: {name}, made at {y.note.line}"
        if hasattr(y, "note")
        else (f"detect_anomaly: {name}, made outside detect_anomaly or given by you")
    )
