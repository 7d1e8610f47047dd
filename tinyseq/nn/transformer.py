"""TransformerEncoder, TransformerDecoder and Transformer."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, cast

import numpy as np

from tinyseq import init
from tinyseq.autograd import Array, Tensor, no_grad
from tinyseq.nn.attention_masks import within
from tinyseq.nn.checks import check_count
from tinyseq.nn.containers import ModuleList
from tinyseq.nn.layers import check_sizes
from tinyseq.nn.module import Module
from tinyseq.nn.norm import LayerNorm
from tinyseq.nn.transformer_layers import (
    DecoderCache,
    Function,
    TransformerDecoderLayer,
    TransformerEncoderLayer,
)
from tinyseq.ops.creation import as_tensor


class TransformerEncoder(Module):
    """Encoder layers one after the other, and a norm.

    Args:
        encoder_layer: the first layer; the others begin as copies of it.
        num_layers: how many, L.
        norm: what comes last, such as the norm that layers with ``norm_first`` lack.

    Parameters: those of the layers, as layers.0 and so on, and of norm.

    Raises ValueError when ``num_layers`` is below 1, TypeError when the layer is of another kind.
    """

    def __init__(
        self, encoder_layer: TransformerEncoderLayer, num_layers: int, norm: Module | None = None
    ) -> None:
        self.layers = copies(encoder_layer, num_layers, self, TransformerEncoderLayer)
        self.norm = norm

    def _each(self) -> list[TransformerEncoderLayer]:
        return cast(list[TransformerEncoderLayer], list(self.layers))

    def forward(
        self,
        src: Tensor | Array,
        mask: Any = None,
        src_key_padding_mask: Any = None,
        is_causal: bool | None = None,
        *,
        lengths: Any = None,
    ) -> Tensor:
        """Encode src (B,T,E) -> (B,T,E); all arguments as in `TransformerEncoderLayer.forward`."""
        first, *_ = self._each()
        masks = (mask, src_key_padding_mask)
        x, seen = first.enter("TransformerEncoder", "src", src, masks, bool(is_causal), lengths)
        for layer in self._each():
            x = layer.run(x, seen)
        x = x if self.norm is None else self.norm(x)
        return x if lengths is None else within(x, seen.lengths)


class TransformerDecoder(Module):
    """Decoder layers one after the other, and a norm.

    Args:
        decoder_layer: the first layer; the others begin as copies of it.
        num_layers: how many, L.
        norm: what comes last, such as the norm that layers with ``norm_first`` lack.

    Parameters: those of the layers, as layers.0 and so on, and of norm.

    Raises ValueError when ``num_layers`` is below 1, TypeError when the layer is of another kind.
    """

    def __init__(
        self, decoder_layer: TransformerDecoderLayer, num_layers: int, norm: Module | None = None
    ) -> None:
        self.layers = copies(decoder_layer, num_layers, self, TransformerDecoderLayer)
        self.norm = norm

    def _each(self) -> list[TransformerDecoderLayer]:
        return cast(list[TransformerDecoderLayer], list(self.layers))

    def forward(
        self,
        tgt: Tensor | Array,
        memory: Tensor | Array,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
        *,
        lengths: Any = None,
        memory_lengths: Any = None,
    ) -> Tensor:
        """Decode tgt (B,T,E) -> (B,T,E); all arguments as in `TransformerDecoderLayer.forward`."""
        name = "TransformerDecoder"
        first, *_ = self._each()
        x, seen = first.enter(
            name, "tgt", tgt, (tgt_mask, tgt_key_padding_mask), bool(tgt_is_causal), lengths
        )
        memory, seen_memory = first.enter_memory(
            name, x, memory, (memory_mask, memory_key_padding_mask), memory_is_causal,
            memory_lengths,
        )  # fmt: skip
        for layer in self._each():
            x = layer.run(x, memory, seen, seen_memory)
        x = x if self.norm is None else self.norm(x)
        return x if lengths is None else within(x, seen.lengths)

    def cache(self, memory: Tensor | Array, memory_lengths: Any = None) -> list[DecoderCache]:
        """What `step` needs of every layer; see `TransformerDecoderLayer.cache`."""
        return [layer.cache(memory, memory_lengths) for layer in self._each()]

    @no_grad
    def step(self, x_t: Tensor | Array, cache: list[DecoderCache], lengths: Any = None) -> Tensor:
        """Decode what comes bit by bit; all arguments as in `TransformerDecoderLayer.step`.

        Raises as it does, and ValueError when the cache has another number of layers.
        """
        if len(cache) != len(self.layers):
            raise ValueError(
                f"TransformerDecoder.step: cache must have {len(self.layers)} layers, "
                f"got {len(cache)}"
            )
        for layer, kept in zip(self._each(), cache, strict=True):
            x_t = layer.step(x_t, kept, lengths)
        y = as_tensor(x_t)
        return y if self.norm is None else self.norm(y)


class Transformer(Module):
    """An encoder and a decoder that looks at what it returned.

    Matrices start as by `init.xavier_uniform_`, as in PyTorch.

    Args:
        d_model: size of the sequences' last axis, E, a multiple of N.
        nhead: heads of attention, N.
        num_encoder_layers, num_decoder_layers: how many.
        dim_feedforward, dropout, activation, layer_norm_eps, norm_first, bias: of every layer; see
            `TransformerLayer` (tinyseq/nn/transformer_layers.py).
        custom_encoder, custom_decoder: take the place of a `TransformerEncoder` and a
            `TransformerDecoder`.

    Parameters: encoder and decoder, each with layers and a norm at the end.

    Raises ValueError when an argument is outside its range.

    Source: Vaswani et al., "Attention is all you need", 2017.
    """

    def __init__(
        self,
        d_model: int = 512,
        nhead: int = 8,
        num_encoder_layers: int = 6,
        num_decoder_layers: int = 6,
        dim_feedforward: int = 2048,
        dropout: float = 0.1,
        activation: str | Function = "relu",
        custom_encoder: Module | None = None,
        custom_decoder: Module | None = None,
        layer_norm_eps: float = 1e-5,
        *,
        norm_first: bool = False,
        bias: bool = True,
    ) -> None:
        sizes = (d_model, nhead, dim_feedforward, dropout, activation, layer_norm_eps)
        options: dict[str, Any] = {"norm_first": norm_first, "bias": bias}

        def norm() -> LayerNorm:
            return LayerNorm(d_model, layer_norm_eps, bias=bias)

        self.encoder = custom_encoder or TransformerEncoder(
            TransformerEncoderLayer(*sizes, **options), num_encoder_layers, norm()
        )
        self.decoder = custom_decoder or TransformerDecoder(
            TransformerDecoderLayer(*sizes, **options), num_decoder_layers, norm()
        )
        for parameter in self.parameters():
            if parameter.ndim > 1:
                init.xavier_uniform_(parameter)

    def forward(
        self,
        src: Tensor | Array,
        tgt: Tensor | Array,
        src_mask: Any = None,
        tgt_mask: Any = None,
        memory_mask: Any = None,
        src_key_padding_mask: Any = None,
        tgt_key_padding_mask: Any = None,
        memory_key_padding_mask: Any = None,
        src_is_causal: bool | None = None,
        tgt_is_causal: bool | None = None,
        memory_is_causal: bool = False,
        *,
        src_lengths: Any = None,
        tgt_lengths: Any = None,
    ) -> Tensor:
        """Encode src (B,S,E), and decode tgt (B,T,E) looking at it -> (B,T,E).

        Masks are as in `TransformerEncoderLayer.forward` and `TransformerDecoderLayer.forward`.
        ``src_lengths`` are the memory's lengths, too, while ``src_key_padding_mask`` is not the
        memory's, as in PyTorch.
        """
        memory = self.encoder(
            src, src_mask, src_key_padding_mask, src_is_causal, lengths=src_lengths
        )
        y: Tensor = self.decoder(
            tgt, memory, tgt_mask, memory_mask, tgt_key_padding_mask, memory_key_padding_mask,
            tgt_is_causal, memory_is_causal, lengths=tgt_lengths, memory_lengths=src_lengths,
        )  # fmt: skip
        return y

    @staticmethod
    def generate_square_subsequent_mask(sz: int) -> Tensor:
        """A causal mask (sz,sz) of floats: -inf for what comes later, else 0.

        Raises ValueError when ``sz`` is not a whole number from 0 up.
        """
        check_count("generate_square_subsequent_mask", "sz", sz)
        return Tensor(np.where(np.tri(sz, dtype=bool), np.float32(0), np.float32(-np.inf)))


def copies(layer: Any, count: int, owner: Module, kind: type[Module]) -> ModuleList:
    """A list of layers that begin alike; raises for what is no layer of the kind, or none."""
    name = type(owner).__name__
    if not isinstance(layer, kind):
        raise TypeError(f"{name}: expected a {kind.__name__}, got {type(layer).__name__}")
    check_sizes(name, num_layers=count)
    return ModuleList(deepcopy(layer) for _ in range(count))
