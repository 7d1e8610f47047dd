"""Seq2Seq: what encoder-decoders share: a source is read whole, and a target is written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinyseq import nn
from tinyseq.autograd import Array, Tensor
from tinyseq.models.decoding import Decoding, Ids


class Seq2Seq(nn.Module):
    """Predicts each symbol of a target from those before it and from all of a source.

    In training the decoder is given the target behind the mark ``begin``, and is to predict the
    target with the mark ``end`` behind it (`targets`). When it writes (`tinyseq.generation`), it
    begins with ``begin`` and ends where it predicts ``end``.

    Attributes:
        begin, end: the numbers of the two marks among the target's symbols.
    """

    begin: int
    end: int

    def forward(
        self,
        source: Tensor | Array,
        target: Tensor | Array,
        source_lengths: Any = None,
        target_lengths: Any = None,
    ) -> Tensor:
        """Predict the symbol after each of the target's.

        Args:
            source: symbols (B,S), whole numbers.
            target: symbols (B,T), whole numbers, the first of each row ``begin``.
            source_lengths: how many of the source's are real in each row, B whole numbers from 0 to
                S; all of them when not given. What lies beyond leaves no trace.
            target_lengths: likewise, of the target's.

        Returns logits (B,T,V).

        Raises ValueError for other shapes or lengths, IndexError for a symbol that is not there.
        """
        raise NotImplementedError

    def start(self, prompts: Sequence[Ids]) -> Decoding:
        """Read sources (n,), and begin to write a row for each, for `tinyseq.generation`."""
        raise NotImplementedError

    def beginnings(self, count: int) -> list[Ids]:
        """What so many rows begin with."""
        return [np.array([self.begin])] * count

    def targets(self, rows: Sequence[Any]) -> tuple[list[Ids], list[Ids]]:
        """For each target (n,), what the decoder is given and what it is to predict, (n + 1,)."""
        arrays = [np.asarray(row, np.int64) for row in rows]
        given = [np.concatenate(([self.begin], row)) for row in arrays]
        return given, [np.concatenate((row, [self.end])) for row in arrays]


def check_marks(name: str, symbols: int, begin: int, end: int) -> None:
    """Raise ValueError when one of the marks is not among the symbols."""
    for mark, number in (("begin", begin), ("end", end)):
        if not 0 <= number < symbols:
            raise ValueError(f"{name}: {mark} must be from 0 to {symbols - 1}, got {number}")


def as_symbols(name: str, source: Any, target: Any) -> tuple[Tensor, Tensor]:
    """Source and target as Tensors (B,S) and (B,T)."""
    source, target = (
        x if isinstance(x, Tensor) else Tensor(np.asarray(x)) for x in (source, target)
    )
    if source.ndim != 2 or target.ndim != 2 or source.shape[0] != target.shape[0]:
        raise ValueError(
            f"{name}: source must be (B, S) and target (B, T), got {source.shape} "
            f"and {target.shape}"
        )
    return source, target
