"""Attention as one fused op: on heads, and on heads that lie side by side as a layer makes them."""

from typing import Any

import numpy as np

from tinyseq import backend
from tinyseq.autograd import Array, FusedOp, Tensor, is_grad_enabled
from tinyseq.backend.attention import Pattern, both, distances, visible
from tinyseq.ops.attention_checks import as_mask, as_pattern, check_heads, check_packed
from tinyseq.ops.creation import as_tensor
from tinyseq.ops.dropout import dropout
from tinyseq.ops.elementwise import exp, tanh, where
from tinyseq.ops.matmul import matmul
from tinyseq.ops.reduce import sum
from tinyseq.ops.shape import broadcast_to, reshape, split, transpose, unsqueeze

__all__ = ["packed_attention", "scaled_dot_product_attention"]


def _reference(
    q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None, *, pattern: Pattern, **_: Any
) -> tuple[Tensor]:
    """The equation, with all scores at once."""
    (B, N, T, _size), S = q.shape, k.shape[2]
    distance = distances(pattern, T, S)
    seen = visible(pattern, distance)
    if mask is not None:
        seen = both(seen, mask.data if mask.dtype == np.bool_ else mask.data != -np.inf)
    k, v = _for_each_head(k, N), _for_each_head(v, N)
    q, k, v = unsqueeze(q, 2), unsqueeze(k, 2), unsqueeze(v, 2)
    sighted: Any = None if seen is None else np.any(seen, 3, keepdims=True)
    if seen is not None and not all(map(_tame, (q, k, v))):
        # 0 times NaN is NaN: each query gets keys and values of its own, 0 where it sees none.
        q = where(sighted[..., None], transpose(q, 2, 3), 0.0)
        k, v = where(seen[..., None], k, 0.0), where(seen[..., None], v, 0.0)
    scores = matmul(q, transpose(k, 3, 4)) * pattern.scale
    one_by_one = scores.shape
    scores = reshape(scores, (B, N, T, S))
    if pattern.softcap:
        scores = tanh(scores / pattern.softcap) * pattern.softcap
    if pattern.slopes is not None:
        falling = pattern.slopes[:, None, None] * np.abs(distance)
        scores = scores - Tensor(falling.astype(scores.dtype))
    if mask is not None and mask.dtype != np.bool_:
        scores = scores + mask
    weights = reshape(dropped(softmax_of_seen(scores, seen), pattern), one_by_one)
    y = reshape(matmul(weights, v), (B, N, T, v.shape[-1]))
    # A gradient that is NaN goes no further than to a query that sees nothing.
    return (y if sighted is None or sighted.all() else where(sighted, y, 0.0),)


def _tame(x: Tensor) -> bool:
    """Whether no product of four of its elements, as second derivatives have, can overflow."""
    return bool(np.abs(x.data).max(initial=0) < float(np.finfo(x.dtype).max) ** 0.25)


def softmax_of_seen(scores: Tensor, seen: Array | None) -> Tensor:
    """exp(scores) / Σ exp(scores) over the keys that are seen; 0 for the others."""
    hidden = scores.data if seen is None else np.where(seen, scores.data, -np.inf)
    top = hidden.max(-1, initial=-np.inf, keepdims=True)
    # The top cancels out, so no gradient goes through it.
    weights = scores - Tensor(np.where(top == -np.inf, 0, top).astype(scores.dtype))
    if seen is None:
        weights = exp(weights)
    else:
        weights = where(seen, exp(where(seen, weights, 0.0)), 0.0)
    total = sum(weights, -1, True)
    return weights / where(total.data == 0, 1.0, total)


def dropped(weights: Tensor, pattern: Pattern) -> Tensor:
    """The weights after dropout."""
    return dropout(weights, p=pattern.dropout, key=pattern.key) if pattern.dropout else weights


def _for_each_head(x: Tensor, N: int) -> Tensor:
    """(B, M, S, size) as (B, N, S, size): each head as often as it is shared."""
    B, M, S, size = x.shape
    if M == N:
        return x
    stretched = broadcast_to(unsqueeze(x, 2), (B, M, N // M, S, size))
    return reshape(stretched, (B, N, S, size))


def _attention_forward(
    q: Array, k: Array, v: Array, mask: Array | None, *, pattern: Pattern, **_: Any
) -> tuple[Array, Array]:
    return backend.attention_forward(q, k, v, mask, pattern)


def _backward(
    gradients: list[Any], saved: tuple[Array, Array], *inputs: Any, pattern: Pattern,
    mask_wanted: bool,
) -> tuple[Any, ...]:  # fmt: skip
    given = (gradients[0], *inputs, *saved, pattern)
    if mask_wanted:
        return tuple(backend.attention_backward_with_mask(*given))
    return *backend.attention_backward(*given), None


_attention = FusedOp(_attention_forward, _backward, _reference, results=1)


# The same on (B, T, (N + 2 M) d): to the kernels only strides differ.


def _apart(x: Array, heads: int) -> Array:
    """A view of (B, T, heads size) as (B, heads, T, size)."""
    B, T, width = x.shape
    return x.reshape(B, T, heads, width // heads).transpose(0, 2, 1, 3)


def _heads(qkv: Array, heads: int, kv_heads: int) -> tuple[Array, Array, Array]:
    """Views of the queries, keys and values in a packed array."""
    apart, values = _apart(qkv, heads + 2 * kv_heads), heads + kv_heads
    return apart[:, :heads], apart[:, heads:values], apart[:, values:]


def _packed_attention_forward(
    qkv: Array, mask: Array | None, *, heads: int, kv_heads: int, pattern: Pattern, **_: Any
) -> tuple[Array, Array]:
    y, totals = backend.attention_forward(*_heads(qkv, heads, kv_heads), mask, pattern)
    B, N, T, size = y.shape
    return y.transpose(0, 2, 1, 3).reshape(B, T, N * size), totals


def _packed_backward(
    gradients: list[Any], saved: tuple[Array, Array], qkv: Array, mask: Array | None, *,
    heads: int, kv_heads: int, pattern: Pattern, mask_wanted: bool,
) -> tuple[Any, ...]:  # fmt: skip
    y, totals = saved
    g, y, dqkv = _apart(gradients[0], heads), _apart(y, heads), np.empty(qkv.shape, qkv.dtype)
    given: list[Any] = [g, *_heads(qkv, heads, kv_heads), mask, y, totals, pattern]
    given.append(_heads(dqkv, heads, kv_heads))  # to be written to
    if mask_wanted:
        return dqkv, backend.attention_backward_with_mask(*given)[3]
    backend.attention_backward(*given)
    return dqkv, None


def _packed_reference(
    qkv: Tensor, mask: Tensor | None, *, heads: int, kv_heads: int, pattern: Pattern, **_: Any
) -> tuple[Tensor]:
    B, T, width = qkv.shape
    size = width // (heads + 2 * kv_heads)
    apart = reshape(qkv, (B, T, heads + 2 * kv_heads, size))
    q, k, v = split(transpose(apart, 1, 2), [heads, kv_heads, kv_heads], 1)
    (y,) = _reference(q, k, v, mask, pattern=pattern)
    return (reshape(transpose(y, 1, 2), (B, T, heads * size)),)


_packed = FusedOp(_packed_attention_forward, _packed_backward, _packed_reference, results=1)


def _run(op: FusedOp, *inputs: Tensor | None, **params: Any) -> Tensor:
    """The op's result; by the kernel alone if nobody will look back."""
    mask = inputs[-1]
    params["mask_wanted"] = mask is not None and mask.requires_grad
    if is_grad_enabled() and any(x is not None and x.requires_grad for x in inputs):
        return op.run(*inputs, **params)[0]
    return Tensor(op.forward(*(None if x is None else x.data for x in inputs), **params)[0])


def scaled_dot_product_attention(
    query: Tensor, key: Tensor, value: Tensor, attn_mask: Any = None, dropout_p: float = 0.0,
    is_causal: bool = False, scale: float | None = None, *, lengths: Any = None,
    window: int | None = None, alibi_slopes: Any = None, softcap: float | None = None,
    start: Any = None,
) -> Tensor:  # fmt: skip
    """What each query gathers from the values, weighted by how well it fits their keys::

        y[i] = Σ_j P[i,j] v[j],   P[i] = softmax of scores[i] over the keys that query i sees
        scores[i,j] = capped(scale q[i]·k[j]) - slope |p - j| + mask[i,j]

    p = start + i is the query's position among the keys. A query that sees no key gets zeros, and
    neither it nor a key that nobody sees has a gradient other than 0, whatever they hold. Memory
    grows with T + S.

    Args:
        query: (B, N, T, d), floats.
        key, value: (B, M, S, d) and (B, M, S, dv), of the same dtype. N is a multiple of M, and
            N / M query heads one after another share a head of keys and values.
        attn_mask: bool, True where a query sees a key; or floats of the same dtype to add, where
            -inf hides a key, and which may want a gradient. Up to 4 dimensions, each 1 or that of
            (B, N, T, S).
        dropout_p: the probability, from 0 to 1, that a weight becomes 0 (the others are divided by
            1 - dropout_p); drawn whenever it is not 0.
        is_causal: whether a query sees only the keys j <= p. Unlike PyTorch's, the last query
            stands at the last key if T and S differ: what a cache needs. With a mask, both hold.
        scale: a number; 1 / sqrt(d) if not given.
        lengths: whole numbers (B,), each from 0 to S: how many keys of a row are there; S if not
            given. What lies beyond counts for nothing.
        window: W >= 1: a query sees only keys with |p - j| < W.
        alibi_slopes: (N,), how fast the scores of each head fall with distance; constants.
        softcap: c > 0: a score s becomes c tanh(s / c), before slopes and mask.
        start: whole numbers (B,): the position of each row's first query; S - T if not given.

    Returns:
        y (B, N, T, dv).

    Raises:
        ValueError: if a shape does not fit, a number is out of its range, or alibi_slopes want a
            gradient.
        TypeError: if a dtype is another, or lengths, window or start are no whole numbers.

    Source: Vaswani et al., "Attention is all you need", 2017; shared heads by Ainslie et al.,
    "GQA", 2023; slopes by Press et al., "Train short, test long", 2022; the window by Beltagy et
    al., "Longformer", 2020; the softcap by Gemma Team, "Gemma 2", 2024; in memory linear in T by
    Dao et al., "FlashAttention", 2022.
    """
    name = "scaled_dot_product_attention"
    q, k, v = as_tensor(query), as_tensor(key), as_tensor(value)
    sizes = check_heads(name, q, k, v)
    mask = as_mask(name, attn_mask, sizes, q.dtype)
    pattern = as_pattern(
        name, sizes, q.shape[3], dropout_p=dropout_p, is_causal=is_causal, scale=scale,
        lengths=lengths, window=window, slopes=alibi_slopes, softcap=softcap, start=start,
    )  # fmt: skip
    return _run(_attention, q, k, v, mask, pattern=pattern)


def packed_attention(
    qkv: Tensor, heads: int, kv_heads: int, attn_mask: Any = None, dropout_p: float = 0.0,
    is_causal: bool = False, scale: float | None = None, *, lengths: Any = None,
    window: int | None = None, alibi_slopes: Any = None, softcap: float | None = None,
    start: Any = None,
) -> Tensor:  # fmt: skip
    """`scaled_dot_product_attention` of sequences to themselves, their queries, keys and values as
    one linear layer made them; nothing is copied, and one gradient comes back.

    Args:
        qkv: (B, T, (N + 2 M) d): N heads of queries, M of keys and M of values, side by side.
        heads, kv_heads: N and M.
        attn_mask, ...: as for `scaled_dot_product_attention`, S being T.

    Returns:
        y (B, T, N d), the heads side by side.

    Raises:
        As `scaled_dot_product_attention`.
    """
    name = "packed_attention"
    qkv = as_tensor(qkv)
    sizes, d = check_packed(name, qkv, heads, kv_heads)
    mask = as_mask(name, attn_mask, sizes, qkv.dtype)
    pattern = as_pattern(
        name, sizes, d, dropout_p=dropout_p, is_causal=is_causal, scale=scale, lengths=lengths,
        window=window, slopes=alibi_slopes, softcap=softcap, start=start,
    )  # fmt: skip
    return _run(_packed, qkv, mask, heads=heads, kv_heads=kv_heads, pattern=pattern)
