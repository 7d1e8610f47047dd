"""The cases: what is computed, from which inputs. How is each system's own business (systems/)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from benchmarks.cases.variants import GATES, altered

CELLS = ("lstm", "gru", "rnn")
Inputs = dict[str, NDArray[Any]]


@dataclass(frozen=True)
class Case:
    """One piece of work.

    Args:
        kind: "matmul", or a cell and what is asked of it: "lstm forward", "gru train", "rnn step".
        shape: (M, N, K), or (T, B, D, H).
        variant: of a matmul, which factors are stored transposed: "nn", "nt", "tn", "tt". Of a
            layer, what is not plain about it: see `altered`.
    """

    kind: str
    shape: tuple[int, ...]
    variant: str = ""
    family: ClassVar[str] = "recurrent"  # the modules that do it: systems/recurrent_torch, ...

    @property
    def name(self) -> str:
        """As the table shows it."""
        if self.kind == "matmul":
            sizes = "x".join(map(str, self.shape))
        else:
            sizes = " ".join(f"{name}={n}" for name, n in self.size.items())
        return f"{self.kind} {sizes} {self.variant}".rstrip()

    @property
    def peers(self) -> tuple[str, ...]:
        """Who else can do it."""
        if self.kind == "matmul":
            return ("torch", "jax", "tensorflow", "tinygrad")
        return () if self.variant else ("torch", "jax", "tensorflow")

    @property
    def size(self) -> dict[str, float]:
        """What grows along a curve."""
        return dict(zip("MNK" if self.kind == "matmul" else "TBDH", self.shape, strict=True))

    @property
    def cell(self) -> str:
        """Of a layer: "lstm", "gru" or "rnn"."""
        return self.kind.split()[0]

    @property
    def asked(self) -> str:
        """Of a layer: "forward", "train" or "step"."""
        return self.kind.split()[1]

    @property
    def flops(self) -> float:
        """matmul 2 M N K; a layer with G gates 2 G T B H (D + H) forward, training three times
        that: a product forward, two backward. The gate functions are not counted, and no step."""
        if self.kind == "matmul":
            m, n, k = self.shape
            return 2.0 * m * n * k
        if self.asked == "step":
            return 0.0
        T, B, D, H = self.shape
        steps = T * B * (0.5 if self.variant == "half" else 1.0)
        return 2.0 * GATES[self.cell] * steps * H * (D + H) * (3 if self.asked == "train" else 1)

    @property
    def bytes(self) -> float:
        """Of one step the weights, which must be read; nothing limits it as that does."""
        if self.kind == "matmul" or self.asked != "step":
            return 0.0
        *_, D, H = self.shape
        return 4.0 * GATES[self.cell] * H * (D + H)

    units: ClassVar[int] = 1

    def inputs(self) -> Inputs:
        """Standard normal numbers, weights scaled down; the same in every process."""
        random = np.random.default_rng(crc32(f"{self.kind} {self.shape}".encode()))

        def normal(*shape: int) -> Any:
            return random.standard_normal(shape, np.float32)

        if self.kind == "matmul":
            m, n, k = self.shape
            a = normal(k, m).T if self.variant[0] == "t" else normal(m, k)
            return {"a": a, "b": normal(n, k).T if self.variant[1] == "t" else normal(k, n)}
        T, B, D, H = self.shape
        rows = GATES[self.cell] * H
        shapes = {"w_ih": (rows, D), "w_hh": (rows, H), "b_ih": (rows,), "b_hh": (rows,)}
        inputs: Inputs = {name: normal(*shape) / H**0.5 for name, shape in shapes.items()}
        inputs |= {"x": normal(B, T, D), "dy": normal(B, T, H)}
        first = normal if self.asked == "step" else lambda *shape: np.zeros(shape, np.float32)
        inputs |= {name: first(B, H) for name in ("h0", "c0")[: 1 + (self.cell == "lstm")]}
        return altered(inputs, self.cell, self.variant, random)
