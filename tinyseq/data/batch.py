"""What a step of training reads."""

from __future__ import annotations

from typing import Any, NamedTuple


class Batch(NamedTuple):
    """Some rows to read at once; ``for x, y, lengths in data`` takes it apart.

    Args:
        x: NumPy array (B, ...), or a tuple of such arrays for a model with several inputs.
        y: what is wanted of them, (B, ...); None where nothing is, as when predicting.
        lengths: how much of each row is real, (B,) ints, or None if all is. For a tuple x a tuple
            with one such entry per input, or None.
    """

    x: Any
    y: Any = None
    lengths: Any = None
