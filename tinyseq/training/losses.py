"""Losses of sequences."""

from __future__ import annotations

from typing import Any

from tinyseq.autograd import Tensor
from tinyseq.nn import functional as F


def sequence_cross_entropy(logits: Tensor, targets: Any, ignore_index: int = -100) -> Tensor:
    """The mean cross-entropy of the classes at each step of each row, padding left out.

    ::

        loss = -Σ log softmax(logits_bt)[targets_bt] / number of targets that count

    Args:
        logits: (B, T, V), or (B, V) with targets (B,).
        targets: whole numbers (B, T) in [0, V), or ignore_index where nothing is wanted.
        ignore_index: that number; a DataLoader pads whole numbers with -100.

    Returns a scalar, nats.

    Raises as `cross_entropy` does.
    """
    index = targets.data if isinstance(targets, Tensor) else targets
    rows = logits.reshape(-1, logits.shape[-1])
    return F.cross_entropy(rows, index.reshape(-1), ignore_index=ignore_index)
