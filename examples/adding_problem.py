"""Two numbers to add, up to 200 steps after they were seen: an LSTM and a GRU, and a plain RNN.

Run it as ``python -m examples.adding_problem``. The gated layers reach a mean squared error below
0.01; the plain one is shown beside them, no better than the answer that is always 1, which has 1/6.
"""

import sys
import time

import numpy as np

import tinyseq as ts
from tinyseq import nn
from tinyseq.data import DataLoader, adding_problem
from tinyseq.training import Trainer

T, H, GOAL, MOST_STEPS = 200, 64, 0.01, 3000


class Adder(nn.Module):
    """A recurrent layer, and one number from where it ends."""

    def __init__(self, layer: nn.Module) -> None:
        self.layer = layer
        self.out = nn.Linear(H, 1)

    def forward(self, x: ts.Tensor) -> ts.Tensor:
        """(B, T, 2) to (B, 1)."""
        y, _ = self.layer(x)
        return self.out(y[:, -1])


def remember(lstm: nn.LSTM, seed: int) -> None:
    """Let the cells begin with memories of 1 to T steps (Tallec and Ollivier, 2018)."""
    forget = np.log(np.random.default_rng(seed).uniform(1, T - 1, H))
    for name, bias in lstm.named_parameters():
        if name.startswith("bias"):
            bias.data[: 2 * H] = 0
    lstm.bias_ih_l0.data[:H] = -forget
    lstm.bias_ih_l0.data[H : 2 * H] = forget


def learn(kind: str, seed: int = 0) -> float:
    """The error of a layer of this kind on new sequences, once it is good or time is up."""
    ts.manual_seed(seed)
    model = Adder(getattr(nn, kind)(2, H))
    if isinstance(model.layer, nn.LSTM):
        remember(model.layer, seed)
    optimizer = ts.optim.Adam(model.parameters(), 5e-3)
    trainer = Trainer(model, ts.mse_loss, optimizer, clip_grad_norm=1.0)
    train = DataLoader(*adding_problem(20_000, T, seed), shuffle=True, seed=seed)
    test = DataLoader(*adding_problem(1000, T, seed + 1), batch_size=250)
    error, began = 1.0, time.perf_counter()
    while error >= GOAL / 2 and trainer.step < MOST_STEPS:
        trainer.fit(train, steps=250)
        error = trainer.evaluate(test)["loss"]
    seconds = time.perf_counter() - began
    print(f"{kind:5s} {trainer.step:5d} steps  {seconds:5.1f} s  mean squared error {error:.4f}")
    return error


if __name__ == "__main__":
    print(f"adding problem, T = {T}, {H} units; always answering 1 has 0.1667")
    plain, *gated = [learn(kind) for kind in ("RNN", "LSTM", "GRU")]
    sys.exit(max(gated) >= GOAL or plain < 0.1)
