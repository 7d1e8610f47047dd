"""PyTorch, made ready in its process."""

from __future__ import annotations

import torch


def setup(threads: int) -> str:
    """Once per process; returns what the header says."""
    torch.set_num_threads(threads)
    return f"PyTorch {torch.__version__}"
