"""Batches for truncated backpropagation through time."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tinyseq.data.epochs import Epochs, Tokens
from tinyseq.data.tokenizer import Ids


class Streams(Epochs):
    """A sequence cut into contiguous streams, read in parallel, one window at a time.

    Row b of a window goes on exactly where row b of the window before it stopped, so the state a
    model ended one window with is the state to begin the next one with; at an epoch's begin all
    start anew. What is left over when the sequence is dealt out evenly (fewer than ``streams``
    symbols, and at each stream's end fewer than ``window``) is not used.

    Args:
        ids: the sequence, (N,) whole numbers or a TokenFile, which is never loaded whole.
        streams: rows per batch, B. A sequence too short for B streams of one window each is cut
            into as many as it has.
        window: symbols per row and batch, T.

    Raises DataError when ids is no sequence of whole numbers, or shorter than one window and the
    symbol after it, ValueError when streams or window is below 1.
    """

    def __init__(self, ids: Tokens, streams: int, window: int) -> None:
        super().__init__(ids, window)
        if streams < 1:
            raise ValueError(f"Streams: streams must be at least 1, got {streams}")
        usable = len(ids) - 1  # the last symbol is only ever a target
        self.streams = min(streams, usable // window)
        self.length = usable // self.streams  # of a stream

    def __len__(self) -> int:
        """Windows in an epoch."""
        return self.length // self.window

    def _starts(self, epoch: int, first: int) -> Iterator[Ids]:
        begins = np.arange(self.streams) * self.length
        for number in range(first, len(self)):
            yield begins + number * self.window

    def _made_with(self) -> dict[str, int]:
        return {"symbols": len(self.ids), "streams": self.streams, "window": self.window}
