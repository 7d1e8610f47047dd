"""Windows of a long sequence, by the epoch."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tinyseq.data.batch import Batch
from tinyseq.data.resumable import Resumable
from tinyseq.data.text import DataError
from tinyseq.data.token_file import TokenFile
from tinyseq.data.tokenizer import Ids

Tokens = Ids | TokenFile


class Epochs(Resumable):
    """Windows of a long sequence in batches, one epoch each time it is iterated over.

    Args:
        ids: the sequence, (N,) whole numbers or a TokenFile, which is never loaded whole.
        window: symbols per row and batch, T.

    Raises DataError when ids is no sequence of whole numbers, or shorter than one window and the
    symbol after it, ValueError when window is below 1.
    """

    def __init__(self, ids: Tokens, window: int) -> None:
        name = type(self).__name__
        if isinstance(ids, np.ndarray) and (ids.ndim != 1 or ids.dtype.kind not in "iu"):
            raise DataError(f"{name}: ids must be whole numbers (N,), got {ids.dtype} {ids.shape}")
        if window < 1:
            raise ValueError(f"{name}: window must be at least 1, got {window}")
        if len(ids) <= window:
            raise DataError(
                f"the training part of the text has {len(ids)} symbol(s): "
                f"too short for one window of {window} and the symbol after it"
            )
        self.ids = ids
        self.window = window

    def _starts(self, epoch: int, first: int) -> Iterator[Ids]:
        """Where the rows (B,) of the batches of an epoch begin, from one batch on."""
        raise NotImplementedError

    def _batches(self, epoch: int, first: int) -> Iterator[Batch]:
        """Batches of x (B,T) and y (B,T), the symbols one further on, int64; without lengths."""
        steps = np.arange(self.window + 1)
        for starts in self._starts(epoch, first):
            read = self.ids[starts[:, None] + steps].astype(np.int64, copy=False)
            yield Batch(read[:, :-1], read[:, 1:])
