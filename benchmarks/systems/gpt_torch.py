"""The GPT in PyTorch, written as its users would for speed, with the same parameter names."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn import functional as F

Turn = tuple[torch.Tensor, torch.Tensor]  # cosines and sines of rotary positions (T,d)
Cache = list[list[torch.Tensor]]  # per layer keys and values (B,N,room,d)


def turned(x: Any, cos: Any, sin: Any) -> Any:
    """Pairs of features i and i + d/2, each turned by its position's angle."""
    a, b = x.chunk(2, -1)
    return x * cos + torch.cat((-b, a), -1) * sin


class Attention(nn.Module):
    def __init__(self, heads: int, width: int, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.c_attn = nn.Linear(width, 3 * width)
        self.c_proj = nn.Linear(width, width)

    def forward(self, x: Any, turn: Turn | None, cache: list[torch.Tensor] | None, at: int) -> Any:
        B, T, E = x.shape
        q, k, v = (
            a.view(B, T, self.heads, E // self.heads).transpose(1, 2)
            for a in self.c_attn(x).split(E, 2)
        )
        if turn is not None:
            q, k = turned(q, *turn), turned(k, *turn)
        if cache is not None:  # room was made beforehand: nothing is copied but what is new
            cache[0][:, :, at : at + T], cache[1][:, :, at : at + T] = k, v
            k, v = cache[0][:, :, : at + T], cache[1][:, :, : at + T]
        y = F.scaled_dot_product_attention(
            q, k, v, dropout_p=self.dropout if self.training else 0.0, is_causal=T > 1
        )
        return self.c_proj(y.transpose(1, 2).reshape(B, T, E))


class MLP(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.c_fc = nn.Linear(width, 4 * width)
        self.c_proj = nn.Linear(4 * width, width)

    def forward(self, x: Any) -> Any:
        return self.c_proj(F.gelu(self.c_fc(x), approximate="tanh"))


class Block(nn.Module):
    def __init__(self, heads: int, width: int, dropout: float) -> None:
        super().__init__()
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn, self.mlp = Attention(heads, width, dropout), MLP(width)
        self.drop = nn.Dropout(dropout)

    def forward(self, x: Any, turn: Turn | None, cache: list[torch.Tensor] | None, at: int) -> Any:
        x = x + self.drop(self.attn(self.ln_1(x), turn, cache, at))
        return x + self.drop(self.mlp(self.ln_2(x)))


class TorchGPT(nn.Module):
    """With biases, the tanh GELU and a tied last product, as GPT-2."""

    def __init__(
        self, vocab_size: int, block_size: int, n_layer: int, n_head: int, n_embd: int,
        dropout: float = 0.0, positions: str = "learned",
    ) -> None:  # fmt: skip
        super().__init__()
        self.heads, self.block_size = n_head, block_size
        size = n_embd // n_head
        angles = torch.arange(block_size)[:, None] * 10000.0 ** (-torch.arange(0, size, 2) / size)
        self.turn = (angles.cos().repeat(1, 2), angles.sin().repeat(1, 2))
        self.transformer = nn.ModuleDict({
            "wte": nn.Embedding(vocab_size, n_embd),
            **({} if positions == "rotary" else {"wpe": nn.Embedding(block_size, n_embd)}),
            "drop": nn.Dropout(dropout),
            "h": nn.ModuleList([Block(n_head, n_embd, dropout) for _ in range(n_layer)]),
            "ln_f": nn.LayerNorm(n_embd),
        })  # fmt: skip
        self.lm_head = nn.Linear(n_embd, vocab_size, bias=False)
        self.lm_head.weight = self.transformer.wte.weight

    def forward(self, ids: Any, cache: Cache | None = None, at: int = 0) -> Any:
        """ids (B,T) -> logits (B,T,V); with a cache, those of positions from `at` on."""
        body = self.transformer
        end = at + ids.shape[1]
        x, turn = body.wte(ids), None
        if "wpe" in body:
            x = x + body.wpe(torch.arange(at, end))
        else:
            turn = (self.turn[0][at:end], self.turn[1][at:end])
        x = body.drop(x)
        for i, block in enumerate(body.h):
            x = block(x, turn, cache[i] if cache else None, at)
        return self.lm_head(body.ln_f(x))

    def loss(self, ids: Any, targets: Any) -> Any:
        """The mean cross-entropy."""
        return F.cross_entropy(self(ids).flatten(0, 1), targets.flatten())

    def cache(self, B: int) -> Cache:
        """Room for a whole block."""
        size = self.lm_head.in_features // self.heads
        shape = (B, self.heads, self.block_size, size)
        return [[torch.empty(shape), torch.empty(shape)] for _ in self.transformer.h]


def turned_from(model: Any) -> TorchGPT:
    """The same model in PyTorch, from a `tinyseq.models.GPT`."""
    sizes = model.configuration
    names = ("vocab_size", "block_size", "n_layer", "n_head", "n_embd", "dropout", "positions")
    other = TorchGPT(*(sizes[name] for name in names))
    other.load_state_dict({k: torch.from_numpy(v.data) for k, v in model.state_dict().items()})
    return other
