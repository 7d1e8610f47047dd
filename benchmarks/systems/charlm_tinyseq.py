"""The LSTM language model's training step in tinyseq."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tinyseq as ts
from benchmarks.cases.attention import V
from benchmarks.cases.charlm import CharLMCase
from benchmarks.harness import Results
from benchmarks.systems.steps import CLIP, DECAY, LEARNING_RATE, recorded
from tinyseq.models import CharLM
from tinyseq.nn import functional as F


def work(case: CharLMCase) -> Callable[[], Results]:
    """A function that takes one step."""
    return recorded(step_of(case))


def step_of(case: CharLMCase) -> Callable[[], float]:
    """A function that takes one step and returns its loss."""
    weights: dict[str, Any] = case.inputs()
    ids, targets = weights.pop("ids"), weights.pop("targets")
    model = CharLM(V, "lstm", *case.shape[:2])
    model.load_state_dict(weights)
    parameters = list(model.parameters())
    optimizer = ts.optim.AdamW(parameters, LEARNING_RATE, weight_decay=DECAY)

    def step() -> float:
        optimizer.zero_grad()
        logits, _ = model(ids)
        loss = F.cross_entropy(logits.reshape(-1, V), targets.reshape(-1))
        loss.backward()
        ts.nn.utils.clip_grad_norm_(parameters, CLIP)
        optimizer.step()
        return float(loss.item())

    return step
