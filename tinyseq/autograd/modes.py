"""Whether operations are being recorded: one switch per thread."""

import threading
from typing import Any

from tinyseq.contexts import Decorating

OFF, ON, NOTED = 0, 1, 2  # NOTED: recorded together with the line of the program (anomaly.py)


class _Switch(threading.local):
    recording = ON  # each thread starts with recording on
    level = ON  # what "on" means just now


switch = _Switch()


class Recording(Decorating):
    """Sets the switch on entry and puts it back on the way out; also decorates a function."""

    def __init__(self, on: bool) -> None:
        self._on = on
        self._before: list[int] = []  # a stack: one object may be entered again inside itself

    def again(self) -> "Recording":
        """One with a stack of its own, for other threads may run the decorated function too."""
        return Recording(self._on)

    def __enter__(self) -> None:
        self._before.append(switch.recording)
        switch.recording = switch.level if self._on else OFF

    def __exit__(self, *error: object) -> None:
        switch.recording = self._before.pop()


def no_grad(function: Any = None) -> Any:
    """Record nothing inside: results need no gradient. A context manager, and a decorator."""
    return Recording(False) if function is None else Recording(False)(function)


def enable_grad(function: Any = None) -> Any:
    """Record again, inside a `no_grad`. A context manager, and a decorator."""
    return Recording(True) if function is None else Recording(True)(function)


def is_grad_enabled() -> bool:
    """Whether this thread is recording."""
    return switch.recording != OFF
