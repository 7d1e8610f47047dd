"""Ten symbols to say again after a silence of 100 steps, by a GRU.

Run it as ``python -m examples.copy_memory``. Without memory the best cross-entropy is 0.1733, and
one symbol of eight is right; the goal is a tenth of that, and 19 symbols of 20.
"""

import math
import sys

import numpy as np

import tinyseq as ts
from tinyseq import nn
from tinyseq.data import DataLoader, copy_memory
from tinyseq.training import Trainer

DELAY, SYMBOLS, LENGTH, H = 100, 8, 10, 128


class Copier(nn.Module):
    """A GRU over embedded symbols, and what is said at each step."""

    def __init__(self) -> None:
        self.symbols = nn.Embedding(SYMBOLS + 2, 16)
        self.gru = nn.GRU(16, H)
        self.out = nn.Linear(H, SYMBOLS + 1)
        # Let the units begin with memories of 1 to T steps (Tallec and Ollivier, 2018).
        keep = slice(H, 2 * H)
        memories = np.random.default_rng(0).uniform(1, DELAY + 2 * LENGTH - 1, H)
        self.gru.bias_ih_l0.data[keep] = np.log(memories)
        self.gru.bias_hh_l0.data[keep] = 0

    def forward(self, x: ts.Tensor) -> ts.Tensor:
        """(B, T) whole numbers to (B, T, SYMBOLS + 1)."""
        y, _ = self.gru(self.symbols(x))
        return self.out(y)


def loss(output: ts.Tensor, y: np.ndarray) -> ts.Tensor:
    """The mean over all steps."""
    return ts.cross_entropy(output.reshape(-1, SYMBOLS + 1), y.reshape(-1))


def main() -> int:
    """Train and measure on new words; 1 if the goal was missed."""
    ts.manual_seed(0)
    memoryless = LENGTH * math.log(SYMBOLS) / (DELAY + 2 * LENGTH)
    print(f"copy memory, delay {DELAY}: without memory 0.125 right, cross-entropy {memoryless:.4f}")
    train = DataLoader(*copy_memory(40_000, DELAY, seed=1), shuffle=True)
    x, y = copy_memory(1000, DELAY, seed=2)
    model = Copier()
    optimizer = ts.optim.Adam(model.parameters())
    trainer = Trainer(model, loss, optimizer, clip_grad_norm=1.0)
    for lr, steps in [(1e-2, 4000), (3e-3, 2000), (1e-3, 500)]:
        optimizer.lr = lr
        trainer.fit(train, steps=steps)
        reached = trainer.evaluate(DataLoader(x, y, 250))["loss"]
        said = trainer.predict(DataLoader(x, None, 250))[:, -LENGTH:].argmax(-1)
        right = float(np.mean(said == y[:, -LENGTH:]))
        print(f"{trainer.step:5d} steps: {right:.3f} right, cross-entropy {reached:.4f}")
    return int(reached > memoryless / 10 or right < 0.95)


if __name__ == "__main__":
    sys.exit(main())
