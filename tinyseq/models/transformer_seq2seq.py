"""A Transformer as an encoder-decoder of symbols."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import numpy as np

from tinyseq import nn
from tinyseq.autograd import Array, Tensor
from tinyseq.data.padding import pad_sequences
from tinyseq.models.decoding import Ids
from tinyseq.models.seq2seq import Seq2Seq, as_symbols, check_marks
from tinyseq.nn.transformer_layers import DecoderCache


class TransformerSeq2Seq(Seq2Seq):
    """`nn.Transformer` with norms first, between embeddings with waves for positions and a last
    linear::

        m      = encoder(embedding(source) + waves)
        logits = W decoder(embedding(target) + waves, m) + b

    Args:
        source_size: number of the source's symbols.
        target_size: number of the target's, V.
        begin, end: the numbers of the two marks among the target's symbols.
        embed: width, E, a multiple of ``heads``.
        heads: of attention, N.
        layers: number of layers of the encoder, and of the decoder, L.
        feedforward: size within a layer's network; 4 E when not given.
        dropout: in training, the probability of a zero in the embeddings and where
            `nn.TransformerEncoderLayer` says.

    Raises ValueError when an argument is outside its range.

    Source: Vaswani et al., "Attention is all you need", 2017; norms first as in Xiong et al., "On
    layer normalization in the transformer architecture", 2020.
    """

    def __init__(
        self,
        source_size: int,
        target_size: int,
        begin: int,
        end: int,
        *,
        embed: int = 128,
        heads: int = 4,
        layers: int = 2,
        feedforward: int | None = None,
        dropout: float = 0.0,
    ) -> None:
        check_marks("TransformerSeq2Seq", target_size, begin, end)
        self.begin, self.end = begin, end
        self.configuration: dict[str, Any] = {
            "source_size": source_size,
            "target_size": target_size,
            "begin": begin,
            "end": end,
            "embed": embed,
            "heads": heads,
            "layers": layers,
            "feedforward": feedforward,
            "dropout": dropout,
        }
        inner = 4 * embed if feedforward is None else feedforward
        self.source_embedding = nn.Embedding(source_size, embed)
        self.target_embedding = nn.Embedding(target_size, embed)
        self.positions = nn.SinusoidalPositions(embed)
        self.dropout = nn.Dropout(dropout)
        self.transformer = nn.Transformer(
            embed, heads, layers, layers, inner, dropout, norm_first=True
        )
        self.output = nn.Linear(embed, target_size)

    def forward(
        self,
        source: Tensor | Array,
        target: Tensor | Array,
        source_lengths: Any = None,
        target_lengths: Any = None,
    ) -> Tensor:
        """As `Seq2Seq.forward`."""
        source, target = as_symbols("TransformerSeq2Seq", source, target)
        x = self._placed(self.source_embedding(source))
        y = self._placed(self.target_embedding(target))
        thoughts = self.transformer(
            x, y, tgt_is_causal=True, src_lengths=source_lengths, tgt_lengths=target_lengths
        )
        logits: Tensor = self.output(thoughts)
        return logits

    def encode(self, source: Tensor, lengths: Any) -> list[DecoderCache]:
        """Source (B,S) -> what `decode` needs."""
        x = self._placed(self.source_embedding(source))
        return self._decoder.cache(self.transformer.encoder(x, lengths=lengths), lengths)

    def decode(self, ids: Tensor, first: int, cache: list[DecoderCache]) -> Tensor:
        """The target's next symbols (B,t), at positions from ``first`` on -> logits (B,V) of what
        comes after the last."""
        y = self._placed(self.target_embedding(ids), first)
        logits: Tensor = self.output(self._decoder.step(y, cache)[:, -1])
        return logits

    @property
    def _decoder(self) -> nn.TransformerDecoder:
        return cast(nn.TransformerDecoder, self.transformer.decoder)

    def _placed(self, x: Tensor, first: int = 0) -> Tensor:
        placed: Tensor = self.dropout(self.positions(x, first))
        return placed

    def start(self, prompts: Sequence[Ids]) -> TransformerDecoding:
        """As `Seq2Seq.start`."""
        return TransformerDecoding(self, prompts)


class TransformerDecoding:
    """The rows of `TransformerSeq2Seq.start`, a `Decoding`: keys and values."""

    def __init__(self, model: TransformerSeq2Seq, prompts: Sequence[Ids]) -> None:
        source, lengths = pad_sequences(prompts, dtype="int64")
        self.first, self.stop = model.beginnings(len(source)), (model.end,)
        self._model = model
        self._cache = model.encode(Tensor(source), lengths)
        self._sources = np.arange(len(source))  # of each row, the source that it answers
        self._read = 0

    def step(self, ids: Ids) -> Tensor:
        """Read (B,t) -> logits (B,V)."""
        first, self._read = self._read, self._read + ids.shape[1]
        return self._model.decode(Tensor(ids), first, self._cache)

    def reorder(self, rows: Ids) -> None:
        """Go on with these rows."""
        sources = self._sources[rows]
        moved = not np.array_equal(sources, self._sources)  # beams may change places, not sources
        self._sources = sources
        for i, (own, memory) in enumerate(self._cache):
            own.reorder(rows)
            self._cache[i] = DecoderCache(own, memory.reordered(rows) if moved else memory)
