"""A recurrent encoder-decoder with attention."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinyseq import nn, ops
from tinyseq.autograd import Array, Tensor
from tinyseq.data.padding import pad_sequences
from tinyseq.models.charlm import RECURRENT
from tinyseq.models.decoding import Ids, chosen
from tinyseq.models.seq2seq import Seq2Seq, as_symbols, check_marks

ATTENTION = ("additive", "dot", "general")


class RecurrentSeq2Seq(Seq2Seq):
    """A bidirectional encoder, and a decoder that looks over its steps::

        m_1..m_S, s = encoder(embedding(source))     both directions side by side, H together
        h_1..h_T    = decoder(embedding(target), s)
        c_t         = attention(h_t, m)
        logits_t    = W dropout(tanh(W_c [h_t, c_t])) + b

    Args:
        source_size: number of the source's symbols.
        target_size: number of the target's, V.
        begin, end: the numbers of the two marks among the target's symbols.
        model: "rnn", "lstm" or "gru".
        embed: size of a symbol's vector, D.
        hidden: size of the decoder's state, H, even: half of it for each of the encoder's
            directions.
        layers: number of layers of each, L.
        dropout: probability of a zero between layers and before the last linear, in training.
        attention: "additive", "dot" or "general", as `nn.AdditiveAttention` and `nn.DotAttention`
            say.

    Raises ValueError when an argument is outside its range.

    Source: Luong, Pham and Manning, "Effective approaches to attention-based neural machine
    translation", 2015, section 3.1, without input feeding, so that all steps run as one; the
    encoder and the additive attention of Bahdanau, Cho and Bengio, "Neural machine translation by
    jointly learning to align and translate", 2015.
    """

    def __init__(
        self,
        source_size: int,
        target_size: int,
        begin: int,
        end: int,
        *,
        model: str = "gru",
        embed: int = 64,
        hidden: int = 128,
        layers: int = 1,
        dropout: float = 0.0,
        attention: str = "additive",
    ) -> None:
        name = "RecurrentSeq2Seq"
        if model not in RECURRENT:
            raise ValueError(f"{name}: model must be one of {', '.join(RECURRENT)}, got {model!r}")
        if attention not in ATTENTION:
            raise ValueError(
                f"{name}: attention must be one of {', '.join(ATTENTION)}, got {attention!r}"
            )
        if hidden % 2:
            raise ValueError(f"{name}: hidden must be even, got {hidden}")
        check_marks(name, target_size, begin, end)
        self.begin, self.end = begin, end
        self.configuration: dict[str, Any] = {
            "source_size": source_size,
            "target_size": target_size,
            "begin": begin,
            "end": end,
            "model": model,
            "embed": embed,
            "hidden": hidden,
            "layers": layers,
            "dropout": dropout,
            "attention": attention,
        }
        layer = RECURRENT[model]
        self.source_embedding = nn.Embedding(source_size, embed)
        self.encoder = layer(embed, hidden // 2, layers, dropout=dropout, bidirectional=True)
        self.target_embedding = nn.Embedding(target_size, embed)
        self.decoder = layer(embed, hidden, layers, dropout=dropout)
        self.attention: nn.AdditiveAttention | nn.DotAttention
        if attention == "additive":
            self.attention = nn.AdditiveAttention(hidden, hidden, hidden)
        else:
            self.attention = nn.DotAttention(hidden, score=attention)
        self.combine = nn.Linear(2 * hidden, hidden)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(hidden, target_size)

    def forward(
        self,
        source: Tensor | Array,
        target: Tensor | Array,
        source_lengths: Any = None,
        target_lengths: Any = None,
    ) -> Tensor:
        """As `Seq2Seq.forward`."""
        source, target = as_symbols("RecurrentSeq2Seq", source, target)
        memory, state = self.encode(source, source_lengths)
        hs, _ = self.decoder(self.target_embedding(target), state, lengths=target_lengths)
        return self.predict(hs, memory, source_lengths)

    def encode(self, source: Tensor, lengths: Any) -> tuple[Tensor, Any]:
        """Source (B,S) -> the encoder's steps (B,S,H), and the decoder's first state."""
        memory, state = self.encoder(self.source_embedding(source), lengths=lengths)
        if isinstance(state, tuple):
            return memory, tuple(map(_directions_together, state))
        return memory, _directions_together(state)

    def predict(
        self, h: Tensor, memory: Tensor, lengths: Any, projected: Tensor | None = None
    ) -> Tensor:
        """States (B,H) or (B,T,H) that look over a memory -> logits (B,V) or (B,T,V)."""
        context, _ = self.attention(h, memory, lengths=lengths, projected=projected)
        both = ops.cat([h, context], -1)
        logits: Tensor = self.output(self.dropout(self.combine(both).tanh()))
        return logits

    def start(self, prompts: Sequence[Ids]) -> RecurrentDecoding:
        """As `Seq2Seq.start`."""
        return RecurrentDecoding(self, prompts)


class RecurrentDecoding:
    """The rows of `RecurrentSeq2Seq.start`, a `Decoding`: a memory that stays, and a state."""

    def __init__(self, model: RecurrentSeq2Seq, prompts: Sequence[Ids]) -> None:
        source, self._lengths = pad_sequences(prompts, dtype="int64")
        self.first, self.stop = model.beginnings(len(source)), (model.end,)
        self._model = model
        self._memory, self._state = model.encode(Tensor(source), self._lengths)
        self._projected = model.attention.project(self._memory)
        self._sources = np.arange(len(source))  # of each row, the source that it answers

    def step(self, ids: Ids) -> Tensor:
        """Read (B,t) -> logits (B,V)."""
        model = self._model
        for symbols in ids.T:
            h, self._state = model.decoder.step(
                model.target_embedding(Tensor(symbols)), self._state
            )
        return model.predict(h, self._memory, self._lengths, self._projected)

    def reorder(self, rows: Ids) -> None:
        """Go on with these rows."""
        self._state = chosen(self._state, rows)
        sources = self._sources[rows]
        if not np.array_equal(sources, self._sources):  # beams may change places, not sources
            self._sources, self._lengths = sources, self._lengths[rows]
            self._memory = Tensor(self._memory.data[rows])
            self._projected = Tensor(self._projected.data[rows])


def _directions_together(state: Tensor) -> Tensor:
    """The states (2L,B,H/2) of both directions of each layer, side by side: (L,B,H)."""
    rows, B, half = state.shape
    both = ops.transpose(state.reshape(rows // 2, 2, B, half), 1, 2)
    return ops.reshape(both, (rows // 2, B, 2 * half))
