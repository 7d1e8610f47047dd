"""Losses of sequences."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyseq.autograd import Tensor
from tinyseq.nn import functional as F
from tinyseq.ops.lengths import check_lengths


def sequence_cross_entropy(
    logits: Tensor, targets: Any, ignore_index: int = -100, lengths: Any = None
) -> Tensor:
    """The mean cross-entropy of the classes at each step of each row, padding left out.

    ::

        loss = -Σ log softmax(logits_bt)[targets_bt] / number of targets that count

    Args:
        logits: (B, T, V), or (B, V) with targets (B,).
        targets: whole numbers (B, T) in [0, V), or ignore_index where nothing is wanted.
        ignore_index: that number; a DataLoader pads whole numbers with -100.
        lengths: the steps of each row that are real, B whole numbers from 0 to T, where padding
            has another number. Not looked at when targets are (B,).

    Returns a scalar, nats.

    Raises as `cross_entropy` does, and ValueError or TypeError when the lengths do not fit.
    """
    index = targets.data if isinstance(targets, Tensor) else np.asarray(targets)
    if lengths is not None and index.ndim > 1:
        B, T = index.shape
        ends = check_lengths("sequence_cross_entropy", lengths, B, T)
        index = np.where(np.arange(T) < ends[:, None], index, ignore_index)
    rows = logits.reshape(-1, logits.shape[-1])
    return F.cross_entropy(rows, index.reshape(-1), ignore_index=ignore_index)
