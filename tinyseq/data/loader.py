"""Batches of rows: padded, shuffled, sorted into rows of like length, and resumable."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyseq.data.batch import Batch
from tinyseq.data.resumable import Resumable
from tinyseq.data.rows import Array, check_steps, pairs_of, rows_of
from tinyseq.data.text import DataError


class DataLoader(Resumable):
    """Rows in batches, one epoch each time it is iterated over.

    The order of an epoch is a function of ``seed`` and the epoch's number alone, and a run goes on
    in the middle of one with what it would have read (`state_dict`).

    Args:
        x: an array (N, ...), a list of N sequences (T, ...) of unequal lengths, which are padded
            with 0 to the longest of the batch and come with their lengths, anything with
            ``__len__`` and ``__getitem__`` (of items x or pairs (x, y)), or a tuple of these for a
            model with several inputs.
        y: what is wanted, as x; sequences of whole numbers are padded with -100, which
            `cross_entropy` leaves out, others with 0. None: nothing is.
        batch_size: rows in a batch, B; the last one has what is left.
        shuffle: whether each epoch has an order of its own.
        lengths: how much of each row is real where x is padded already, (N,) whole numbers; for a
            tuple x a tuple of these or None.
        bucket: how many batches' rows are sorted by length at a time, so that a batch holds rows of
            like length and little padding; 0: none. The batches of an epoch are shuffled afterwards
            if ``shuffle`` is on.
        seed: decides the orders; a whole number of at least 0.
        drop_last: whether what is left over for a last, smaller batch is left out.
        missing: what becomes of NaN in arrays and lists: ``"raise"``, an error; ``"keep"``, it is
            handed on. What is read from a disk or item by item is not searched.
        dtype: of the floating-point numbers handed out; None: as they are in x and y.

    Raises:
        DataError: if x or y is empty, holds anything but numbers, a NaN that was not asked for, or
            sequences that differ in more than their lengths; if they have unequal numbers of rows,
            or a row of x and its y, both of unequal lengths, have not as many steps;
            if the lengths do not fit; if ``drop_last`` leaves nothing; if ``bucket`` is given and
            the lengths are not known.
        ValueError: if a size or the seed is out of range, or ``missing`` is another word.
    """

    def __init__(
        self,
        x: Any,
        y: Any = None,
        batch_size: int = 32,
        shuffle: bool = False,
        *,
        lengths: Any = None,
        bucket: int = 0,
        seed: int = 0,
        drop_last: bool = False,
        missing: str = "raise",
        dtype: npt.DTypeLike | None = np.float32,
    ) -> None:
        sizes = {"batch_size": (batch_size, 1), "seed": (seed, 0), "bucket": (bucket, 0)}
        for name, (size, least) in sizes.items():
            if isinstance(size, bool) or not isinstance(size, int | np.integer) or size < least:
                raise ValueError(
                    f"DataLoader: {name} must be a whole number of at least {least}, got {size!r}"
                )
        if missing not in ("raise", "keep"):
            raise ValueError(f'DataLoader: missing must be "raise" or "keep", got {missing!r}')
        self._x = rows_of(x, "DataLoader: x", 0, lengths)
        self._y = None if y is None else rows_of(y, "DataLoader: y", None)
        self._pairs = pairs_of(self._x) if y is None else None
        if self._y is not None and len(self._y) != len(self._x):
            raise DataError(
                f"DataLoader: x and y must have the same number of rows, got {len(self._x)} "
                f"and {len(self._y)}"
            )
        if self._y is not None:
            check_steps(self._x, self._y)
        if missing == "raise":
            for name, rows in (("x", self._x), ("y", self._y)):
                if rows is not None and rows.has_missing():
                    raise DataError(
                        f"DataLoader: {name} has missing values (NaN); fill them with an Imputer, "
                        'or have them handed on with missing="keep"'
                    )
        self.rows = len(self._x)
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.bucket = bucket
        self.seed = seed
        self.drop_last = drop_last
        self.dtype = dtype
        if len(self) == 0:
            raise DataError(
                f"DataLoader: x has {self.rows} row(s): less than one batch of {batch_size}, and "
                "drop_last leaves out the rest"
            )
        if bucket and self._x.lengths is None:
            raise DataError(
                "DataLoader: bucket sorts by length, and x has no lengths; give lengths="
            )

    def __len__(self) -> int:
        return self.rows // self.batch_size if self.drop_last else -(-self.rows // self.batch_size)

    def _batches(self, epoch: int, first: int) -> Iterator[Batch]:
        for rows in self._order(epoch)[first:]:
            yield self._read(rows)

    def _order(self, epoch: int) -> list[Array]:
        """The numbers of the rows of each batch of an epoch."""
        rng = np.random.Generator(np.random.PCG64([self.seed, epoch]))
        rows = rng.permutation(self.rows) if self.shuffle else np.arange(self.rows)
        if self.drop_last:  # before sorting, or it would be the longest rows that are left out
            rows = rows[: len(self) * self.batch_size]
        size = self.batch_size
        if self.bucket:
            lengths = self._x.lengths
            assert lengths is not None
            together = self.bucket * size
            parts = (rows[i : i + together] for i in range(0, len(rows), together))
            rows = np.concatenate(
                [part[np.argsort(lengths[part], kind="stable")] for part in parts]
            )
        batches = [rows[i : i + size] for i in range(0, len(rows), size)]
        if self.bucket and self.shuffle:
            batches = [batches[i] for i in rng.permutation(len(batches))]
        return batches

    def _read(self, rows: Array) -> Batch:
        if self._pairs is not None:
            x, lengths, y = self._pairs.take_pairs(rows)
        else:
            x, lengths = self._x.take(rows)
            y = None if self._y is None else self._y.take(rows)[0]
        return Batch(self._cast(x), self._cast(y), lengths)

    def _cast(self, array: Any) -> Any:
        if isinstance(array, tuple):
            return tuple(self._cast(part) for part in array)
        if array is None or self.dtype is None or array.dtype.kind != "f":
            return array
        return array.astype(self.dtype, copy=False)

    def _made_with(self) -> dict[str, int]:
        return {
            "rows": self.rows,
            "batch_size": self.batch_size,
            "shuffle": int(self.shuffle),
            "bucket": self.bucket,
            "seed": self.seed,
            "drop_last": int(self.drop_last),
        }
