"""The cases of attention and the layers around it: what is computed, from which inputs.

How is each system's own business (systems/).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any, ClassVar
from zlib import crc32

import numpy as np

from benchmarks.cases.recurrent import Inputs

V = 65  # symbols that the language models know, as many as a text in English uses
SIZES = {
    "attention": "BNTd", "layer_norm": "RE", "rms_norm": "RE", "add_layer_norm": "RE",
    "dropout": "RE", "linear_gelu": "RIO", "cross_entropy": "RV", "linear_cross_entropy": "REV",
    "adam": "PS", "gpt": "LNETB",
}  # fmt: skip
# How many arrays of the size of x a pass must at least read and write, forward and backward. Adam
# reads a parameter, its gradient and two moments, and writes all but the gradient.
PASSES = {
    "layer_norm": (2, 3), "rms_norm": (2, 3), "add_layer_norm": (4, 4), "dropout": (2, 2),
    "cross_entropy": (1, 2), "adam": (7,),
}  # fmt: skip
DROPPED = 0.1
VARIANTS = ("causal", "full", "bool mask", "float mask", "grouped", "window", "lengths")


@dataclass(frozen=True)
class AttentionCase:
    """One piece of work.

    Args:
        kind: of SIZES.
        asked: "forward" or "train"; of "adam" and a "gpt" "step", or "token".
        shape: by the letters of SIZES.
        variant: of attention, of VARIANTS; "grouped", "window" and "lengths" are causal too. Of a
            gpt, "eager" keeps PyTorch from compiling it.
    """

    kind: str
    asked: str
    shape: tuple[int, ...]
    variant: str = ""
    family: ClassVar[str] = "attention"

    @property
    def name(self) -> str:
        """As the table shows it."""
        sizes = " ".join(f"{name}={n}" for name, n in self.size.items())
        return f"{self.kind} {self.asked} {sizes} {self.variant}".rstrip()

    @property
    def peers(self) -> tuple[str, ...]:
        """Who else can do it."""
        return ("torch",) if self.kind == "gpt" else ("torch", "jax")

    @property
    def size(self) -> dict[str, float]:
        """What grows along a curve."""
        return dict(zip(SIZES[self.kind], self.shape, strict=True))

    @property
    def units(self) -> int:
        """How many of what is asked for one call does: tokens, or just itself."""
        return self.shape[3] if self.asked == "token" else 1

    @property
    def window(self) -> int:
        """How many keys a query sees, itself included; 0 where there is no such limit."""
        return max(self.shape[2] // 8, 2) if self.variant == "window" else 0

    @property
    def lengths(self) -> Any:
        """How many keys there are in each row, half of them in the mean; None for all."""
        if self.variant != "lengths":
            return None
        B, _, T, _ = self.shape
        return np.linspace(T // 8, T - T // 8, B).round().astype(np.int64)

    @property
    def seen(self) -> Any:
        """Which key each query sees, (1 or B, 1, T, T), for peers that are told by a mask."""
        B, _, T, _ = self.shape
        if self.variant in ("bool mask", "float mask"):
            return self.inputs()["mask"]
        apart = np.arange(T)[:, None] - np.arange(T)
        seen = (apart >= 0) & (apart < (self.window or T))
        if self.lengths is None:
            return seen[None, None]
        return seen & (np.arange(T) < self.lengths.reshape(B, 1, 1, 1))

    @property
    def flops(self) -> float:
        """Attention 4 d for each head, query and key it sees, the causal square counted as half,
        and 3.5 times that in training; products 2 M N K, and three times that in training."""
        train = self.asked in ("train", "step")
        if self.kind in PASSES or self.asked == "token":
            return 0.0
        if self.kind == "gpt":
            L, _, E, T, B = self.shape
            tokens = 6.0 * B * T * (12 * L * E * E + V * E)
            return tokens + 3.5 * 4 * L * B * E * T * T / 2
        if self.kind != "attention":
            return 2.0 * prod(self.shape) * (3 if train else 1)
        B, N, T, d = self.shape
        pairs = B * T * T * (1.0 if self.variant in ("full", "bool mask", "float mask") else 0.5)
        if self.window:
            pairs = B * (T * self.window - self.window**2 / 2)
        if self.lengths is not None:
            pairs = float((T * self.lengths - self.lengths**2 / 2).sum())
        return 4.0 * N * d * pairs * (3.5 if train else 1)

    @property
    def bytes(self) -> float:
        """What must be read and written at least, where that counts and not the operations: of a
        token, a model's weights and half a cache of keys and values."""
        if self.asked == "token":
            L, _, E, T, _ = self.shape
            return 4.0 * T * (12 * L * E * E + V * E + L * T * E)
        passes = PASSES.get(self.kind)
        if passes is None:
            return 0.0
        return 4.0 * prod(self.shape) * sum(passes[: 1 + (self.asked == "train")])

    def inputs(self) -> Inputs:
        """Standard normal numbers, weights scaled down; the same in every process."""
        random = np.random.default_rng(crc32(f"{self.kind} {self.shape}".encode()))

        def normal(*shape: int) -> Any:
            return random.standard_normal(shape, np.float32)

        if self.kind == "gpt":
            return _model(normal, random, *self.shape)
        if self.kind == "attention":
            B, N, T, d = self.shape
            M = max(N // 4, 1) if self.variant == "grouped" else N
            inputs = {"q": normal(B, N, T, d), "k": normal(B, M, T, d), "v": normal(B, M, T, d),
                      "g": normal(B, N, T, d)}  # fmt: skip
            if self.variant == "bool mask":  # every query sees itself and about half of the others
                inputs["mask"] = (random.random((B, 1, T, T)) < 0.5) | np.eye(T, dtype=bool)
            elif self.variant == "float mask":
                inputs["mask"] = normal(1, N, T, T)
            return inputs
        if self.kind == "adam":
            return {
                f"{what}{i}": normal(self.shape[1]) for what in "pg" for i in range(self.shape[0])
            }
        R, E, *more = self.shape
        inputs = {"x": normal(R, E)}
        if self.kind == "cross_entropy":
            return inputs | {"target": random.integers(0, E, R)}
        if self.kind == "add_layer_norm":
            inputs |= {"residual": normal(R, E), "g_sum": normal(R, E)}
        if self.kind == "linear_cross_entropy":
            return inputs | {
                "w": normal(*more, E) / E**0.5,
                "target": random.integers(0, more[0], R),
            }
        if self.kind == "linear_gelu":
            inputs |= {"w": normal(*more, E) / E**0.5, "b": normal(*more)}
        elif self.kind != "dropout":
            inputs["w"] = 1 + 0.1 * normal(E)
            if self.kind != "rms_norm":
                inputs["b"] = normal(E)
        return inputs | {"g": normal(R, *(more or (E,)))}


def _model(normal: Any, random: Any, L: int, N: int, E: int, T: int, B: int) -> Inputs:
    """The weights of a GPT by GPT-2's names, and symbols with those after them."""

    def product(out: int, inward: int) -> Inputs:
        return {"weight": 0.02 * normal(out, inward), "bias": 0.01 * normal(out)}

    def norm() -> Inputs:
        return {"weight": 1 + 0.1 * normal(E), "bias": 0.1 * normal(E)}

    parts = {"wte": {"weight": 0.02 * normal(V, E)}, "wpe": {"weight": 0.02 * normal(T, E)}}
    for i in range(L):
        parts |= {
            f"h.{i}.ln_1": norm(), f"h.{i}.attn.c_attn": product(3 * E, E),
            f"h.{i}.attn.c_proj": product(E, E), f"h.{i}.ln_2": norm(),
            f"h.{i}.mlp.c_fc": product(4 * E, E), f"h.{i}.mlp.c_proj": product(E, 4 * E),
        }  # fmt: skip
    parts["ln_f"] = norm()
    weights = {
        f"transformer.{part}.{name}": array
        for part, arrays in parts.items() for name, array in arrays.items()
    }  # fmt: skip
    symbols = random.integers(0, V, (B, T + 1))
    return {
        **weights, "lm_head.weight": weights["transformer.wte.weight"],
        "ids": symbols[:, :-1], "targets": symbols[:, 1:],
    }  # fmt: skip
