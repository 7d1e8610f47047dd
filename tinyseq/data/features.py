"""What is measured on the training part, feature by feature."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyseq.data.text import DataError

Floats = NDArray[np.floating[Any]]


def series_of(x: Any, name: str) -> Floats:
    """A series (T,) or (T, D), or several (N, T, D), in its floating dtype, else in float64.

    Raises DataError when it holds anything but numbers, or an infinite one.
    """
    array = np.asarray(x)
    if array.dtype.kind not in "biuf":
        raise DataError(f"{name} must hold numbers, got {array.dtype}")
    if array.dtype.kind != "f":
        array = array.astype(np.float64)
    if not 1 <= array.ndim <= 3:
        raise DataError(f"{name} must be (T,), (T, D) or (N, T, D), got {array.shape}")
    if np.isinf(array).any():
        raise DataError(f"{name} holds an infinite value; NaN stands for a missing one")
    return array


def seen_values(x: Any, name: str) -> NDArray[np.float64]:
    """All there is to measure of a series or a list of them: (T,) or (T, D), NaN where missing.

    Raises DataError when it is empty, or when a feature is missing throughout.
    """
    parts = [series_of(part, name) for part in (x if isinstance(x, list) else [x])]
    if sum(part.size for part in parts) == 0:
        raise DataError(f"{name} is empty")
    if len({part.shape[1:][-1:] for part in parts}) != 1:
        raise DataError(
            f"{name}'s series must have the same features, got "
            + ", ".join(str(part.shape) for part in parts)
        )
    rows = [part.reshape(-1, part.shape[-1]) if part.ndim > 1 else part for part in parts]
    values = np.concatenate(rows).astype(np.float64)
    missing = np.isnan(values).all(axis=0)
    if missing.any():
        raise DataError(
            f"{name}: feature {np.flatnonzero(missing)[0]} of {missing.size} is missing throughout"
        )
    return values


def check_features(array: Floats, measured: NDArray[np.float64], name: str) -> None:
    """Raise DataError unless an array has as many features as were measured."""
    got = array.shape[-1:] if array.ndim > 1 else ()
    if got != measured.shape:
        raise DataError(
            f"{name} has shape {array.shape}, but was fitted on "
            + (f"(T, {measured.size})" if measured.ndim else "(T,)")
        )
