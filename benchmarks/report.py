"""A run as a page of Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchmarks.records import Picture, Record


def page(record: Record, path: Path, pictures: Sequence[Picture]) -> str:
    """The whole page, which will lie at `path`."""
    raise NotImplementedError
