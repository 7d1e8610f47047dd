"""The GPT that learns, in PyTorch."""

from __future__ import annotations

from typing import Any

import torch

from benchmarks.learning import Learner
from benchmarks.systems.gpt_torch import turned_from
from benchmarks.systems.steps import CLIP, DECAY
from tinyseq.models import GPT


def learner(model: GPT, threads: int) -> Learner:
    """From the same first weights."""
    torch.set_num_threads(threads)
    other = turned_from(model)
    optimizer = torch.optim.AdamW(other.parameters(), weight_decay=DECAY, fused=True)

    def step(ids: Any, targets: Any, rate: float) -> None:
        optimizer.param_groups[0]["lr"] = rate
        optimizer.zero_grad()
        other.loss(torch.from_numpy(ids), torch.from_numpy(targets)).backward()
        torch.nn.utils.clip_grad_norm_(other.parameters(), CLIP)
        optimizer.step()

    return Learner(step, lambda: {k: v.detach().numpy() for k, v in other.state_dict().items()})
