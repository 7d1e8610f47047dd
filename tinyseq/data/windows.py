"""Batches for models without a state: windows from anywhere in a text."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tinyseq.data.epochs import Epochs, Tokens
from tinyseq.data.order import Order
from tinyseq.data.tokenizer import Ids


class Windows(Epochs):
    """A sequence cut into windows, dealt out in random order.

    Each epoch cuts it elsewhere, so that in time every symbol is predicted from contexts of every
    length. What is left over at the ends, and of the windows when they are dealt out, is not used
    in that epoch.

    Args:
        ids: the sequence, (N,) whole numbers or a TokenFile, which is never loaded whole.
        batch: windows per batch, B; all there are when the sequence has fewer.
        window: symbols per window, T.
        seed: decides, with the epoch's number, the cut and the order; a whole number of at least 0.

    Raises DataError when ids is no sequence of whole numbers, or shorter than one window and the
    symbol after it, ValueError when batch or window is below 1 or the seed below 0.
    """

    def __init__(self, ids: Tokens, batch: int, window: int, seed: int = 0) -> None:
        super().__init__(ids, window)
        if batch < 1 or seed < 0:
            raise ValueError(
                f"Windows: batch must be at least 1 and seed at least 0, got {batch} and {seed}"
            )
        usable = len(ids) - 1  # the last symbol is only ever a target
        self.batch = min(batch, usable // window)
        self.seed = seed

    def __len__(self) -> int:
        """Batches in an epoch: the cut furthest to the right leaves as many as any other."""
        T = self.window
        return max(1, (len(self.ids) - T) // T // self.batch)

    def _starts(self, epoch: int, first: int) -> Iterator[Ids]:
        B, T, usable = self.batch, self.window, len(self.ids) - 1
        rng = np.random.Generator(np.random.PCG64([self.seed, epoch]))
        begin = int(rng.integers(min(T, usable - len(self) * B * T + 1)))
        order = Order((usable - begin) // T, rng)
        for number in range(first, len(self)):
            yield begin + T * order[np.arange(number * B, (number + 1) * B)]

    def _made_with(self) -> dict[str, int]:
        sizes = {"batch": self.batch, "window": self.window, "seed": self.seed}
        return {"symbols": len(self.ids), **sizes}
