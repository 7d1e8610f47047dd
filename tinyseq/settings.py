"""What a training run depends on besides the text."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, fields
from typing import Any

from tinyseq.models.charlm import RECURRENT
from tinyseq.models.gpt import POSITIONS

MODELS = (*RECURRENT, "transformer")
TOKENIZERS = ("char", "word", "byte")
RECURRENT_ONLY, TRANSFORMER_ONLY = ("embed",), ("heads", "positions")
_LARGEST = 65536  # of any size: a slip of the finger should be an error, not a full memory

# Where the transformer's defaults are not the recurrent models'.
_TRANSFORMER: dict[str, Any] = {
    "hidden": 128,
    "positions": "rotary",
    "layers": 4,
    "dropout": 0.0,
    "batch": 4,
    "epochs": 4.0,
    "lr": 3e-3,
    "weight_decay": 0.1,
}


@dataclass(frozen=True)
class Settings:
    """Everything a run depends on besides the text; the defaults are the LSTM's in `tinyseq train`.

    They are chosen so that a run on the default text ends within two minutes on two cores. Those of
    other models come from `default_settings`.

    Raises ValueError, naming the setting, when one is outside its range.
    """

    model: str = "lstm"
    embed: int = 64  # of the recurrent models
    hidden: int = 256  # size of a recurrent layer; the transformer's width
    heads: int = 4  # of the transformer, as is the next
    positions: str = "learned"
    layers: int = 1
    dropout: float = 0.2
    batch: int = 16  # streams read in parallel, B
    window: int = 64  # tokens a step reads of each, T: gradients reach back this far at most
    epochs: float = 6.0
    steps: int | None = None  # instead of epochs
    lr: float = 4e-3
    warmup: float = 0.05  # share of the steps in which lr rises from 0
    weight_decay: float = 0.01
    clip: float = 1.0  # largest gradient norm
    tokenizer: str = "char"
    vocabulary: int = 10000  # of words: the most frequent, and the marks
    held_out: float = 0.1  # share of the text, at its end, that is never trained on
    evaluations: int = 6  # times the held-out part is scored and a checkpoint written
    seed: int = 0

    def __post_init__(self) -> None:
        for field in fields(self):
            self._check_kind(field.name, int if field.name == "steps" else type(field.default))
        if self.model not in MODELS:
            raise ValueError(f"model must be one of {', '.join(MODELS)}, got {self.model!r}")
        if self.tokenizer not in TOKENIZERS:
            kinds = ", ".join(TOKENIZERS)
            raise ValueError(f"tokenizer must be one of {kinds}, got {self.tokenizer!r}")
        if not 5 <= self.vocabulary <= 1 << 24:
            raise ValueError(f"vocabulary must be from 5 to {1 << 24}, got {self.vocabulary}")
        if self.positions not in POSITIONS:
            raise ValueError(f"positions must be learned or rotary, got {self.positions!r}")
        for name in ("embed", "hidden", "heads", "layers", "batch", "window", "evaluations"):
            value = getattr(self, name)
            if not 1 <= value <= _LARGEST:
                raise ValueError(f"{name} must be from 1 to {_LARGEST}, got {value}")
        if self.steps is not None and self.steps < 1:
            raise ValueError(f"steps must be at least 1, got {self.steps}")
        for name in ("epochs", "lr", "clip"):
            value = getattr(self, name)
            if not (value > 0 and math.isfinite(value)):
                raise ValueError(f"{name} must be finite and above 0, got {value}")
        for name in ("weight_decay", "seed"):
            value = getattr(self, name)
            if not (value >= 0 and math.isfinite(value)):
                raise ValueError(f"{name} must be finite and not negative, got {value}")
        for name in ("dropout", "warmup"):
            if not 0 <= getattr(self, name) < 1:
                raise ValueError(f"{name} must be from 0 below 1, got {getattr(self, name)}")
        if self.model == "transformer" and self.hidden % self.heads:
            raise ValueError(f"hidden must be a multiple of heads, {self.heads}, got {self.hidden}")
        rotary = self.model == "transformer" and self.positions == "rotary"
        if rotary and self.hidden // self.heads % 2:
            raise ValueError(
                f"hidden must be an even multiple of heads, {self.heads}, with rotary positions, "
                f"got {self.hidden}"
            )
        if not 0 < self.held_out < 1:
            raise ValueError(f"held_out must be above 0 and below 1, got {self.held_out}")

    def _check_kind(self, name: str, kind: type) -> None:
        value = getattr(self, name)
        fits = isinstance(value, (int, float) if kind is float else kind)
        if not (fits and not isinstance(value, bool)) and not (name == "steps" and value is None):
            what = {int: "a whole number", float: "a number", str: "a text"}[kind]
            raise ValueError(f"{name} must be {what}, got {value!r}")

    def used(self) -> dict[str, Any]:
        """Those that matter, by name: no other model's, and either epochs or steps."""
        idle = {"steps" if self.steps is None else "epochs", *foreign(self.model, self.tokenizer)}
        return {name: value for name, value in asdict(self).items() if name not in idle}


def foreign(model: str, tokenizer: str) -> dict[str, str]:
    """The settings that make no sense: name -> what it is not for."""
    names = RECURRENT_ONLY if model == "transformer" else TRANSFORMER_ONLY
    found = dict.fromkeys(names, f"the {model}")
    return found if tokenizer == "word" else found | {"vocabulary": f"the {tokenizer} tokenizer"}


def default_settings(model: str) -> dict[str, Any]:
    """`tinyseq train`'s settings for a kind of model, by name."""
    chosen = _TRANSFORMER if model == "transformer" else {}
    return {f.name: f.default for f in fields(Settings)} | {"model": model} | chosen
