"""The command line's loop around its steps: data, schedule, callbacks, a progress bar."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from benchmarks.cases.charlm import CharLMCase
from benchmarks.cases.recurrent import Inputs


@dataclass(frozen=True)
class LoopCase:
    """Some steps of a language model's training, with or without the Trainer.

    Args:
        shape: (D, H, T, B).
        bare: the steps alone, on batches that are there already.
    """

    shape: tuple[int, ...]
    bare: bool = False
    family: ClassVar[str] = "loop"
    peers: ClassVar[tuple[str, ...]] = ()
    bytes: ClassVar[float] = 0.0
    units: ClassVar[int] = 64  # steps: beginning and ending a fit is not theirs

    @property
    def name(self) -> str:
        """As the table shows it."""
        return "training loop " + " ".join(f"{name}={n}" for name, n in self.size.items())

    @property
    def size(self) -> dict[str, float]:
        """What grows along a curve."""
        return CharLMCase(self.shape).size

    @property
    def flops(self) -> float:
        """Of all the steps."""
        return self.units * CharLMCase(self.shape).flops

    def inputs(self) -> Inputs:
        """A text as symbols (N,), one line."""
        return {"ids": CharLMCase(self.shape).inputs()["ids"].reshape(-1)}
