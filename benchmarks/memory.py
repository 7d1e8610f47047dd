"""The memory of this process, as Linux tells it."""

from __future__ import annotations

import ctypes
import gc
import re
import resource
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")


def settled() -> int:
    """Bytes now in memory, what was freed given back to the system first, where that can be had."""
    gc.collect()
    if hasattr(ctypes.CDLL(None), "malloc_trim"):
        ctypes.CDLL(None).malloc_trim(0)
    return _status("VmRSS")


def at_most(work: Callable[[], T]) -> tuple[T, int]:
    """What it returns, and the most bytes that were in memory while something was done.

    The kernel's own high-water mark is set back first; where it does not allow that, the mark is
    that of the whole life of the process, and the answer may be too high.
    """
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return work(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return work(), _status("VmHWM")


def _status(name: str) -> int:
    (kilobytes,) = re.findall(rf"^{name}:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.M)
    return int(kilobytes) * 1024
