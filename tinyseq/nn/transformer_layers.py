"""TransformerEncoderLayer and TransformerDecoderLayer."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

from tinyseq import ops
from tinyseq.autograd import Array, Tensor, no_grad
from tinyseq.nn import functional as F
from tinyseq.nn.attention import MultiheadAttention
from tinyseq.nn.attention_masks import Visible, finite, visible, within
from tinyseq.nn.cache import KeyValueCache, Seen
from tinyseq.nn.checks import as_input, as_steps
from tinyseq.nn.layers import Dropout, Linear, check_sizes
from tinyseq.nn.module import Module
from tinyseq.nn.norm import LayerNorm

Function = Callable[[Tensor], Tensor]


class TransformerLayer(Module):
    """Attention to itself and a network after it, each added to what it was given::

        ffn(x) = activation(x W1ᵀ + b1) W2ᵀ + b2
        x      = norm(x + part(x)), or with ``norm_first`` x + part(norm(x)), for each part

    Args:
        d_model: size of the sequence's last axis, E, a multiple of N.
        nhead: heads of attention, N.
        dim_feedforward: size within ffn.
        dropout: in training, the probability with which attention's weights, what is within ffn and
            what each part returns become 0.
        activation: "relu", "gelu" or a function from Tensor to Tensor. The first two, and F.relu
            and F.gelu, are worked out while the product is.
        layer_norm_eps: of the norms.
        norm_first: whether norms come before the parts.
        bias: whether products and norms have one.

    Names of parameters and their first values are PyTorch's.

    Raises ValueError when an argument is outside its range, TypeError when ``activation`` is no
    function.
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Function = "relu",
        layer_norm_eps: float = 1e-5,
        *,
        norm_first: bool = False,
        bias: bool = True,
    ) -> None:
        name = type(self).__name__
        check_sizes(name, d_model=d_model, nhead=nhead, dim_feedforward=dim_feedforward)
        if activation in (F.relu, F.gelu):  # by name they can be pickled, too
            activation = "relu" if activation == F.relu else "gelu"
        if isinstance(activation, str) and activation not in ("relu", "gelu"):
            raise ValueError(f"{name}: activation must be relu or gelu, got {activation!r}")
        if not isinstance(activation, str) and not callable(activation):
            raise TypeError(f"{name}: activation must be a function, got {activation!r}")
        self.norm_first = norm_first
        self.activation = activation
        self.self_attn = MultiheadAttention(d_model, nhead, dropout, bias)
        self.linear1 = Linear(d_model, dim_feedforward, bias)
        self.dropout = Dropout(dropout)
        self.linear2 = Linear(dim_feedforward, d_model, bias)
        self.norm1 = LayerNorm(d_model, layer_norm_eps, bias=bias)
        self.norm2 = LayerNorm(d_model, layer_norm_eps, bias=bias)
        self.dropout1 = Dropout(dropout)
        self.dropout2 = Dropout(dropout)

    def enter(
        self, name: str, what: str, x: Any, masks: tuple[Any, Any], is_causal: bool, lengths: Any
    ) -> tuple[Tensor, Visible]:
        """The sequence checked, and who sees what in it; what nobody sees can do no harm."""
        attn = self.self_attn
        dtype = self.linear1.weight.dtype
        x = as_input(name, what, x, ("B", "T"), attn.embed_dim, dtype)
        (B, T, _), (mask, padding) = x.shape, masks
        names = (f"{what}_mask", f"{what}_key_padding_mask")
        shape = (B, attn.num_heads, T, T)
        seen = visible(name, shape, dtype, mask, padding, lengths, is_causal, names)
        return (finite(x, seen.absent) if lengths is None else within(x, seen.lengths)), seen

    def _ffn(self, x: Tensor) -> Tensor:
        if isinstance(self.activation, str):
            x = F.linear(x, self.linear1.weight, self.linear1.bias, self.activation)
        else:
            x = self.activation(self.linear1(x))
        y: Tensor = self.linear2(self.dropout(x))
        return y

    def _through(self, x: Tensor, *parts: tuple[Function, Dropout, LayerNorm]) -> Tensor:
        """x after each part, with its dropout and its norm."""
        if not self.norm_first:
            for part, dropout, norm in parts:
                x, _ = norm.of_sum(dropout(part(x)), x)
            return x
        y: Tensor = parts[0][2](x)
        for (part, dropout, _), (_, _, norm) in pairwise(parts):
            y, x = norm.of_sum(dropout(part(y)), x)
        part, dropout, _ = parts[-1]
        y = x + dropout(part(y))
        return y


class TransformerEncoderLayer(TransformerLayer):
    """One layer of an encoder: the two parts of `TransformerLayer`, where its arguments are.

    Source: Vaswani et al., "Attention is all you need", 2017; norms first as in Xiong et al., "On
    layer normalization in the transformer architecture", 2020.
    """

    def forward(
        self,
        src: Tensor | Array,
        src_mask: Any = None,
        src_key_padding_mask: Any = None,
        is_causal: bool = False,
        *,
        lengths: Any = None,
    ) -> Tensor:
        """One layer further.

        Args:
            src: (B,T,E), Tensor or array in the dtype of the weights.
            src_mask: (T,T) or (B N,T,T), bool, True where a step does not see another, or floats to
                add to the scores.
            src_key_padding_mask: (B,T), bool, True for steps that nobody sees, or floats to add.
            is_causal: whether a step sees none after it; it needs no mask.
            lengths: how many steps of each row are real, B whole numbers from 0 to T; all of them
                when not given. What lies beyond leaves no trace, gets no gradient, and is zeros in
                the result.

        Returns (B,T,E).

        Raises ValueError when a shape or a length is another, TypeError when a dtype is.
        """
        masks = (src_mask, src_key_padding_mask)
        x, seen = self.enter("TransformerEncoderLayer", "src", src, masks, is_causal, lengths)
        y = self.run(x, seen)
        return y if lengths is None else within(y, seen.lengths)

    def run(self, x: Tensor, seen: Visible) -> Tensor:
        """`forward` of what `enter` returned; beyond lengths there may be anything."""
        return self._through(
            x,
            (lambda x: self.self_attn.attend(x, x, x, seen), self.dropout1, self.norm1),
            (self._ffn, self.dropout2, self.norm2),
        )


class DecoderCache(NamedTuple):
    """What one decoder layer keeps from step to step."""

    own: KeyValueCache
    memory: Seen


class TransformerDecoderLayer(TransformerLayer):
    """One layer of a decoder: between the two parts of `TransformerLayer`, where its arguments are,
    a third looks at the memory, which is what an encoder returned.

    Source: that of `TransformerEncoderLayer`.
    """

    def __init__(
        self,
        d_model: int,
        nhead: int,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Function = "relu",
        layer_norm_eps: float = 1e-5,
        *,
        norm_first: bool = False,
        bias: bool = True,
    ) -> None:
        super().__init__(
            d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps,
            norm_first=norm_first, bias=bias,
        )  # fmt: skip
        self.multihead_attn = MultiheadAttention(d_model, nhead, dropout, bias)
        self.norm3 = LayerNorm(d_model, layer_norm_eps, bias=bias)
        self.dropout3 = Dropout(dropout)

    def forward(
        self,
        tgt: Tensor | Array,
        memory: Tensor | Array,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        tgt_is_causal: bool = False,
        memory_is_causal: bool = False,
        *,
        lengths: Any = None,
        memory_lengths: Any = None,
    ) -> Tensor:
        """One layer further.

        Args:
            tgt: (B,T,E), Tensor or array in the dtype of the weights; so is the next.
            memory: (B,S,E).
            tgt_mask: (T,T) or (B N,T,T), bool, True where a step does not see another, or floats to
                add to the scores.
            memory_mask: (T,S) or (B N,T,S), likewise.
            tgt_key_padding_mask: (B,T), bool, True for steps that nobody sees, or floats to add.
            memory_key_padding_mask: (B,S), likewise.
            tgt_is_causal: whether a step sees none after it; it needs no mask.
            memory_is_causal: likewise for the memory; with T < S places count from the end.
            lengths: how many steps of each row are real, B whole numbers from 0 to T; all of them
                when not given. What lies beyond leaves no trace, gets no gradient, and is zeros in
                the result.
            memory_lengths: how many of the memory's, from 0 to S.

        Returns (B,T,E).

        Raises ValueError when a shape or a length is another, TypeError when a dtype is.
        """
        name = "TransformerDecoderLayer"
        x, seen = self.enter(
            name, "tgt", tgt, (tgt_mask, tgt_key_padding_mask), tgt_is_causal, lengths
        )
        memory, seen_memory = self.enter_memory(
            name, x, memory, (memory_mask, memory_key_padding_mask), memory_is_causal,
            memory_lengths,
        )  # fmt: skip
        y = self.run(x, memory, seen, seen_memory)
        return y if lengths is None else within(y, seen.lengths)

    def enter_memory(
        self, name: str, x: Tensor, memory: Any, masks: tuple[Any, Any], is_causal: bool,
        lengths: Any,
    ) -> tuple[Tensor, Visible]:  # fmt: skip
        """As `enter`, of the memory."""
        memory = as_input(
            name, "memory", memory, ("B", "S"), self.multihead_attn.embed_dim, x.dtype
        )
        (B, T, _), S = x.shape, memory.shape[1]
        if memory.shape[0] != B:
            raise ValueError(f"{name}: memory must have {B} rows as tgt has, got {memory.shape[0]}")
        seen = visible(
            f"{name}, memory", (B, self.multihead_attn.num_heads, T, S), x.dtype, *masks, lengths,
            is_causal, ("memory_mask", "memory_key_padding_mask"),
        )  # fmt: skip
        return finite(memory, seen.absent), seen

    def run(self, x: Tensor, memory: Tensor, seen: Visible, seen_memory: Visible) -> Tensor:
        """`forward` of what `enter` and `enter_memory` returned."""
        return self._parts(
            x,
            lambda x: self.self_attn.attend(x, x, x, seen),
            lambda x: self.multihead_attn.attend(x, memory, memory, seen_memory),
        )

    def _parts(self, x: Tensor, own: Function, other: Function) -> Tensor:
        return self._through(
            x,
            (own, self.dropout1, self.norm1),
            (other, self.dropout2, self.norm2),
            (self._ffn, self.dropout3, self.norm3),
        )

    def cache(self, memory: Tensor | Array, memory_lengths: Any = None) -> DecoderCache:
        """What `step` needs, from a memory (B,S,E): its keys and values are worked out here, once.

        Raises as `forward` does.
        """
        seen = self.multihead_attn.memory(memory, lengths=memory_lengths)
        return DecoderCache(self.self_attn.cache(), seen)

    @no_grad
    def step(self, x_t: Tensor | Array, cache: DecoderCache, lengths: Any = None) -> Tensor:
        """Decode what comes bit by bit, without gradients.

        Args:
            x_t: the next step (B,E), or the next several (B,t,E).
            cache: what `cache` made, or the step before left in it.
            lengths: how many of the t steps are real in each row; all of them when not given. What
                a row is given next follows where these end.

        Returns y in the shape of x_t; what lies beyond lengths means nothing. Step by step the
        results are those of `forward` with ``tgt_is_causal`` on the whole sequence.

        Raises ValueError and TypeError as `forward` does.
        """
        name = "TransformerDecoderLayer.step"
        x = as_steps(name, x_t, self.self_attn.embed_dim, self.linear1.weight.dtype)
        # Before anything is appended: a step that fails must leave the cache as it was.
        if len(x.data) != (rows := len(cache.memory.k.data)):
            raise ValueError(f"{name}: x_t must have the memory's {rows} rows, got {len(x.data)}")
        y = self._parts(
            x,
            lambda x: self.self_attn.step(x, cache.own, lengths),
            lambda x: self.multihead_attn.step(x, cache.memory),
        )
        return y if np.ndim(x_t) == 3 else ops.reshape(y, np.shape(x_t))
