"""Whether operations are being recorded: one switch per thread."""

import threading
from collections.abc import Callable, Generator
from functools import wraps
from inspect import isgeneratorfunction
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

OFF, ON, NOTED = 0, 1, 2  # not recorded; recorded; recorded with the line it came from (anomaly.py)


class _Switch(threading.local):
    recording = ON  # each thread starts with recording on
    level = ON  # what "on" means just now


switch = _Switch()


class Recording:
    """Sets the switch on entry and puts it back on the way out; also decorates a function."""

    def __init__(self, on: bool) -> None:
        self._on = on
        self._before: list[int] = []  # a stack: one object may be entered again inside itself

    def __enter__(self) -> None:
        self._before.append(switch.recording)
        switch.recording = switch.level if self._on else OFF

    def __exit__(self, *error: object) -> None:
        switch.recording = self._before.pop()

    def __call__(self, function: F) -> F:
        @wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            with Recording(self._on):
                return function(*args, **kwargs)

        @wraps(function)
        def generate(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
            # Between two values the caller's own mode holds, so the switch is set for each step.
            steps = function(*args, **kwargs)
            step, sent = steps.send, None
            while True:
                try:
                    with Recording(self._on):
                        value = step(sent)
                except StopIteration as end:
                    return end.value
                try:
                    step, sent = steps.send, (yield value)
                except BaseException as error:  # thrown in from outside: the function's to handle
                    step, sent = steps.throw, error

        return generate if isgeneratorfunction(function) else run  # type: ignore[return-value]


def no_grad(function: Any = None) -> Any:
    """Record nothing inside: results need no gradient. A context manager, and a decorator."""
    return Recording(False) if function is None else Recording(False)(function)


def enable_grad(function: Any = None) -> Any:
    """Record again, inside a `no_grad`. A context manager, and a decorator."""
    return Recording(True) if function is None else Recording(True)(function)


def is_grad_enabled() -> bool:
    """Whether this thread is recording."""
    return switch.recording != OFF
