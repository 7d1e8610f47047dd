"""Trainer: the loop that trains a model, plain enough to be copied and changed."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Mapping, Sequence, Sized
from copy import deepcopy
from itertools import islice
from typing import Any

import numpy as np

from tinyseq import nn
from tinyseq.autograd import Tensor
from tinyseq.data import Batch, DataError
from tinyseq.optim import Optimizer
from tinyseq.training.callbacks import Callback, ModelCheckpoint
from tinyseq.training.calling import batch_of
from tinyseq.training.checkpoint import load_trainer, save_trainer
from tinyseq.training.errors import Diverged, Interrupted
from tinyseq.training.evaluator import Evaluator
from tinyseq.training.history import History, Means
from tinyseq.training.signals import interruptions

SCHEDULES = ("step", "epoch", "evaluation")


class Trainer(Evaluator):
    """Trains a model, measures it, and goes on where an earlier run stopped.

    One step, with losses ℓ of the ``accumulate`` batches it reads::

        g = ∇ mean(ℓ);   g ← g · min(1, clip_grad_norm / |g|);   optimizer.step()

    Data is anything that can be iterated over once per epoch and gives `Batch`es, or tuples (x, y)
    and (x, y, lengths); a DataLoader, Streams and Windows also say where they stand, so that a
    run goes on in the middle of an epoch with what it would have read. What a subclass may change
    stands in `Evaluator`.

    Args:
        model: any Module.
        loss: (output, y) -> a scalar Tensor, or (output, y, lengths=) if it takes lengths.
        optimizer: of the model's parameters.
        metrics: what to measure besides the loss, in training and in evaluation.
        scheduler: changes the optimizer's learning rate.
        schedule: when it does: after each "step", "epoch" or "evaluation"; the last hands it the
            loss, of the validation data if there is some.
        clip_grad_norm: largest norm of all gradients together; None: any.
        accumulate: batches to a step.
        callbacks: called as training goes on, in this order.
        configuration: anything JSON can hold, kept in every checkpoint.

    Raises ValueError when a setting is outside its range, TypeError when a metric is none.
    """

    def __init__(
        self,
        model: nn.Module,
        loss: Callable[..., Tensor],
        optimizer: Optimizer,
        metrics: Sequence[Any] = (),
        scheduler: Any = None,
        schedule: str = "step",
        clip_grad_norm: float | None = None,
        accumulate: int = 1,
        callbacks: Sequence[Callback] = (),
        configuration: Mapping[str, Any] | None = None,
    ) -> None:
        if schedule not in SCHEDULES:
            raise ValueError(
                f"Trainer: schedule must be step, epoch or evaluation, got {schedule!r}"
            )
        if clip_grad_norm is not None and not clip_grad_norm > 0:
            raise ValueError(f"Trainer: clip_grad_norm must be above 0, got {clip_grad_norm}")
        if not (isinstance(accumulate, int | np.integer) and accumulate >= 1):
            raise ValueError(f"Trainer: accumulate must be a whole number from 1, got {accumulate}")
        super().__init__(model, loss, metrics)
        self.optimizer, self.scheduler, self.schedule = optimizer, scheduler, schedule
        self.clip_grad_norm, self.accumulate = clip_grad_norm, accumulate
        self.callbacks = list(callbacks)
        self.configuration = dict(configuration or {})
        self.history = History()
        self.step = self.epoch = 0  # finished so far, over all calls of fit
        self.batch = 0  # read so far in this epoch
        self.began = (0, 0)  # step and epoch at which this fit began
        self.steps: int | None = None  # of this fit; None if its end is not known
        self.last: dict[str, float] = {}  # of the last step: its loss, its gradient's norm
        self.stopping = False  # set it to end training after this step
        self.data: Any = None
        self.validation: Any = None
        # Of what was trained on since the last row of the history; evaluation has its own.
        self.means = Means(deepcopy(self.metrics))

    # Training

    def fit(
        self,
        data: Any,
        validation: Any = None,
        epochs: int | None = None,
        *,
        steps: int | None = None,
        evaluate_every: int | None = None,
        callbacks: Sequence[Callback] = (),
        resume: str | os.PathLike[str] | None = None,
    ) -> History:
        """Train for some epochs or some steps.

        Args:
            data: what to train on.
            validation: what to measure on.
            epochs: how often to read all of data; with ``steps`` None and this None, once.
            steps: how many steps to take instead.
            evaluate_every: steps between evaluations, each a row of the history; None: one at the
                end of each epoch. The last step is always followed by one.
            callbacks: for this call, after those of the trainer.
            resume: a checkpoint of a `fit` with the same arguments, to go on with.

        Returns the history of all calls.

        Raises ValueError when a number is not a whole one from 1, or both epochs and steps are
        given; DataError when data is empty; Diverged when a loss or a gradient is not finite
        (nothing was changed by that step); CheckpointError when the checkpoint cannot be read or
        does not fit; Interrupted, a KeyboardInterrupt, after Ctrl-C or SIGTERM, once the step is
        finished and the callbacks have written what they keep.
        """
        counts = {"epochs": epochs, "steps": steps, "evaluate_every": evaluate_every}
        for name, value in counts.items():
            if value is not None and not (isinstance(value, int | np.integer) and value >= 1):
                raise ValueError(f"Trainer.fit: {name} must be a whole number from 1, got {value}")
        if epochs is not None and steps is not None:
            raise ValueError("Trainer.fit: expected epochs or steps, got both")
        if isinstance(data, Sized) and len(data) == 0:
            raise DataError("Trainer.fit: data is empty")
        self.data, self.validation, self.stopping = data, validation, False
        self.began, self.batch = (self.step, self.epoch), 0
        every = list(self.callbacks)
        # What the others remember must be in the checkpoint that is written at the same event.
        self.callbacks = sorted((*every, *callbacks), key=lambda c: isinstance(c, ModelCheckpoint))
        try:
            if resume is not None:
                self.load(resume)
            self._fit(1 if epochs is None else epochs, steps, evaluate_every)
        finally:
            self.callbacks = every
        return self.history

    def _fit(self, epochs: int, steps: int | None, evaluate_every: int | None) -> None:
        self.steps = steps
        if steps is None and isinstance(self.data, Sized):
            self.steps = epochs * math.ceil(len(self.data) / self.accumulate)
        was_training = self.model.training
        with interruptions() as interrupted:
            self._tell("on_train_begin")
            try:
                self.model.train()
                self._validate_if_due(evaluate_every)  # where a run ended after a step, before this
                while not self.stopping and not self._finished(epochs, steps):
                    self._one_epoch(steps, evaluate_every, interrupted)
                if self.means.count and not interrupted():
                    self.validate()
            finally:
                self.model.train(was_training)
                self._tell("on_train_end")
            if interrupted():
                raise Interrupted(interrupted())

    def _validate_if_due(self, evaluate_every: int | None) -> None:
        taken = self.step - self.began[0]
        if evaluate_every and taken and taken % evaluate_every == 0 and self.means.count:
            self.validate()

    def _finished(self, epochs: int, steps: int | None) -> bool:
        began, first_epoch = self.began
        if steps is not None:
            return self.step - began >= steps
        return self.epoch - first_epoch >= epochs

    def _one_epoch(
        self, steps: int | None, evaluate_every: int | None, interrupted: Callable[[], int]
    ) -> None:
        """What is left of an epoch, or of the steps."""
        began, _ = self.began
        if self.batch == 0:
            self.start_epoch(True)
            self._tell("on_epoch_begin")
        before = self.batch
        for group in self._groups():
            self.train_step(group)
            self.stopping = self.stopping or bool(interrupted())
            self._tell("on_step_end")
            if not self.stopping:
                self._validate_if_due(evaluate_every)
            if self.stopping or (steps is not None and self.step - began >= steps):
                return
        if self.batch == before == 0:
            if self.epoch > self.began[1]:
                raise DataError(
                    f"Trainer.fit: data gave nothing in epoch {self.epoch + 1}: an iterator can be "
                    "read once; expected a list of batches, a DataLoader or the like"
                )
            raise DataError("Trainer.fit: data is empty")
        self.epoch, self.batch = self.epoch + 1, 0
        if self.scheduler is not None and self.schedule == "epoch":
            self.scheduler.step()
        if not evaluate_every:
            self.validate()
        self._tell("on_epoch_end")

    def _groups(self) -> Iterator[list[Batch]]:
        """The batches of each step that is left in this epoch."""
        batches = iter(self.data)
        if not hasattr(self.data, "state_dict"):  # it begins anew: skip what was read
            batches = islice(batches, self.batch, None)
        # To ask for more than there are would tell data that the epoch is over, before the step.
        many = len(self.data) if isinstance(self.data, Sized) else math.inf
        while group := [
            batch_of(b)
            for b in islice(batches, int(min(self.accumulate, max(many - self.batch, 1))))
        ]:
            self.batch += len(group)
            yield group

    def train_step(self, batches: Sequence[Batch]) -> None:
        """One step on the mean of some batches' losses.

        Raises Diverged when the loss or the gradient is not finite; no parameter was changed then.
        """
        self.optimizer.zero_grad()
        total = 0.0
        # Numbers may overflow on the way to a loss that is not finite: that is said below.
        with np.errstate(over="ignore", invalid="ignore"):
            for batch in batches:
                loss, output = self.compute_loss(batch)
                (loss / len(batches) if len(batches) > 1 else loss).backward()
                value = loss.item()
                self.means.add(value, output, batch)
                total += value / len(batches)
            limit = math.inf if self.clip_grad_norm is None else self.clip_grad_norm
            norm = nn.utils.clip_grad_norm_(self.optimizer.parameters, limit)
        self.last = {"loss": total, "grad_norm": norm}
        if not (math.isfinite(total) and math.isfinite(norm)):
            raise Diverged(
                f"training stopped at step {self.step + 1}: loss {total}, gradient norm {norm} "
                "(a lower learning rate may help)"
            )
        self.optimizer.step()
        self.step += 1
        if self.scheduler is not None and self.schedule == "step":
            self.scheduler.step()

    # Measuring

    def validate(self) -> dict[str, float]:
        """Add a row to the history: the means since the last one, and those of the validation data.

        Raises Diverged when the loss on the validation data is not finite.
        """
        row = {"step": self.step, "epoch": self.epoch, "lr": self.optimizer.lr}
        row |= self.means.compute()
        self.means.reset()
        if self.validation is not None:
            found = self.evaluate(self.validation)
            row |= {f"val_{name}": value for name, value in found.items()}
        loss = row.get("val_loss", row.get("loss", math.nan))
        if not math.isfinite(loss):
            raise Diverged(f"training stopped at step {self.step}: validation loss {loss}")
        self.history.append(row)
        if self.scheduler is not None and self.schedule == "evaluation":
            self.scheduler.step(loss)
        self._tell("on_evaluate_end")
        return row

    # Checkpoints

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write everything a run needs to go on as if it had never stopped, to one file.

        Raises CheckpointError when it cannot be written; what was there before then still is.
        """
        save_trainer(path, self)

    def load(self, path: str | os.PathLike[str]) -> None:
        """Go on where `save` was called; all of it or, on an error, none.

        The data must be there already if its position is to be found: `fit` does this in order.

        Raises CheckpointError when the file cannot be read, is damaged or does not fit.
        """
        load_trainer(path, self)

    def _tell(self, event: str) -> None:
        for callback in self.callbacks:
            getattr(callback, event)(self)
