"""A GPT as it writes: keys and values of what it has read, and what comes where its block ends."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from tinyseq.autograd import Tensor
from tinyseq.models.decoding import Ids

if TYPE_CHECKING:
    from tinyseq.models.gpt import GPT


class GPTDecoding:
    """The rows of `GPT.start`, a `Decoding`.

    Where the block of positions is full it begins anew with the half block before: so reading some
    symbols twice costs, on average, no more than one symbol more for each symbol. Where it begins
    depends on how many symbols there are and on nothing else, so that a text goes on alike however
    much of it was the prompt. With rotary positions and a window it never need begin anew.
    """

    stop = ()

    def __init__(self, model: GPT, prompts: Sequence[Ids]) -> None:
        self.first = prompts
        self._model = model
        self._endless = bool(model.window) and model.configuration["positions"] == "rotary"
        self._cache = model.cache()
        self._begun = self._read = 0  # at which symbol it began, and how many there have been
        self._seen = np.zeros((len(prompts), 0), np.int64)  # from there on, unless endless

    def step(self, ids: Ids) -> Tensor:
        """Read (B,t) -> logits (B,V)."""
        self._read += ids.shape[1]
        if not self._endless:
            ids = self._from_where_it_begins(ids)
        last: Tensor = self._model.step(ids, self._cache)[:, -1]
        return last

    def _from_where_it_begins(self, ids: Ids) -> Ids:
        block = self._model.block_size
        stride = block + 1 - (block + 1) // 2
        begun = -(-max(self._read - block, 0) // stride) * stride
        self._seen = np.concatenate((self._seen, ids), 1)
        if begun == self._begun:
            return ids
        self._seen = self._seen[:, begun - self._begun :]
        self._begun, self._cache = begun, self._model.cache()
        return self._seen

    def reorder(self, rows: Ids) -> None:
        """Go on with these rows."""
        self._seen = self._seen[rows]
        for cache in self._cache:
            cache.reorder(rows)
