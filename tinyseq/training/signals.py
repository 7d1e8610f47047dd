"""Ctrl-C and SIGTERM while a step is under way."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def interruptions() -> Iterator[Callable[[], int]]:
    """Remember a first Ctrl-C or SIGTERM instead of obeying it, so that no step is left half done.

    Yields what tells the signal's number, 0 before there was one. The second raises
    KeyboardInterrupt; any more change nothing, lest they break off the cleaning up after it.
    """
    seen: list[int] = []

    def remember(number: int, frame: FrameType | None) -> None:
        seen.append(number)
        if len(seen) == 2:
            raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():  # signals are not ours to take
        yield lambda: 0
        return
    before = {n: signal.signal(n, remember) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: seen[0] if seen else 0
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
