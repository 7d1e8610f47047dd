"""A recurrent language model over characters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyseq import nn
from tinyseq.autograd import Tensor
from tinyseq.models.decoding import Ids, chosen

State = Tensor | tuple[Tensor, Tensor]  # h, or for the LSTM h and c, each (L,B,H)

RECURRENT: dict[str, type[nn.RNN] | type[nn.LSTM] | type[nn.GRU]] = {
    "rnn": nn.RNN,
    "lstm": nn.LSTM,
    "gru": nn.GRU,
}


class CharLM(nn.Module):
    """Predicts the next character: embedding, recurrent layers, dropout, linear.

    ::

        h_1..h_T, state' = recurrent(embedding(ids), state)
        logits           = W dropout(h) + b

    Args:
        vocab_size: number of symbols, V.
        model: "rnn", "lstm" or "gru".
        embed: size of a symbol's vector, D.
        hidden: size of a layer, H.
        layers: number of layers, L.
        dropout: probability of a zero between layers and before the last linear, in training.

    Raises ValueError when the model is none of the three or a size is below 1.
    """

    def __init__(
        self,
        vocab_size: int,
        model: str = "lstm",
        embed: int = 64,
        hidden: int = 256,
        layers: int = 1,
        dropout: float = 0.0,
    ) -> None:
        if model not in RECURRENT:
            raise ValueError(f"CharLM: model must be one of {', '.join(RECURRENT)}, got {model!r}")
        self.configuration: dict[str, Any] = {
            "vocab_size": vocab_size,
            "model": model,
            "embed": embed,
            "hidden": hidden,
            "layers": layers,
            "dropout": dropout,
        }
        self.embedding = nn.Embedding(vocab_size, embed)
        self.recurrent = RECURRENT[model](embed, hidden, layers, dropout=dropout)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(hidden, vocab_size)

    def forward(
        self, ids: NDArray[np.int64] | Tensor, state: State | None = None
    ) -> tuple[Tensor, State]:
        """Run along a batch of windows.

        Args:
            ids: symbols (B,T), whole numbers in [0, V).
            state: what the call on the window before returned; zeros when not given.

        Returns logits (B,T,V) of each next symbol, and the state to go on from.
        """
        index = ids if isinstance(ids, Tensor) else Tensor(ids)
        hs, after = self.recurrent(self.embedding(index), state)
        return self.output(self.dropout(hs)), after

    def start(self, prompts: Sequence[Ids]) -> CharLMDecoding:
        """Begin to write, for `tinyseq.generation`: a row for each prompt, symbols (n,)."""
        return CharLMDecoding(self, prompts)


class CharLMDecoding:
    """The rows of `CharLM.start`, a `Decoding`: all it keeps of them is a state."""

    stop = ()

    def __init__(self, model: CharLM, prompts: Sequence[Ids]) -> None:
        self.first = prompts
        self._model = model
        self._state: State | None = None

    def step(self, ids: Ids) -> Tensor:
        """Read (B,t) -> logits (B,V)."""
        model = self._model
        vectors = model.embedding(Tensor(ids))
        if ids.shape[1] == 1:
            last, self._state = model.recurrent.step(vectors[:, 0], self._state)
        else:
            hs, self._state = model.recurrent(vectors, self._state)
            last = hs[:, -1]
        logits: Tensor = model.output(model.dropout(last))
        return logits

    def reorder(self, rows: Ids) -> None:
        """Go on with these rows."""
        self._state = chosen(self._state, rows)


def detached(state: State) -> State:
    """The same state cut off from the graph: the gradient stops where the window began."""
    if isinstance(state, Tensor):
        return state.detach()
    h, c = state
    return h.detach(), c.detach()
