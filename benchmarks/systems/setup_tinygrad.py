"""tinygrad, made ready in its process."""

from __future__ import annotations

import os
from importlib.metadata import version

from tinygrad import Device


def setup(threads: int) -> str:
    """Once per process; returns what the header says."""
    os.environ["CPU_COUNT"] = str(threads)
    return f"tinygrad {version('tinygrad')} on {Device.DEFAULT}"  # fails where it finds no compiler
