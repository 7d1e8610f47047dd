"""Attention for recurrences: a decoder's state looks over the steps of an encoder."""

from __future__ import annotations

from typing import Any

import numpy as np

from tinyseq import init
from tinyseq.autograd import Array, Tensor
from tinyseq.nn.attention_masks import finite_both
from tinyseq.nn.checks import as_numbers, check_dtype
from tinyseq.nn.layers import Linear, check_sizes, new_parameter
from tinyseq.nn.module import Module
from tinyseq.ops.attention import softmax_of_seen
from tinyseq.ops.lengths import check_lengths


class Alignment(Module):
    """What the two kinds share: all but the score."""

    query_size: int
    key_size: int

    def project(self, keys: Tensor) -> Tensor:
        """What all queries need of the keys (B,S,D), for `forward` to take step after step."""
        return keys

    def _scores(self, query: Tensor, projected: Tensor) -> Tensor:
        """query (B,T,Q) and what `project` returned -> (B,T,S)."""
        raise NotImplementedError

    def forward(
        self,
        query: Tensor | Array,
        keys: Tensor | Array,
        values: Tensor | Array | None = None,
        lengths: Any = None,
        projected: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Let queries look over keys.

        Args:
            query: (B,Q), such as the state of a decoder, or several (B,T,Q).
            keys: (B,S,D), such as the steps of an encoder.
            values: (B,S,C), what is gathered; the keys when not given.
            lengths: how many keys of each row are real, B whole numbers from 0 to S; all of them
                when not given. What lies beyond leaves no trace and gets no gradient.
            projected: what `project` returned for these keys; worked out when not given.

        Returns the contexts (B,C) or (B,T,C), and the weights (B,S) or (B,T,S). Both are zeros in a
        row of length 0.

        Raises ValueError when a shape or a length is another, TypeError when a dtype is.
        """
        name = type(self).__name__
        given = as_numbers(name, "query", query)
        keys = as_numbers(name, "keys", keys)
        values = keys if values is None else as_numbers(name, "values", values)
        if given.ndim not in (2, 3) or given.shape[-1] != self.query_size:
            wanted = f"(B, {self.query_size}) or (B, T, {self.query_size})"
            raise ValueError(f"{name}: query must be {wanted}, got {given.shape}")
        B = given.shape[0]
        if keys.ndim != 3 or keys.shape[0] != B or keys.shape[2] != self.key_size:
            raise ValueError(f"{name}: keys must be ({B}, S, {self.key_size}), got {keys.shape}")
        S = keys.shape[1]
        if values.ndim != 3 or values.shape[:2] != (B, S):
            raise ValueError(f"{name}: values must be ({B}, {S}, C), got {values.shape}")
        for what, x in (("query", given), ("keys", keys), ("values", values)):
            check_dtype(name, what, x, self._dtype(given))
        allowed = np.ones((1, S), bool)
        if lengths is not None:
            allowed = np.arange(S) < check_lengths(name, lengths, B, S)[:, None]
            keys, values = finite_both(keys, values, ~allowed)
        queries = given if given.ndim == 3 else given.reshape(B, 1, self.query_size)
        projected = self.project(keys) if projected is None else projected
        weights = softmax_of_seen(self._scores(queries, projected), allowed[:, None])
        context = weights @ values
        if given.ndim == 2:
            return context.reshape(B, values.shape[2]), weights.reshape(B, S)
        return context, weights

    def _dtype(self, query: Tensor) -> Any:
        """That of the parameters, or without any, that of the query."""
        return next(self.parameters(), query).dtype


class AdditiveAttention(Alignment):
    """Keys are scored against a query by a small network::

        score(q, k) = vᵀ tanh(W q + U k)
        context     = Σ_s softmax_s(score(q, k_s)) value_s

    W, U and v start uniform in ±1/sqrt of the size of what they are multiplied with.

    Args:
        query_size: size of a query, Q.
        key_size: size of a key, D.
        hidden_size: size of v, H.

    Parameters: query_proj.weight (H,Q), which is W; key_proj.weight (H,D), which is U; v (H,).

    Raises ValueError when a size is below 1.

    Source: Bahdanau, Cho and Bengio, "Neural machine translation by jointly learning to align and
    translate", 2015, section A.1.2.
    """

    def __init__(self, query_size: int, key_size: int, hidden_size: int) -> None:
        name = "AdditiveAttention"
        check_sizes(name, query_size=query_size, key_size=key_size, hidden_size=hidden_size)
        self.query_size = query_size
        self.key_size = key_size
        self.query_proj = Linear(query_size, hidden_size, bias=False)
        self.key_proj = Linear(key_size, hidden_size, bias=False)
        self.v = new_parameter(hidden_size)
        init.uniform_(self.v, -(hidden_size**-0.5), hidden_size**-0.5)

    def project(self, keys: Tensor) -> Tensor:
        """U keys, (B,S,H)."""
        projected: Tensor = self.key_proj(keys)
        return projected

    def _scores(self, query: Tensor, projected: Tensor) -> Tensor:
        one_by_one = self.query_proj(query).unsqueeze(2) + projected.unsqueeze(1)
        scores: Tensor = one_by_one.tanh() @ self.v
        return scores


class DotAttention(Alignment):
    """Keys are scored against a query by a product::

        score(q, k) = qᵀ k           dot
        score(q, k) = qᵀ W k         general
        context     = Σ_s softmax_s(score(q, k_s)) value_s

    W starts uniform in ±1/sqrt(Q), as a `Linear`.

    Args:
        query_size: size of a query, Q.
        key_size: size of a key, D; Q when not given, and always in "dot".
        score: "dot" or "general". What its paper calls "concat" is `AdditiveAttention`.

    Parameters of "general": query_proj.weight (D,Q), which is Wᵀ; "dot" has none.

    Raises ValueError when an argument is outside its range.

    Source: Luong, Pham and Manning, "Effective approaches to attention-based neural machine
    translation", 2015, section 3.1.
    """

    def __init__(self, query_size: int, key_size: int | None = None, score: str = "dot") -> None:
        key_size = query_size if key_size is None else key_size
        check_sizes("DotAttention", query_size=query_size, key_size=key_size)
        if score not in ("dot", "general"):
            raise ValueError(f"DotAttention: score must be dot or general, got {score!r}")
        if score == "dot" and key_size != query_size:
            raise ValueError(
                f"DotAttention: dot wants keys of the queries' size {query_size}, got {key_size}"
            )
        self.query_size = query_size
        self.key_size = key_size
        self.score = score
        if score == "general":
            self.query_proj = Linear(query_size, key_size, bias=False)

    def _scores(self, query: Tensor, projected: Tensor) -> Tensor:
        turned = self.query_proj(query) if self.score == "general" else query
        scores: Tensor = turned @ projected.transpose(1, 2)
        return scores

    def extra_repr(self) -> str:
        return f"{self.query_size}, {self.key_size}, score={self.score!r}"
