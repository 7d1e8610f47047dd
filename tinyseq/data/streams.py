"""Batches for truncated backpropagation through time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tinyseq.data.text import DataError


class Streams:
    """A sequence cut into contiguous streams, read in parallel, one window at a time.

    Row b of a window goes on exactly where row b of the window before it stopped, so the state a
    model ended one window with is the state to begin the next one with. What is left over when the
    sequence is dealt out evenly (fewer than ``streams`` symbols, and at each stream's end fewer
    than ``window``) is not used.

    Args:
        ids: the sequence, (N,) int64.
        streams: rows per batch, B. A sequence too short for B streams of one window each is cut
            into as many as it has.
        window: symbols per row and batch, T.

    Raises DataError when the sequence is shorter than one window and the symbol after it.
    """

    def __init__(self, ids: NDArray[np.int64], streams: int, window: int) -> None:
        usable = len(ids) - 1  # the last symbol is only ever a target
        if usable < window:
            raise DataError(
                f"the training part of the text has {len(ids)} character(s): "
                f"too short for one window of {window} and the character after it"
            )
        self.streams = min(streams, usable // window)
        self.window = window
        length = usable // self.streams
        self.per_epoch = length // window
        used = self.streams * length
        self._inputs = ids[:used].reshape(self.streams, length)
        self._targets = ids[1 : used + 1].reshape(self.streams, length)

    def epoch(self) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Inputs (B,T) and targets (B,T), the symbols one further on, of every window in order."""
        for first in range(0, self.per_epoch * self.window, self.window):
            window = slice(first, first + self.window)
            yield self._inputs[:, window], self._targets[:, window]
