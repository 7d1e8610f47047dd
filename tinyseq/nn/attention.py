"""MultiheadAttention."""

from __future__ import annotations

from itertools import accumulate
from typing import Any

import numpy as np

from tinyseq import init, ops
from tinyseq.autograd import Array, Tensor, no_grad
from tinyseq.nn import functional as F
from tinyseq.nn.attention_masks import Visible, finite_both, visible
from tinyseq.nn.attention_weights import attention_weights
from tinyseq.nn.cache import KeyValueCache, Seen
from tinyseq.nn.checks import as_input, as_steps, check_count, check_rate
from tinyseq.nn.layers import Linear, check_sizes, new_parameter
from tinyseq.nn.module import Module
from tinyseq.nn.positions import RotaryEmbedding, alibi_slopes
from tinyseq.ops.attention import packed_attention


class MultiheadAttention(Module):
    """Each query gathers values, weighted by how its key matches, in N heads side by side::

        q, k, v = query Wqᵀ + bq, key Wkᵀ + bk, value Wvᵀ + bv      cut into heads of size d = E/N
        y       = concat(softmax(q kᵀ / sqrt(d)) v) Woᵀ + bo

    Args:
        embed_dim: size of query and y, E, a multiple of N.
        num_heads: N.
        dropout: in training, the probability that a weight becomes 0.
        bias: whether there are bq, bk, bv and bo.
        kdim: size of key; E when not given.
        vdim: size of value; E when not given.
        num_kv_heads: heads of keys and values, M, of which N is a multiple: N/M query heads in a
            row share each. N when not given.
        window: W > 0 lets a query see only what is less than W away; 0 lets it see all.
        rotary: turns queries and keys by their positions before they meet.
        alibi: whether scores fall with distance, by `alibi_slopes`.

    Parameters, named as in PyTorch: in_proj_weight (E + 2 M d,E), which are Wq, Wk and Wv one below
    the other, or, when kdim or vdim differs from E, q_proj_weight (E,E), k_proj_weight (M d,kdim)
    and v_proj_weight (M d,vdim); in_proj_bias (E + 2 M d,); out_proj.weight (E,E) and
    out_proj.bias (E,). First values are PyTorch's, too. Its add_bias_kv and add_zero_attn are not
    here.

    Raises ValueError when an argument is outside its range.

    Source: Vaswani et al., "Attention is all you need", 2017; shared keys and values as in
    Ainslie et al., "GQA", 2023.
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        *,
        kdim: int | None = None,
        vdim: int | None = None,
        num_kv_heads: int | None = None,
        window: int = 0,
        rotary: RotaryEmbedding | None = None,
        alibi: bool = False,
    ) -> None:
        name = type(self).__name__
        kdim, vdim = (embed_dim if size is None else size for size in (kdim, vdim))
        kv_heads = num_heads if num_kv_heads is None else num_kv_heads
        check_sizes(name, embed_dim=embed_dim, num_heads=num_heads, kdim=kdim, vdim=vdim)
        check_sizes(name, num_kv_heads=kv_heads)
        check_rate(name, "dropout", dropout)
        check_count(name, "window", window)
        for what, size, by, heads in (
            ("embed_dim", embed_dim, "num_heads", num_heads),
            ("num_heads", num_heads, "num_kv_heads", kv_heads),
        ):
            if size % heads:
                raise ValueError(f"{name}: {what} {size} is not a multiple of {by} {heads}")
        self.embed_dim, self.kdim, self.vdim = embed_dim, kdim, vdim
        self.num_heads, self.num_kv_heads = num_heads, kv_heads
        self.head_dim = embed_dim // num_heads
        if rotary is not None and rotary.dim > self.head_dim:
            raise ValueError(f"{name}: rotary turns {rotary.dim} of {self.head_dim} features")
        self.dropout = dropout
        self.window = window
        self.rotary = rotary
        self.slopes = alibi_slopes(num_heads) if alibi else None
        E, R = embed_dim, kv_heads * self.head_dim
        self._sizes = [E, R, R]
        packed = kdim == vdim == E
        self.in_proj_weight = new_parameter(E + 2 * R, E) if packed else None
        self.q_proj_weight = None if packed else new_parameter(E, E)
        self.k_proj_weight = None if packed else new_parameter(R, kdim)
        self.v_proj_weight = None if packed else new_parameter(R, vdim)
        for weight in list(self.parameters()):
            init.xavier_uniform_(weight)
        self.in_proj_bias = new_parameter(E + 2 * R) if bias else None
        self.out_proj = Linear(E, E, bias)
        for b in (self.in_proj_bias, self.out_proj.bias):
            if b is not None:
                init.constant_(b, 0.0)

    def forward(
        self,
        query: Tensor | Array,
        key: Tensor | Array,
        value: Tensor | Array,
        key_padding_mask: Any = None,
        need_weights: bool = True,
        attn_mask: Any = None,
        average_attn_weights: bool = True,
        is_causal: bool = False,
        *,
        lengths: Any = None,
    ) -> tuple[Tensor, Tensor | None]:
        """Let every query look.

        Args:
            query: (B,T,E), Tensor or array in the dtype of the weights; so are the next two.
            key: (B,S,kdim).
            value: (B,S,vdim). Where all three are one Tensor, they share one product.
            key_padding_mask: (B,S), bool, True for keys that are not there, or floats to add to the
                scores.
            need_weights: whether to return the weights too. They do not come out of the fused
                kernel: False saves their time, and memory that goes with T S.
            attn_mask: (T,S) or (B N,T,S), bool, True where a query does not see a key (the opposite
                of what `scaled_dot_product_attention` means, as in PyTorch), or floats to add.
            average_attn_weights: whether the weights returned are the mean over heads.
            is_causal: whether a query sees no key after its own place; with T < S places count from
                the end. It needs no mask; where there is one, both hold.
            lengths: how many keys of each row are real, B whole numbers from 0 to S; all of them
                when not given.

        Returns y (B,T,E), and the weights before dropout, (B,T,S) or, not averaged, (B,N,T,S), or
        None. A query that sees no key gets zero weights and y = bo, and sends no gradient back.

        Raises ValueError when a shape or a length is another, TypeError when a dtype is.
        """
        name = type(self).__name__
        itself, both = key is query, value is key
        query = as_input(name, "query", query, ("B", "T"), self.embed_dim, self._dtype)
        key = query if itself else key
        key, value = self._as_keys(name, key, key if both else value)
        (B, T, _), S = query.shape, key.shape[1]
        if key.shape[0] != B:
            raise ValueError(f"{name}: key must have {B} rows as query has, got {key.shape[0]}")
        seen = visible(
            name, (B, self.num_heads, T, S), self._dtype, attn_mask, key_padding_mask, lengths,
            is_causal,
        )  # fmt: skip
        key, value = finite_both(key, value, seen.absent)
        query = key if itself else query
        if not need_weights:
            return self.attend(query, key, value, seen), None
        q, k, v = self._heads(query, key, value, S - T)
        weights = attention_weights(q, k, seen, self.window, self.slopes)
        y = self._look(q, Seen(k, v, None, seen.lengths), seen.mask, seen.causal)
        return y, weights.mean(1) if average_attn_weights else weights

    def attend(self, query: Tensor, key: Tensor, value: Tensor, seen: Visible) -> Tensor:
        """y alone, of what `forward` has checked and masks it has brought together."""
        if query is key is value:
            N, M = self.num_heads, self.num_kv_heads
            qkv = self._linear(query, 0, 3)
            if self.rotary is not None:
                qkv = self.rotary.packed(qkv, N, M)
            y = packed_attention(
                qkv, N, M, seen.mask, is_causal=seen.causal, lengths=seen.lengths,
                **self._options(),
            )  # fmt: skip
            return self.out_proj.forward(y)
        q, k, v = self._heads(query, key, value, key.shape[1] - query.shape[1])
        return self._look(q, Seen(k, v, None, seen.lengths), seen.mask, seen.causal)

    # With a cache

    def cache(self) -> KeyValueCache:
        """An empty cache for `step`."""
        return KeyValueCache(self.window)

    @no_grad
    def memory(
        self, key: Tensor | Array, value: Tensor | Array | None = None, lengths: Any = None
    ) -> Seen:
        """What queries to come may look at, all of it known: projected once, for `step`.

        Args:
            key: (B,S,kdim).
            value: (B,S,vdim); key when not given.
            lengths: how many keys of each row are real; all when not given.

        Raises as `forward` does, and ValueError with window, rotary or alibi, for which queries to
        come would have to stand somewhere among the keys.
        """
        name = f"{type(self).__name__}.memory"
        if self.window or self.rotary is not None or self.slopes is not None:
            raise ValueError(f"{name}: not with window, rotary or alibi")
        key, value = self._as_keys(name, key, key if value is None else value)
        shape = (key.shape[0], 1, 1, key.shape[1])
        seen = visible(name, shape, self._dtype, lengths=lengths)
        k, v = self._keys_and_values(*finite_both(key, value, seen.absent))
        return Seen(k, v, None, seen.lengths)

    @no_grad
    def step(self, x_t: Tensor | Array, cache: KeyValueCache | Seen, lengths: Any = None) -> Tensor:
        """Attention for queries that come in bit by bit, without gradients.

        Args:
            x_t: the next step (B,E), or the next several (B,t,E).
            cache: what `cache` made, for causal self-attention: the keys and values of x_t are
                added to it; or what `memory` made.
            lengths: with a cache, how many of the t steps are real in each row; all of them when
                not given. What a row is given next follows where these end.

        Returns y in the shape of x_t; what lies beyond lengths means nothing. Step by step the
        results are those of `forward` with ``is_causal`` on the whole sequence.

        Raises ValueError and TypeError as `forward` does, and ValueError for a cache of another
        window.
        """
        name = f"{type(self).__name__}.step"
        x = as_steps(name, x_t, self.embed_dim, self._dtype)
        if isinstance(cache, Seen):
            (q,) = self._apart(self._linear(x, 0, 1), self.num_heads)
            y = self._look(q, cache)
        else:
            if cache.window != self.window:
                raise ValueError(f"{name}: cache has window {cache.window}, not {self.window}")
            first = cache.position if cache.position.size else 0
            q, k, v = self._heads(x, x, x, first, first)
            y = self._look(q, cache.append(k, v, lengths), causal=True)
        return y if np.ndim(x_t) == 3 else ops.reshape(y, np.shape(x_t))

    # The pieces

    @property
    def _dtype(self) -> Any:
        return self.out_proj.weight.dtype

    def _as_keys(self, name: str, key: Any, value: Any) -> tuple[Tensor, Tensor]:
        """Key and value checked; one Tensor if they were one."""
        both = value is key
        key = as_input(name, "key", key, ("B", "S"), self.kdim, self._dtype)
        value = as_input(name, "value", key if both else value, ("B", "S"), self.vdim, self._dtype)
        if value.shape[:2] != key.shape[:2]:
            raise ValueError(
                f"{name}: key (B, S, kdim) and value (B, S, vdim) must agree in B and S, "
                f"got {key.shape} and {value.shape}"
            )
        return key, value

    def _linear(self, x: Tensor, first: int, end: int) -> Tensor:
        """x by the projections first to end of q, k and v, in one product."""
        bias = self.in_proj_bias
        rows = slice(sum(self._sizes[:first]), sum(self._sizes[:end]))
        if self.in_proj_weight is None:
            weight: Any = (self.q_proj_weight, self.k_proj_weight, self.v_proj_weight)[first]
        elif end - first == 3:
            return F.linear(x, self.in_proj_weight, bias)
        else:
            weight = self.in_proj_weight[rows]
        return F.linear(x, weight, None if bias is None else bias[rows])

    def _apart(self, x: Tensor, *heads: int) -> tuple[Tensor, ...]:
        """Heads that lie side by side, (B,T,(n + m + ...) d), as (B,n,T,d), (B,m,T,d), ..."""
        B, T, _ = x.shape
        if not x.requires_grad:  # without ops: one step costs little beside them
            whole = x.data.reshape(B, T, sum(heads), self.head_dim).transpose(0, 2, 1, 3)
            ends = zip(heads, accumulate(heads), strict=True)
            return tuple(Tensor(whole[:, end - n : end]) for n, end in ends)
        parts = ops.split(x, [n * self.head_dim for n in heads], 2)
        shapes = [(B, T, n, self.head_dim) for n in heads]
        cut = (ops.reshape(part, shape) for part, shape in zip(parts, shapes, strict=True))
        return tuple(ops.transpose(part, 1, 2) for part in cut)

    def _heads(
        self, query: Tensor, key: Tensor, value: Tensor, query_at: Any, key_at: Any = 0
    ) -> tuple[Tensor, ...]:
        """Heads of q (B,N,T,d), k and v (B,M,S,d), turned to where queries and keys begin."""
        N, M = self.num_heads, self.num_kv_heads
        if query is key is value:
            q, k, v = self._apart(self._linear(query, 0, 3), N, M, M)
        else:
            (q,) = self._apart(self._linear(query, 0, 1), N)
            k, v = self._keys_and_values(key, value)
        if self.rotary is None:
            return q, k, v
        return self.rotary(q, query_at), self.rotary(k, key_at), v

    def _keys_and_values(self, key: Tensor, value: Tensor) -> tuple[Tensor, ...]:
        M = self.num_kv_heads
        if key is value and self.in_proj_weight is not None:
            return self._apart(self._linear(key, 1, 3), M, M)
        return (
            *self._apart(self._linear(key, 1, 2), M),
            *self._apart(self._linear(value, 2, 3), M),
        )

    def _options(self) -> dict[str, Any]:
        return {
            "dropout_p": self.dropout if self.training else 0.0,
            "window": self.window or None,
            "alibi_slopes": self.slopes,
        }

    def _look(
        self, q: Tensor, seen: Seen, mask: Tensor | None = None, causal: bool = False
    ) -> Tensor:
        """What the queries gather, after the last product: y (B,T,E)."""
        y = F.scaled_dot_product_attention(
            q, seen.k, seen.v, mask, is_causal=causal, lengths=seen.lengths, start=seen.start,
            **self._options(),
        )  # fmt: skip
        B, _, T, _ = y.shape
        if y.requires_grad:
            return self.out_proj.forward(
                ops.reshape(ops.transpose(y, 1, 2), (B, T, self.embed_dim))
            )
        return self.out_proj.forward(Tensor(y.data.swapaxes(1, 2).reshape(B, T, self.embed_dim)))
