"""The memory of this process, as Linux tells it."""

from __future__ import annotations

import re
import resource
from collections.abc import Callable
from pathlib import Path


def resident() -> int:
    """Bytes now in memory."""
    return _status("VmRSS")


def at_most(work: Callable[[], object]) -> int:
    """The most bytes that were in memory while something was done.

    The kernel's own high-water mark is set back first; where it does not allow that, the mark is
    that of the whole life of the process, and the answer may be too high.
    """
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        work()
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    work()
    return _status("VmHWM")


def _status(name: str) -> int:
    (kilobytes,) = re.findall(rf"^{name}:\s+(\d+) kB", Path("/proc/self/status").read_text(), re.M)
    return int(kilobytes) * 1024
