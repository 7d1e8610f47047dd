"""The next 20 steps of a noisy sine, forecast by a GRU and by two naive ways.

Run it as ``python -m examples.sines``. The sines have various periods and phases; what has been
seen is noisy, what is to come is compared without its noise. The naive ways are to go on with the
last value, and to say again what was seen one period ago, with the period that fits best.
"""

import sys

import numpy as np

import tinyseq as ts
from tinyseq import nn
from tinyseq.data import DataLoader, noisy_sines
from tinyseq.training import Trainer

SEEN, AHEAD, H = 100, 20, 48


class Forecaster(nn.Module):
    """A GRU, and all steps ahead at once from where it ends."""

    def __init__(self) -> None:
        self.gru = nn.GRU(1, H)
        self.out = nn.Linear(H, AHEAD)

    def forward(self, x: ts.Tensor) -> ts.Tensor:
        """(B, SEEN, 1) to (B, AHEAD)."""
        y, _ = self.gru(x)
        return self.out(y[:, -1])


def last_value(x: np.ndarray) -> np.ndarray:
    """The value last seen, (N, AHEAD)."""
    return np.repeat(x[:, -1], AHEAD, axis=1)


def last_period(x: np.ndarray) -> np.ndarray:
    """What was seen one period ago, (N, AHEAD), with the period that fits what was seen best."""
    series = x[:, :, 0]
    periods = np.arange(8, SEEN * 2 // 3)
    errors = [((series[:, p:] - series[:, :-p]) ** 2).mean(axis=1) for p in periods]
    best = periods[np.argmin(errors, axis=0)]
    places = SEEN - best[:, None] + np.arange(AHEAD) % best[:, None]
    return np.take_along_axis(series, places, axis=1)


def main() -> int:
    """Train, forecast, compare; 1 if the GRU is not better than both by a wide margin."""
    ts.manual_seed(0)
    (x, clean), (x_test, clean_test) = (
        noisy_sines(n, SEEN + AHEAD, seed=seed) for n, seed in [(8000, 1), (1000, 2)]
    )
    train = DataLoader(x[:, :SEEN], clean[:, SEEN:, 0], batch_size=64, shuffle=True)
    x_test, wanted = x_test[:, :SEEN], clean_test[:, SEEN:, 0]
    model = Forecaster()
    optimizer = ts.optim.Adam(model.parameters())
    trainer = Trainer(model, ts.mse_loss, optimizer, clip_grad_norm=1.0)
    for lr, epochs in [(5e-3, 8), (1e-3, 4)]:
        optimizer.lr = lr
        trainer.fit(train, epochs=epochs)
    forecasts = {
        "last value": last_value(x_test),
        "last period": last_period(x_test),
        "GRU": trainer.predict(x_test),
    }
    errors = {name: float(np.mean((f - wanted) ** 2)) for name, f in forecasts.items()}
    print(f"noisy sines, {AHEAD} steps ahead of {SEEN}: mean squared error")
    for name, error in errors.items():
        print(f"{name:12s} {error:.4f}")
    return int(errors["GRU"] > min(errors["last value"], errors["last period"]) / 2)


if __name__ == "__main__":
    sys.exit(main())
