"""The command line's own model: an embedding, an LSTM, a linear layer; a whole training step."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from benchmarks.cases.attention import V
from benchmarks.cases.recurrent import Inputs


@dataclass(frozen=True)
class CharLMCase:
    """A step of training: forward, loss, backward, clipping, AdamW.

    Args:
        shape: (D, H, T, B).
    """

    shape: tuple[int, ...]
    family: ClassVar[str] = "charlm"
    peers: ClassVar[tuple[str, ...]] = ("torch", "jax", "tensorflow")
    bytes: ClassVar[float] = 0.0
    units: ClassVar[int] = 1

    @property
    def name(self) -> str:
        """As the table shows it."""
        return "lstm model step " + " ".join(f"{name}={n}" for name, n in self.size.items())

    @property
    def size(self) -> dict[str, float]:
        """What grows along a curve."""
        return dict(zip("DHTB", self.shape, strict=True))

    @property
    def flops(self) -> float:
        """Three times the products of the forward pass."""
        D, H, T, B = self.shape
        return 6.0 * B * T * (4 * H * (D + H) + H * V)

    def inputs(self) -> Inputs:
        """The weights by the model's names, and symbols with those after them."""
        D, H, T, B = self.shape
        random = np.random.default_rng(D + H + T + B)

        def normal(*shape: int) -> Any:
            return random.standard_normal(shape, np.float32) / np.float32(shape[-1] ** 0.5)

        symbols = random.integers(0, V, (B, T + 1))
        return {
            "embedding.weight": normal(V, D),
            "recurrent.weight_ih_l0": normal(4 * H, D),
            "recurrent.weight_hh_l0": normal(4 * H, H),
            "recurrent.bias_ih_l0": 0.1 * normal(4 * H),
            "recurrent.bias_hh_l0": 0.1 * normal(4 * H),
            "output.weight": normal(V, H), "output.bias": 0.1 * normal(V),
            "ids": symbols[:, :-1], "targets": symbols[:, 1:],
        }  # fmt: skip
