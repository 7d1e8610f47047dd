"""The cases: what is computed, from which inputs. How is each system's own business (work_*.py)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

LSTM_SHAPES = [(32, 16, 64, 64), (64, 32, 256, 256), (1000, 8, 64, 128), (100, 64, 512, 512)]
MATMUL_SHAPES = [
    (64, 64, 64), (128, 128, 128), (256, 256, 256), (512, 512, 512), (1024, 1024, 1024),
    (1, 1024, 1024), (1024, 1, 1024), (3, 1000, 1000), (16, 512, 512), (129, 100, 333),
    (1000, 7, 1000), (1024, 1024, 7),
]  # fmt: skip

Inputs = dict[str, NDArray[np.float32]]


@dataclass(frozen=True)
class Case:
    """One piece of work.

    Args:
        kind: "matmul", "lstm forward" or "lstm train".
        shape: (M, N, K), or (T, B, D, H).
        turned: of a matmul, which factors are stored transposed: "nn", "nt", "tn", "tt".
    """

    kind: str
    shape: tuple[int, ...]
    turned: str = "nn"

    @property
    def name(self) -> str:
        """As the table shows it."""
        if self.kind == "matmul":
            return f"matmul {'x'.join(map(str, self.shape))} {self.turned}"
        return f"{self.kind} " + " ".join(
            f"{letter}={n}" for letter, n in zip("TBDH", self.shape, strict=True)
        )

    @property
    def flops(self) -> float:
        """matmul 2 M N K; LSTM forward 8 T B H (D + H), training three times that: a product
        forward, two backward. The gate functions are not counted."""
        if self.kind == "matmul":
            m, n, k = self.shape
            return 2.0 * m * n * k
        T, B, D, H = self.shape
        return 8.0 * T * B * H * (D + H) * (3 if self.kind == "lstm train" else 1)

    def inputs(self) -> Inputs:
        """Standard normal numbers, weights scaled down; the same in every process."""
        random = np.random.default_rng(crc32(self.name.encode()))

        def normal(*shape: int) -> Any:
            return random.standard_normal(shape, np.float32)

        if self.kind == "matmul":
            m, n, k = self.shape
            a = normal(k, m).T if self.turned[0] == "t" else normal(m, k)
            return {"a": a, "b": normal(n, k).T if self.turned[1] == "t" else normal(k, n)}
        T, B, D, H = self.shape
        shapes = {
            "weight_ih_l0": (4 * H, D), "weight_hh_l0": (4 * H, H),
            "bias_ih_l0": (4 * H,), "bias_hh_l0": (4 * H,),
        }  # fmt: skip
        weights = {name: normal(*shape) / np.float32(H**0.5) for name, shape in shapes.items()}
        return {"x": normal(B, T, D), "dy": normal(B, T, H), **weights}


def cases(quick: bool) -> Iterator[Case]:
    """All of them."""
    for m, n, k in MATMUL_SHAPES[:3] if quick else MATMUL_SHAPES:
        yield Case("matmul", (m, n, k))
    for turned in ("nt", "tn", "tt"):
        yield Case("matmul", (256,) * 3 if quick else (512,) * 3, turned)
    if not quick:
        yield Case("matmul", (1, 1024, 1024), "nt")
    for shape in LSTM_SHAPES[:1] if quick else LSTM_SHAPES:
        yield Case("lstm forward", shape)
        yield Case("lstm train", shape)
