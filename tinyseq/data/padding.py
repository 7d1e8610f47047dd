"""Sequences of unequal length as one array."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from numpy.typing import NDArray

from tinyseq.data.text import DataError

Side = Literal["pre", "post"]


def pad_sequences(
    sequences: Iterable[npt.ArrayLike],
    maxlen: int | None = None,
    dtype: npt.DTypeLike | None = None,
    padding: Side = "post",
    truncating: Side = "post",
    value: float = 0,
) -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Sequences of unequal length as one array, filled up with a value, and their lengths.

    Keras pads and truncates in front unless told otherwise. Here the end is the default, for the
    ``lengths`` that layers and losses take count from the front.

    Args:
        sequences: N sequences (T_i,) or (T_i, ...), all alike but for their lengths.
        maxlen: T; the longest sequence's length when not given.
        dtype: of the array; when not given, that of the sequences (int64 if all are empty).
        padding: where the value goes, "pre" (before) or "post" (behind).
        truncating: where a sequence longer than T loses what it has too much.
        value: what to fill with.

    Returns:
        the array (N, T, ...), and of each row how many steps are the sequence's own, (N,) int64.

    Raises DataError when the sequences do not fit one another, or they or the value would be
    changed by the dtype, and ValueError when a side has another name or maxlen is negative.
    """
    for name, side in (("padding", padding), ("truncating", truncating)):
        if side not in ("pre", "post"):
            raise ValueError(f"pad_sequences: {name} must be 'pre' or 'post', got {side!r}")
    if maxlen is not None and maxlen < 0:
        raise ValueError(f"pad_sequences: maxlen must not be negative, got {maxlen}")
    rows = [_row(number, sequence) for number, sequence in enumerate(sequences)]
    filled = [row for row in rows if len(row)]
    shape = next((row.shape[1:] for row in filled or rows), ())
    for number, row in enumerate(rows):
        if len(row) and row.shape[1:] != shape:
            raise DataError(
                f"pad_sequences: all sequences must be (T_i, {', '.join(map(str, shape))}) "
                f"like the first, got {row.shape} as sequence {number}"
            )
    if dtype is None:
        dtype = np.result_type(*filled) if filled else np.int64
    T = max(map(len, rows), default=0) if maxlen is None else maxlen
    lengths = np.array([min(len(row), T) for row in rows], np.int64)
    padded = np.full((len(rows), T, *shape), _cast(np.asarray(value), dtype, "value"))
    for place, row, length in zip(padded, rows, lengths, strict=True):
        kept = row[len(row) - length :] if truncating == "pre" else row[:length]
        target = place[T - length :] if padding == "pre" else place[:length]
        if length:
            target[...] = _cast(kept, dtype, "a sequence")
    return padded, lengths


def _row(number: int, sequence: npt.ArrayLike) -> NDArray[Any]:
    try:
        row = np.asarray(sequence)
    except ValueError:  # lists of unequal lengths within the sequence
        row = np.asarray(None)
    if row.ndim == 0 or row.dtype.kind not in "biuf":
        raise DataError(f"pad_sequences: sequence {number} must hold numbers (T_i, ...)")
    return row


def _cast(array: NDArray[Any], dtype: npt.DTypeLike, what: str) -> NDArray[Any]:
    """The array in a dtype that holds its values; floats may be rounded to other floats."""
    with np.errstate(all="ignore"):  # what is lost is found below
        cast = array.astype(dtype)
    if np.can_cast(array.dtype, dtype, "safe"):
        return cast
    if array.dtype.kind != "f" or cast.dtype.kind != "f":
        if not np.array_equal(cast, array):
            raise DataError(f"pad_sequences: {what} does not fit {cast.dtype}")
    return cast
