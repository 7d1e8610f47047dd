"""Missing values, NaN, replaced by what was known at the time."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyseq.data.features import Floats, check_features, seen_values, series_of

Places = NDArray[np.int64]


class Imputer:
    """Missing values, NaN, replaced without looking ahead.

    Whatever the method, what `transform` gives at a step depends on the series up to that step and
    on the training part's means, never on what comes later:

    - ``"forward"``: the value last seen; before there was one, the mean of the training part.
    - ``"mean"``: the mean of the training part.
    - ``"mask"``: as forward, and two more inputs for each feature: whether it was seen (1 or 0),
      and the steps since it was last seen (0 where it was; as if all had been seen just before the
      series began). (T, D) becomes (T, 3D).
    - ``"linear"``: the straight line from the value seen before to the one seen next. That one lies
      in the future of what it fills, so `transform` refuses; `timeseries_windows` takes it, and
      draws a line only between values seen before the window ends, where the forecast begins.
      After the last of these the value is held.

    Args:
        method: one of these.

    Raises:
        ValueError: if the method is another.

    Source: mask and time since last seen are the inputs of Che et al., "Recurrent Neural Networks
    for Multivariate Time Series with Missing Values", 2018.
    """

    def __init__(self, method: str = "forward") -> None:
        if method not in ("forward", "mean", "mask", "linear"):
            raise ValueError(
                f'Imputer: method must be "forward", "mean", "mask" or "linear", got {method!r}'
            )
        self.method = method
        self.mean: NDArray[np.float64] | None = None

    def fit(self, x: Any) -> Imputer:
        """Take the means of the training part: (T,), (T, D), (N, T, D) or a list; returns itself.

        Raises DataError when it is empty, holds anything but finite numbers and NaN, or when a
        feature is missing throughout.
        """
        self.mean = np.nanmean(seen_values(x, "Imputer.fit: x"), axis=0)
        return self

    def transform(self, x: Any) -> Any:
        """A series without missing values, in its floating dtype.

        Args:
            x: (T,), (T, D), or several (N, T, D) or a list, each a series of its own.

        Returns:
            x's shape; with ``"mask"`` D becomes 3D, (T,) becomes (T, 3).

        Raises:
            RuntimeError: before `fit`.
            ValueError: with ``"linear"``, which looks ahead.
            DataError: when x has other features or holds an infinite value.
        """
        if self.method == "linear":
            raise ValueError(
                'Imputer: "linear" draws a line to the value seen next, which lies in the future '
                "of what it fills; give the imputer to timeseries_windows, which draws lines "
                'within what is known when a forecast begins, or use "forward"'
            )
        if isinstance(x, list):
            return [self.transform(part) for part in x]
        array, mean = self._checked(x)
        seen = ~np.isnan(array)
        if self.method == "mean":
            return np.where(seen, array, mean.astype(array.dtype))
        if array.ndim == 1:
            array, seen = array[:, None], seen[:, None]
        last = last_seen(seen)
        filled = held(array, last, mean)
        if self.method == "mask":
            since = _steps(array) - last
            return np.concatenate((filled, seen, since), axis=-1, dtype=array.dtype)
        return filled.reshape(np.shape(x))

    def lines(self, x: Any) -> tuple[Floats, Floats, Places]:
        """What `timeseries_windows` needs to draw lines within a window, each (T, ...) as x is.

        Returns:
            x with lines drawn to the value seen next; x with values held; and at which step the
            value seen next is seen, T where there is none. Up to that step, the first must not be
            used.
        """
        array, mean = self._checked(x)
        series = array.reshape(len(array), -1)
        seen = ~np.isnan(series)
        T = len(series)
        last = last_seen(seen)
        coming = T - 1 - last_seen(seen[::-1])[::-1]
        hold = held(series, last, mean)
        between = (last >= 0) & (coming < T) & ~seen
        ahead = np.take_along_axis(series, np.where(between, coming, 0), axis=0)
        way = (_steps(series) - last) / np.maximum(coming - last, 1)
        with np.errstate(invalid="ignore"):
            line = np.where(between, hold + way * (ahead - hold), hold).astype(array.dtype)
        return line.reshape(array.shape), hold.reshape(array.shape), coming.reshape(array.shape)

    def _checked(self, x: Any) -> tuple[Floats, NDArray[np.float64]]:
        if self.mean is None:
            raise RuntimeError("Imputer: call fit with the training part first")
        array = series_of(x, "Imputer: x")
        check_features(array, self.mean, "Imputer: x")
        return array, self.mean


def last_seen(seen: NDArray[np.bool_]) -> Places:
    """At each step of (..., T, D) the step at which a value was last seen, -1 before the first."""
    return np.maximum.accumulate(np.where(seen, _steps(seen), -1), axis=-2)


def held(x: Floats, last: Places, first: NDArray[np.float64]) -> Floats:
    """The value last seen at each step of (..., T, D), and ``first`` before there was one."""
    values = np.take_along_axis(x, np.maximum(last, 0), axis=-2)
    return np.where(last >= 0, values, first.astype(x.dtype))


def _steps(x: NDArray[Any]) -> Places:
    return np.arange(x.shape[-2])[:, None]
