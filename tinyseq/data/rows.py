"""Rows by number, from an array, from sequences of unequal lengths, or from anything with items."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyseq.data.text import DataError

Array = NDArray[Any]
IGNORED = -100  # the target that cross_entropy leaves out, as in PyTorch


class Rows:
    """What a DataLoader reads from: some rows at a time, padded to one shape.

    Attributes:
        lengths: of every row, (N,) int64, as far as they are known beforehand; else None.
    """

    lengths: Array | None = None

    def __len__(self) -> int:
        raise NotImplementedError

    def take(self, rows: Array) -> tuple[Any, Any]:
        """The rows with these numbers (B,), and their lengths (B,), or None if they are full."""
        raise NotImplementedError

    def has_missing(self) -> bool:
        """Whether there is a NaN, as far as that can be told without reading a disk."""
        return False


class ArrayRows(Rows):
    """The rows of an array (N, ...), real up to ``lengths`` (N,) where these are given."""

    def __init__(self, array: Array) -> None:
        self.array = array

    def __len__(self) -> int:
        return len(self.array)

    def take(self, rows: Array) -> tuple[Any, Any]:
        return self.array[rows], None if self.lengths is None else self.lengths[rows]

    def has_missing(self) -> bool:
        return not isinstance(self.array, np.memmap) and _has_nan(self.array)


class UnequalRows(Rows):
    """Sequences (T, ...) of unequal lengths, padded to the longest of those taken."""

    def __init__(self, sequences: list[Array], pad: int | None) -> None:
        self.sequences = sequences
        self.lengths = np.array([len(sequence) for sequence in sequences])
        self.pad = pad

    def __len__(self) -> int:
        return len(self.sequences)

    def take(self, rows: Array) -> tuple[Any, Any]:
        assert self.lengths is not None
        lengths = self.lengths[rows]
        return padded([self.sequences[row] for row in rows], lengths, self.pad), lengths

    def has_missing(self) -> bool:
        return any(_has_nan(sequence) for sequence in self.sequences)


class TupleRows(Rows):
    """Several inputs side by side, the rows of each with the same numbers."""

    def __init__(self, parts: Sequence[Rows]) -> None:
        self.parts = parts
        self.lengths = next((part.lengths for part in parts if part.lengths is not None), None)

    def __len__(self) -> int:
        return len(self.parts[0])

    def take(self, rows: Array) -> tuple[Any, Any]:
        return _side_by_side([part.take(rows) for part in self.parts])

    def has_missing(self) -> bool:
        return any(part.has_missing() for part in self.parts)


class ItemRows(Rows):
    """The items of anything with ``__len__`` and ``__getitem__``, read only when they are taken."""

    def __init__(self, items: Any, pad: int | None) -> None:
        self.items = items
        self.pad = pad

    def __len__(self) -> int:
        return len(self.items)

    def take(self, rows: Array) -> tuple[Any, Any]:
        array, lengths = joined([self.items[int(row)] for row in rows], self.pad)
        return array, lengths if self.lengths is None else self.lengths[rows]

    def take_pairs(self, rows: Array) -> tuple[Any, Any, Any]:
        """Of items that are pairs (x, y): the rows of x, their lengths, and the rows of y."""
        items = [self.items[int(row)] for row in rows]
        x, lengths = joined([x for x, _ in items], self.pad)
        y, _ = joined([y for _, y in items], None)
        return x, lengths if self.lengths is None else self.lengths[rows], y


def pairs_of(rows: Rows) -> ItemRows | None:
    """The same rows if their items are pairs (x, y), as those of PyTorch's data sets are."""
    if isinstance(rows, ItemRows) and isinstance(rows.items[0], tuple):
        return rows
    return None


def joined(items: Sequence[Any], pad: int | None) -> tuple[Any, Any]:
    """Items as one array and, where they are sequences of unequal lengths, the lengths.

    Tuples are joined part by part: a tuple of arrays and a tuple of lengths, or None for these.
    """
    if isinstance(items[0], tuple):
        return _side_by_side([joined(part, pad) for part in zip(*items, strict=True)])
    arrays = [np.asarray(item) for item in items]
    if all(array.shape == arrays[0].shape for array in arrays):
        return np.stack(arrays), None
    check_sequences(arrays, "DataLoader: items")
    lengths = np.array([len(array) for array in arrays])
    return padded(arrays, lengths, pad), lengths


def _side_by_side(taken: list[tuple[Any, Any]]) -> tuple[Any, Any]:
    lengths = tuple(lengths for _, lengths in taken)
    arrays = tuple(array for array, _ in taken)
    return arrays, None if all(given is None for given in lengths) else lengths


def padded(sequences: Sequence[Array], lengths: Array, pad: int | None) -> Array:
    """Sequences (T, ...) in one array (B, longest T, ...).

    What is past a row's end is ``pad``; None is -100 among whole numbers and 0 among others.
    """
    # An empty list has no kind of its own: NumPy calls it float64.
    dtype = np.result_type(*{s.dtype for s in sequences if len(s)} or {sequences[0].dtype})
    if pad is None:
        pad = IGNORED if dtype.kind in "iu" else 0
        dtype = np.dtype(np.int64) if dtype.kind == "u" else dtype  # which has room for it
    shape = (len(sequences), int(lengths.max()), *sequences[0].shape[1:])
    array = np.full(shape, pad, dtype)
    for row, sequence in zip(array, sequences, strict=True):
        row[: len(sequence)] = sequence
    return array


def check_sequences(sequences: Sequence[Array], name: str) -> None:
    """Raise DataError unless all are (T, ...) with the same shape behind their lengths."""
    first = sequences[0]
    for number, sequence in enumerate(sequences):
        if sequence.ndim == 0 or sequence.shape[1:] != first.shape[1:]:
            raise DataError(
                f"{name} must differ in their lengths alone, got shapes "
                f"{first.shape} and {sequence.shape} (number {number})"
            )


def check_steps(x: Rows, y: Rows) -> None:
    """Raise DataError where a row of x, or of the last input, and its y differ in their steps."""
    inputs = x.parts[-1] if isinstance(x, TupleRows) else x
    if not (isinstance(inputs, UnequalRows) and isinstance(y, UnequalRows)):
        return
    assert inputs.lengths is not None and y.lengths is not None
    wrong = np.flatnonzero(inputs.lengths != y.lengths)
    if len(wrong):
        row = wrong[0]
        raise DataError(
            f"DataLoader: x and y must have as many steps, got {inputs.lengths[row]} and "
            f"{y.lengths[row]} in row {row}"
        )


def rows_of(data: Any, name: str, pad: int | None, lengths: Any = None) -> Rows:
    """What to read ``data`` with; ``name`` says in errors whose it is.

    Raises DataError when there are no rows, when they hold no numbers, when sequences differ in
    more than their lengths, or when ``lengths`` do not fit; TypeError for what has no rows.
    """
    if isinstance(data, tuple):
        given = (None,) * len(data) if lengths is None else lengths
        if not isinstance(given, tuple) or len(given) != len(data):
            raise TypeError(f"{name}: lengths must be a tuple of {len(data)}, one for each input")
        parts = [rows_of(data[i], f"{name}[{i}]", pad, given[i]) for i in range(len(data))]
        if len({len(part) for part in parts}) != 1:
            raise DataError(
                f"{name} must hold inputs with one number of rows, got "
                + " and ".join(str(len(part)) for part in parts)
            )
        return TupleRows(parts)
    if isinstance(data, list) or hasattr(data, "__array__"):
        rows = _rows_in_memory(data, name, pad)
    elif isinstance(data, Rows):
        rows = data
    elif hasattr(data, "__len__") and hasattr(data, "__getitem__"):
        rows = ItemRows(data, pad)
    else:
        raise TypeError(
            f"{name} must be an array, a list, a tuple of these, or something with __len__ and "
            f"__getitem__, got {type(data).__name__}"
        )
    if len(rows) == 0:
        raise DataError(f"{name} is empty")
    if lengths is not None:
        if isinstance(rows, UnequalRows):
            raise DataError(f"{name}: lengths are for padded rows; these have their own already")
        rows.lengths = _checked_lengths(lengths, rows, name)
    return rows


def _has_nan(array: Array) -> bool:
    # The least of some numbers is NaN if one of them is; it takes no memory to find out.
    return array.dtype.kind == "f" and array.size > 0 and bool(np.isnan(array.min()))


def _rows_in_memory(data: Any, name: str, pad: int | None) -> Rows:
    if isinstance(data, list):
        sequences = [_numbers(item, f"{name}[{i}]") for i, item in enumerate(data)]
        if any(sequence.shape != sequences[0].shape for sequence in sequences):
            check_sequences(sequences, f"{name}'s sequences")
            return UnequalRows(sequences, pad)
        return ArrayRows(np.stack(sequences) if sequences else np.empty(0))
    array = _numbers(data, name)
    if array.ndim == 0:
        raise DataError(f"{name} must have rows, got one number")
    return ArrayRows(array)


def _numbers(data: Any, name: str) -> Array:
    try:
        # An array on a disk stays known as one.
        array: Array = data if isinstance(data, np.memmap) else np.asarray(data)
    except ValueError:  # nested lists that make no array
        raise DataError(
            f"{name} must be an array of numbers, got lists of unequal lengths"
        ) from None
    if array.dtype.kind not in "biuf":
        raise DataError(f"{name} must hold numbers, got {array.dtype}")
    return array


def _checked_lengths(lengths: Any, rows: Rows, name: str) -> Array:
    array = np.asarray(lengths)
    if array.dtype.kind not in "iu" or array.shape != (len(rows),):
        raise DataError(
            f"{name}: lengths must be whole numbers ({len(rows)},), one for each row, got "
            f"{array.dtype} {array.shape}"
        )
    longest = rows.array.shape[1] if isinstance(rows, ArrayRows) and rows.array.ndim > 1 else None
    if array.min() < 0 or (longest is not None and array.max() > longest):
        raise DataError(
            f"{name}: lengths must be from 0 to {longest}, got {array.min()} to {array.max()}"
        )
    return array.astype(np.int64)
