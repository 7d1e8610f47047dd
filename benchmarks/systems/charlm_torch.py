"""The LSTM language model's training step in PyTorch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

from benchmarks.cases.attention import V
from benchmarks.cases.charlm import CharLMCase
from benchmarks.harness import Results
from benchmarks.systems.steps import CLIP, DECAY, LEARNING_RATE, recorded


class CharLM(nn.Module):
    def __init__(self, embed: int, hidden: int) -> None:
        super().__init__()
        self.embedding = nn.Embedding(V, embed)
        self.recurrent = nn.LSTM(embed, hidden, batch_first=True)
        self.output = nn.Linear(hidden, V)

    def forward(self, ids: Any) -> Any:
        return self.output(self.recurrent(self.embedding(ids))[0])


def work(case: CharLMCase) -> Callable[[], Results]:
    """A function that takes one step."""
    return recorded(step_of(case))


def step_of(case: CharLMCase) -> Callable[[], float]:
    """A function that takes one step and returns its loss."""
    weights: dict[str, Any] = {name: torch.from_numpy(a) for name, a in case.inputs().items()}
    ids, targets = weights.pop("ids"), weights.pop("targets")
    model = CharLM(*case.shape[:2])
    model.load_state_dict(weights)
    optimizer = torch.optim.AdamW(model.parameters(), LEARNING_RATE, weight_decay=DECAY, fused=True)

    def step() -> float:
        optimizer.zero_grad()
        loss = F.cross_entropy(model(ids).flatten(0, 1), targets.flatten())
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimizer.step()
        return float(loss.item())

    return step
