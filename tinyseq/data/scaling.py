"""Features brought to a like scale, measured on the training part and on nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyseq.data.features import check_features, seen_values, series_of


class Scaler:
    """(x - shift) / scale, with a shift and a scale for each feature, measured by `fit`.

    A missing value, NaN, is left out in measuring and stays missing; a feature that never changes
    is shifted alone.
    """

    shift: NDArray[np.float64] | None = None
    scale: NDArray[np.float64] | None = None

    def _measured(self, x: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        raise NotImplementedError

    def fit(self, x: Any) -> Scaler:
        """Measure the training part: (T,), (T, D), (N, T, D) or a list of series; returns itself.

        Raises DataError when it is empty, holds anything but finite numbers and NaN, or when a
        feature is missing throughout.
        """
        name = f"{type(self).__name__}.fit: x"
        shift, scale = self._measured(seen_values(x, name))
        self.shift, self.scale = shift, np.where(scale > 0, scale, 1.0)
        return self

    def transform(self, x: Any) -> Any:
        """x to scale, in its shape and floating dtype; of a list, a list.

        Raises RuntimeError before `fit`, DataError when x has other features.
        """
        if isinstance(x, list):
            return [self.transform(part) for part in x]
        array, shift, scale = self._checked(x, "transform")
        return ((array - shift) / scale).astype(array.dtype)

    def inverse_transform(self, x: Any) -> Any:
        """What `transform` was given, and forecasts back in the units of the data."""
        if isinstance(x, list):
            return [self.inverse_transform(part) for part in x]
        array, shift, scale = self._checked(x, "inverse_transform")
        return (array * scale + shift).astype(array.dtype)

    def state_dict(self) -> dict[str, Any]:
        """What was measured, as JSON can hold it."""
        shift, scale = self._fitted("state_dict")
        return {"shift": shift.tolist(), "scale": scale.tolist()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Measure nothing: take over what another one has.

        Raises ValueError, and changes nothing, when it is no such state.
        """
        shift, scale = (np.asarray(state.get(name), np.float64) for name in ("shift", "scale"))
        if shift.shape != scale.shape or not (np.isfinite(shift) & (scale > 0)).all():
            raise ValueError(f"{type(self).__name__}: not a scaler's state: {state}")
        self.shift, self.scale = shift, scale

    def _fitted(self, method: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        if self.shift is None or self.scale is None:
            raise RuntimeError(
                f"{type(self).__name__}.{method}: call fit with the training part first"
            )
        return self.shift, self.scale

    def _checked(self, x: Any, method: str) -> tuple[Any, Any, Any]:
        shift, scale = self._fitted(method)
        name = f"{type(self).__name__}.{method}: x"
        array = series_of(x, name)
        check_features(array, shift, name)
        return array, shift, scale


class StandardScaler(Scaler):
    """Each feature with mean 0 and variance 1 on the training part: (x - mean) / deviation."""

    def _measured(self, x: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        # A feature that never changes: its mean may differ from it in the last bit.
        spread = np.nanmax(x, axis=0) > np.nanmin(x, axis=0)
        return np.nanmean(x, axis=0), np.where(spread, np.nanstd(x, axis=0), 0.0)


class MinMaxScaler(Scaler):
    """Each feature from 0 to 1 on the training part: (x - min) / (max - min)."""

    def _measured(self, x: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        low = np.nanmin(x, axis=0)
        return low, np.nanmax(x, axis=0) - low
