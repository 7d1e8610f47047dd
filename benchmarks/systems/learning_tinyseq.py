"""The GPT that learns, in tinyseq."""

from __future__ import annotations

from typing import Any

import tinyseq as ts
from benchmarks.learning import Learner
from benchmarks.systems.steps import CLIP, DECAY
from tinyseq.models import GPT


def learner(model: GPT, threads: int) -> Learner:
    """From the same first weights."""
    optimizer = ts.optim.AdamW(model.parameters(), weight_decay=DECAY)
    parameters = list(model.parameters())

    def step(ids: Any, targets: Any, rate: float) -> None:
        optimizer.lr = rate
        optimizer.zero_grad()
        model.loss(ids, targets).backward()
        ts.nn.utils.clip_grad_norm_(parameters, CLIP)
        optimizer.step()

    return Learner(step, lambda: dict(model.state_dict()))
