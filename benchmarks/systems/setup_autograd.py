"""HIPS autograd, made ready in its process."""

from __future__ import annotations

from importlib.metadata import version


def setup(threads: int) -> str:
    """Once per process; returns what the header says."""
    return f"autograd {version('autograd')}"
