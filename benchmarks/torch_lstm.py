"""PyTorch's LSTM with the same weights on the same input."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

import tinyseq as ts
from benchmarks.harness import Results


def torch_lstm(layer: ts.nn.LSTM, x: Any, dy: Any, train: bool) -> Callable[[], Results]:
    """The same work as `cases.tinyseq_lstm`."""
    peer = torch.nn.LSTM(layer.input_size, layer.hidden_size, batch_first=True)
    peer.load_state_dict({k: torch.from_numpy(v.data) for k, v in layer.state_dict().items()})
    input, gradient = torch.from_numpy(x), torch.from_numpy(dy)

    def forward() -> Results:
        with torch.no_grad():
            return [peer(input)[0].numpy()]

    def training() -> Results:
        peer.zero_grad()
        leaf = input.detach().requires_grad_()
        y, _ = peer(leaf)
        y.backward(gradient)
        return [
            y.detach().numpy(), leaf.grad.numpy(), *(p.grad.numpy() for p in peer.parameters())
        ]  # fmt: skip

    return training if train else forward
