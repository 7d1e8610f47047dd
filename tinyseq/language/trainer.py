"""Training a language model: the loop of `Trainer`, with a state carried from batch to batch."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from typing import Any

from tinyseq import backend, nn, optim, random
from tinyseq.autograd import Tensor
from tinyseq.data import Batch
from tinyseq.data.epochs import Tokens
from tinyseq.language.corpus import Corpus
from tinyseq.language.schedule import share
from tinyseq.models import CharLM, LanguageModel, State, language_model_configuration
from tinyseq.nn import functional as F
from tinyseq.optim.lr_scheduler import LambdaLR
from tinyseq.reading import held_out_bits, loss_after, new_model
from tinyseq.settings import Settings
from tinyseq.training import Callback, History, Trainer


class LanguageTrainer(Trainer):
    """AdamW with warm-up and half a cosine, clipping, and a state carried along the text.

    The model is made anew from the settings, and measured on the corpus's held-out part.

    Args:
        corpus: what to train on and what to measure on.
        settings: everything else.
        source: where the corpus comes from, which checkpoints tell.
        callbacks: as `Trainer` takes them.
    """

    model: LanguageModel

    def __init__(
        self,
        corpus: Corpus,
        settings: Settings,
        source: str | None = None,
        callbacks: Sequence[Callback] = (),
    ) -> None:
        self.corpus = corpus
        self.settings = settings
        total = settings.steps or max(1, round(settings.epochs * len(corpus.batches)))
        self.total = total
        random.manual_seed(settings.seed)
        model = new_model(settings, len(corpus.tokenizer))
        optimizer = optim.AdamW(
            model.parameters(), settings.lr, betas=(0.9, 0.99), weight_decay=settings.weight_decay
        )
        super().__init__(
            model,
            F.cross_entropy,
            optimizer,
            scheduler=LambdaLR(optimizer, lambda taken: share(settings, taken + 1, total)),
            clip_grad_norm=settings.clip,
            callbacks=callbacks,
            configuration=language_model_configuration(
                model,
                corpus.tokenizer,
                settings=settings.used(),
                data=source,
                fingerprint=corpus.fingerprint(),
                backend=backend.info()["backend"],
            ),
        )
        self._state: State | None = None

    def train(self, resume: str | os.PathLike[str] | None = None) -> History:
        """Take all steps, with an evaluation after each of the parts that the settings ask for.

        Args:
            resume: a checkpoint of the same run to go on with.

        Raises as `Trainer.fit` does.
        """
        return self.fit(
            self.corpus.batches,
            self.corpus.held_out,
            steps=self.total,
            evaluate_every=math.ceil(self.total / self.settings.evaluations),
            resume=resume,
        )

    def start_epoch(self, training: bool) -> None:
        """A text begins anew."""
        self._state = None

    def compute_loss(self, batch: Batch) -> tuple[Tensor, None]:
        """The loss on a batch, given all that came before it."""
        loss, self._state = loss_after(self.model, batch.x, batch.y, self._state)
        return loss, None

    def evaluate(self, data: Tokens) -> dict[str, float]:
        """Bits per token, and as a loss in nats, over tokens (N,) read in order."""
        bits = held_out_bits(self.model, data)
        return {"loss": bits * math.log(2.0), "bits": bits}

    def carried(self) -> dict[str, Any]:
        """The state along the text, h or h and c, if there is one."""
        state = self._state
        parts = [] if state is None else [state] if isinstance(state, Tensor) else list(state)
        return {"state": [part.data for part in parts]}

    def carry(self, carried: dict[str, Any]) -> None:
        """Go on from such a state.

        Raises ValueError when it is not one of this model.
        """
        parts = [Tensor(part) for part in carried["state"]]
        if isinstance(self.model, CharLM) and parts:
            recurrent = self.model.recurrent
            rows = self.corpus.tokens_per_step // self.settings.window
            shape = (recurrent.num_layers, rows, recurrent.hidden_size)
            kinds = [(part.dtype.name, part.shape) for part in parts]
            if kinds != [("float32", shape)] * (2 if isinstance(recurrent, nn.LSTM) else 1):
                raise ValueError(f"the carried state must be float32 {shape}, got {kinds}")
        self._state = None if not parts else parts[0] if len(parts) == 1 else (parts[0], parts[1])
