"""One layer of a GPT: causal self-attention and the network after it."""

from __future__ import annotations

from tinyseq import nn
from tinyseq.autograd import Tensor
from tinyseq.nn import functional as F
from tinyseq.ops.attention import packed_attention


class Block(nn.Module):
    """x + attention(norm(x)), then x + mlp(norm(x)), shifted by a norm.

    A norm costs least where the sum that it takes is made. So a layer is given what its first norm
    returned, and ends with the first norm of the layer after it::

        a = attention(y);  y, x = ln_2(x + a), x + a
        m = mlp(y);        y, x = after(x + m), x + m

    Args and names of the parameters are `GPT`'s.
    """

    def __init__(
        self, n_head: int, n_embd: int, dropout: float, bias: bool, n_kv_head: int, window: int,
        rotary: bool, activation: str,
    ) -> None:  # fmt: skip
        self.ln_1 = nn.LayerNorm(n_embd, bias=bias)
        self.attn = SelfAttention(n_head, n_embd, dropout, bias, n_kv_head, window, rotary)
        self.ln_2 = nn.LayerNorm(n_embd, bias=bias)
        self.mlp = MLP(n_embd, bias, activation)
        self.drop = nn.Dropout(dropout)

    def forward(self, y: Tensor, x: Tensor, after: nn.LayerNorm) -> tuple[Tensor, Tensor]:
        """y (B,T,E), which is ln_1(x), and x (B,T,E) -> after(new x), new x."""
        y, x = self.ln_2.of_sum(self.drop(self.attn(y)), x)
        return after.of_sum(self.drop(self.mlp(y)), x)


class SelfAttention(nn.Module):
    """Each position gathers from itself and those before it; all projections are one product."""

    def __init__(
        self, n_head: int, n_embd: int, dropout: float, bias: bool, n_kv_head: int, window: int,
        rotary: bool,
    ) -> None:  # fmt: skip
        self.heads, self.kv_heads, self.size = n_head, n_kv_head, n_embd // n_head
        self.dropout = dropout
        self.window = window
        self.rotary = nn.RotaryEmbedding(self.size) if rotary else None
        self.c_attn = nn.Linear(n_embd, n_embd + 2 * n_kv_head * self.size, bias)
        self.c_proj = nn.Linear(n_embd, n_embd, bias)

    def forward(self, x: Tensor) -> Tensor:
        """x (B,T,E) -> (B,T,E)."""
        qkv = self.c_attn(x)
        if self.rotary is not None:
            qkv = self.rotary.packed(qkv, self.heads, self.kv_heads)
        y = packed_attention(
            qkv, self.heads, self.kv_heads, is_causal=True,
            dropout_p=self.dropout if self.training else 0.0, window=self.window or None,
        )  # fmt: skip
        projected: Tensor = self.c_proj(y)
        return projected


class MLP(nn.Module):
    """activation(x W1ᵀ + b1) W2ᵀ + b2, four times as wide inside."""

    def __init__(self, n_embd: int, bias: bool, activation: str) -> None:
        self.activation = activation
        self.c_fc = nn.Linear(n_embd, 4 * n_embd, bias)
        self.c_proj = nn.Linear(4 * n_embd, n_embd, bias)

    def forward(self, x: Tensor) -> Tensor:
        """x (B,T,E) -> (B,T,E)."""
        inside = F.linear(x, self.c_fc.weight, self.c_fc.bias, self.activation)
        y: Tensor = self.c_proj(inside)
        return y
