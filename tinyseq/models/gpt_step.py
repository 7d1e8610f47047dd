"""A GPT's step with a cache: arrays through the kernels that `GPT.forward` runs, and nothing else.

For one symbol there is so little to compute that the ops around the kernels would take half of the
time; no gradient is asked for, so they are not needed.
"""

from __future__ import annotations

from tinyseq import backend, nn
from tinyseq.autograd import Array, Tensor
from tinyseq.backend.attention import Pattern
from tinyseq.models.gpt_block import MLP, Block, SelfAttention


def through_layers(
    x: Array, blocks: list[Block], last: nn.LayerNorm, cache: list[nn.KeyValueCache]
) -> Array:
    """What the last norm returns, for the embedded symbols x (B,t,E) after those in the cache."""
    y, x = normed(blocks[0].ln_1, x, None)
    afters = [*(block.ln_1 for block in blocks[1:]), last]
    for block, after, kept in zip(blocks, afters, cache, strict=True):
        y, x = normed(block.ln_2, attended(block.attn, y, kept), x)
        y, x = normed(after, thought(block.mlp, y), x)
    return y


def normed(norm: nn.LayerNorm, x: Array, residual: Array | None) -> tuple[Array, Array]:
    """The norm of x + residual, and that sum."""
    weight, bias = norm.weight, norm.bias
    y, total, *_ = backend.norm_forward(
        x, residual, None if weight is None else weight.data, None if bias is None else bias.data,
        dims=1, eps=norm.eps, centred=True,
    )  # fmt: skip
    return y, total


def product(layer: nn.Linear, x: Array) -> Array:
    """The layer's y."""
    bias = None if layer.bias is None else layer.bias.data
    y: Array = backend.linear(x, layer.weight.data, bias, "none")
    return y


def attended(attn: SelfAttention, x: Array, cache: nn.KeyValueCache) -> Array:
    """What the positions in x gather from the cache, to which they are added."""
    (B, t, _), N, M, size = x.shape, attn.heads, attn.kv_heads, attn.size
    heads = product(attn.c_attn, x).reshape(B, t, N + 2 * M, size).transpose(0, 2, 1, 3)
    if attn.rotary is not None:
        first = cache.position if cache.position.size else 0
        heads = attn.rotary(Tensor(heads), first, N + M).data
    q, k, v = heads[:, :N], heads[:, N : N + M], heads[:, N + M :]
    seen = cache.append(k, v)
    pattern = Pattern(size**-0.5, True, attn.window, seen.lengths, seen.start)
    y, _ = backend.attention_forward(q, seen.k.data, seen.v.data, None, pattern)
    return product(attn.c_proj, y.transpose(0, 2, 1, 3).reshape(B, t, N * size))


def thought(mlp: MLP, x: Array) -> Array:
    """What the mlp returns."""
    fc, approximate = mlp.c_fc, "tanh" if mlp.activation == "gelu_tanh" else "none"
    bias = None if fc.bias is None else fc.bias.data
    inside, _ = backend.linear_gelu(x, fc.weight.data, bias, approximate, False)
    return product(mlp.c_proj, inside)
