"""Batches for models without a state: windows from anywhere in a text."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from tinyseq import random
from tinyseq.data.text import DataError


class Windows:
    """A sequence cut into windows, dealt out in random order.

    Each epoch cuts it elsewhere, so that in time every symbol is predicted from contexts of every
    length. What is left over at the ends, and of the windows when they are dealt out, is not used
    in that epoch.

    Args:
        ids: the sequence, (N,) int64.
        batch: windows per batch, B; all there are when the sequence has fewer.
        window: symbols per window, T.

    Raises DataError when the sequence is shorter than one window and the symbol after it.
    """

    def __init__(self, ids: NDArray[np.int64], batch: int, window: int) -> None:
        usable = len(ids) - 1  # the last symbol is only ever a target
        if usable < window:
            raise DataError(
                f"the training part of the text has {len(ids)} character(s): "
                f"too short for one window of {window} and the character after it"
            )
        self.ids = ids
        self.batch = min(batch, usable // window)
        self.window = window
        # The cut furthest to the right must leave as many windows as any other.
        self.per_epoch = max(1, (usable - window + 1) // window // self.batch)

    def epoch(self) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
        """Inputs (B,T) and targets (B,T), the symbols one further on; ``manual_seed`` decides."""
        B, T = self.batch, self.window
        generator = random.generator()
        usable = len(self.ids) - 1
        first = int(generator.integers(min(T, usable - self.per_epoch * B * T + 1)))
        starts = generator.permutation(np.arange(first, usable - T + 1, T))
        for rows in starts[: self.per_epoch * B].reshape(self.per_epoch, B):
            places = rows[:, None] + np.arange(T)
            yield self.ids[places], self.ids[places + 1]
