"""How many steps of each row of a batch are real."""

from typing import Any

import numpy as np

from tinyseq.autograd import Array


def check_lengths(name: str, lengths: Any, B: int, T: int) -> Array:
    """Lengths as int64 (B,), each checked to be in [0, T].

    Raises:
        ValueError, TypeError: for another shape, another range, or what are no whole numbers.
    """
    try:
        array = np.asarray(lengths)
    except ValueError:  # lists of uneven lengths
        raise TypeError(f"{name}: lengths must be whole numbers, got {lengths!r}") from None
    if array.dtype.kind not in "iu" and array.size:
        raise TypeError(f"{name}: lengths must be whole numbers, got {array.dtype}")
    if array.shape != (B,):
        raise ValueError(f"{name}: lengths must be ({B},), got {array.shape}")
    outside = (array < 0) | (array > T)
    if outside.any():
        raise ValueError(f"{name}: lengths must be from 0 to {T}, got {array[outside][0]}")
    return array.astype(np.int64)
