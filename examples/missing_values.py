"""Forecasts from a series with 30% of its values missing, filled in various ways.

Run it as ``python -m examples.missing_values`` (``--quick``: less data, two ways). The same GRU
learns to forecast the next step of a Mackey-Glass series from windows that are filled with
the training part's mean, with the value last seen, with lines, or with the value last seen and two
more inputs: whether there was one, and for how long there was none.
"""

import sys

import numpy as np

import tinyseq as ts
from tinyseq import nn
from tinyseq.data import Imputer, StandardScaler, mackey_glass, split_series, timeseries_windows
from tinyseq.training import Trainer

WINDOW, H, MISSING = 40, 32, 0.3


class Forecaster(nn.Module):
    """A GRU, and the next step from where it ends."""

    def __init__(self, features: int) -> None:
        self.gru = nn.GRU(features, H)
        self.out = nn.Linear(H, 1)

    def forward(self, x: ts.Tensor) -> ts.Tensor:
        """(B, T, D) to (B, 1)."""
        y, _ = self.gru(x)
        return self.out(y[:, -1])


def error_with(method: str, length: int, epochs: int) -> float:
    """The mean squared error on the test part, of the series scaled to variance 1."""
    ts.manual_seed(0)
    rng = np.random.default_rng(0)
    series = mackey_glass(length, skip=200)
    gone = rng.random(series.shape) < MISSING
    train, _, _ = split_series(series, validation=0, test=0.2)
    whole = StandardScaler().fit(train).transform(series)
    holes = np.where(gone, np.nan, whole)
    imputer = Imputer(method).fit(holes[: len(train)])

    def windows(**part):
        # What is to be forecast is known for all steps here, so that all ways answer the same.
        return timeseries_windows(
            holes, whole[:, 0], WINDOW, batch_size=64, horizon=1, missing=imputer, **part
        )

    model = Forecaster(3 if method == "mask" else 1)
    trainer = Trainer(model, ts.mse_loss, ts.optim.Adam(model.parameters(), 5e-3))
    trainer.fit(windows(end_index=len(train), shuffle=True), epochs=epochs)
    # The first forecast is of the test part's first step: its window lies before that.
    return trainer.evaluate(windows(start_index=len(train) - WINDOW))["loss"]


def main(quick: bool = False) -> int:
    """Compare; 1 unless every other way beats filling with the mean."""
    methods = ["mean", "mask"] if quick else ["mean", "forward", "linear", "mask"]
    length, epochs = (1500, 6) if quick else (6000, 15)
    print(f"Mackey-Glass, {MISSING:.0%} missing, next step: mean squared error, variance 1")
    errors = {}
    for method in methods:
        errors[method] = error_with(method, length, epochs)
        print(f"{method:8s} {errors[method]:.4f}")
    return int(max(error for name, error in errors.items() if name != "mean") >= errors["mean"])


if __name__ == "__main__":
    sys.exit(main("--quick" in sys.argv[1:]))
