"""Windows of a time series, and what comes after them."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from tinyseq.data.loader import DataLoader
from tinyseq.data.missing import Imputer
from tinyseq.data.rows import Array
from tinyseq.data.text import DataError
from tinyseq.data.window_rows import LineRows, WindowRows


def timeseries_windows(
    data: Any,
    targets: Any,
    sequence_length: int,
    sequence_stride: int = 1,
    sampling_rate: int = 1,
    batch_size: int = 128,
    shuffle: bool = False,
    seed: int = 0,
    start_index: int | None = None,
    end_index: int | None = None,
    *,
    horizon: int | None = None,
    missing: str | Imputer = "raise",
    drop_last: bool = False,
    dtype: npt.DTypeLike | None = np.float32,
) -> DataLoader:
    """Batches of windows cut from a series, as Keras' `timeseries_dataset_from_array`.

    Window k has the L = ``sequence_length`` steps s, s + r, …, s + (L - 1) r, where
    s = ``start_index`` + k ``sequence_stride`` and r = ``sampling_rate``. Its target is
    ``targets[s]``, as in Keras; or with a ``horizon`` of h the h steps that come next,
    s + L r, …, s + (L + h - 1) r, of ``targets``, or of ``data`` itself. The series are not copied:
    a batch is cut when it is read.

    Args:
        data: the series, (T,) or (T, D).
        targets: (T, ...), at the same steps as data. None: no targets, or with a horizon the data.
        sequence_length: L, steps in a window.
        sequence_stride: steps of the series from one window's start to the next one's.
        sampling_rate: steps of the series from one step of a window to the next.
        batch_size, shuffle, seed, drop_last, dtype: as in `DataLoader`.
        start_index, end_index: only steps from ``start_index`` and before ``end_index`` are used,
            for windows and for what a horizon reaches.
        horizon: how many steps are to be forecast.
        missing: what becomes of NaN. ``"raise"``: an error. ``"keep"``: it is handed on.
            ``"drop"``: windows with one, or with one in their target, are left out. An `Imputer`,
            fitted: each window is filled with what was known at its last step, and windows with one
            in their target are left out.

    Returns:
        a DataLoader of x (B, L) or (B, L, D) and y, (B, ...) as a step of the targets; with a
        horizon (B, h, ...).

    Raises:
        ValueError: if a number is out of range.
        DataError: if data and targets are of unequal length, hold anything but numbers, are too
            short for one window, or hold a NaN or an infinite value that was not asked for.
    """
    series = _series(data, "data")
    wanted = series if targets is None else _series(targets, "targets")
    if len(wanted) != len(series):
        raise DataError(
            f"timeseries_windows: data and targets must be of the same length, got {len(series)} "
            f"and {len(wanted)}"
        )
    for name, number in [
        ("sequence_length", sequence_length),
        ("sequence_stride", sequence_stride),
        ("sampling_rate", sampling_rate),
        ("horizon", 1 if horizon is None else horizon),
    ]:
        if not (isinstance(number, int | np.integer) and number >= 1):
            raise ValueError(
                f"timeseries_windows: {name} must be a whole number from 1, got {number}"
            )
    start = 0 if start_index is None else start_index
    end = len(series) if end_index is None else end_index
    if not 0 <= start <= end <= len(series):
        raise ValueError(
            f"timeseries_windows: expected 0 <= start_index <= end_index <= {len(series)}, got "
            f"{start} and {end}"
        )

    steps = np.arange(sequence_length) * sampling_rate
    ahead = (
        np.array(0) if horizon is None else (sequence_length + np.arange(horizon)) * sampling_rate
    )
    span = int(max(steps[-1], ahead.max())) + 1
    starts = np.arange(start, end - span + 1, sequence_stride)
    if len(starts) == 0:
        raise DataError(
            f"timeseries_windows: {end - start} step(s) are too few for a window that spans {span}"
        )

    x = WindowRows(series, starts, steps)
    y = None
    if horizon is not None or targets is not None:
        y = WindowRows(wanted, starts, ahead)
    if missing == "raise":
        _check_seen(x, "data")
        _check_seen(y, "data" if targets is None else "targets")
    elif missing == "drop" or isinstance(missing, Imputer):
        kept = np.ones(len(starts), bool) if y is None else y.whole()
        if missing == "drop":
            kept &= x.whole()
        if not kept.any():
            raise DataError("timeseries_windows: there is no window without missing values")
        x.starts = starts[kept]
        if y is not None:
            y.starts = x.starts
    elif missing != "keep":
        raise ValueError(
            'timeseries_windows: missing must be "raise", "keep", "drop" or an Imputer, got '
            f"{missing!r}"
        )
    if isinstance(missing, Imputer):
        x = _filled(x, missing)
    return DataLoader(x, y, batch_size, shuffle, seed=seed, drop_last=drop_last, dtype=dtype)


def _check_seen(rows: WindowRows | None, name: str) -> None:
    if rows is not None and not rows.whole().all():
        places = np.argwhere(np.isnan(rows.series))
        raise DataError(
            f"timeseries_windows: {name} has {len(places)} missing value(s) (NaN), the first at "
            f'step {places[0][0]}; say what becomes of them: missing="drop", "keep", or an Imputer'
        )


def _filled(rows: WindowRows, imputer: Imputer) -> WindowRows:
    series = rows.series
    if series.ndim > 2:
        raise DataError(
            f"timeseries_windows: an Imputer fills data (T,) or (T, D), got {series.shape}"
        )
    if imputer.method == "linear":
        return LineRows(imputer.lines(series), rows.starts, rows.steps)
    return WindowRows(imputer.transform(series), rows.starts, rows.steps)


def _series(data: Any, name: str) -> Array:
    array = np.asarray(data)
    if array.dtype.kind not in "biuf" or array.ndim == 0:
        raise DataError(
            f"timeseries_windows: {name} must be numbers (T, ...), got {array.dtype} {array.shape}"
        )
    if np.isinf(array).any():
        raise DataError(f"timeseries_windows: {name} holds an infinite value")
    return array
