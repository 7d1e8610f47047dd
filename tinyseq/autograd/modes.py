"""Whether operations are being recorded: one switch per thread."""

import threading
from collections.abc import Callable
from functools import wraps
from types import TracebackType
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


class _Switch(threading.local):
    recording = True  # each thread starts with recording on


switch = _Switch()


class Recording:
    """Sets the switch on entry and puts it back on the way out; also decorates a function."""

    def __init__(self, on: bool) -> None:
        self._on = on
        self._before: list[bool] = []  # a stack: one object may be entered again inside itself

    def __enter__(self) -> None:
        self._before.append(switch.recording)
        switch.recording = self._on

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        switch.recording = self._before.pop()

    def __call__(self, function: F) -> F:
        @wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            with Recording(self._on):
                return function(*args, **kwargs)

        return run  # type: ignore[return-value]


def no_grad() -> Recording:
    """Record nothing inside: results need no gradient. A context manager, and a decorator."""
    return Recording(False)


def enable_grad() -> Recording:
    """Record again, inside a `no_grad`."""
    return Recording(True)


def is_grad_enabled() -> bool:
    """Whether this thread is recording."""
    return switch.recording
