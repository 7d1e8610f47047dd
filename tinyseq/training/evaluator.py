"""Evaluator: how a model's output and its loss come about, and how good they are over data."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from tinyseq import nn
from tinyseq.autograd import Tensor, no_grad
from tinyseq.data import Batch, DataError
from tinyseq.training.calling import aside, batch_of, call, called_with_lengths, last
from tinyseq.training.history import Means


class Evaluator:
    """What a Trainer knows of measuring.

    Subclasses may say how a loss comes about (`compute_loss`), what to do before data is read from
    its beginning (`start_epoch`), and what goes along from batch to batch (`carried`, `carry`).

    Args:
        model, loss, metrics: as `Trainer` takes them.

    Raises TypeError when a metric is none.
    """

    def __init__(
        self, model: nn.Module, loss: Callable[..., Tensor], metrics: Sequence[Any]
    ) -> None:
        for metric in metrics:
            if isinstance(metric, type) or not hasattr(metric, "update"):
                raise TypeError(
                    f"Trainer: metrics must be objects such as metrics.Accuracy(), got {metric!r}"
                )
        self.model, self.loss, self.metrics = model, loss, list(metrics)

    # To be changed by a subclass

    def compute_loss(self, batch: Batch) -> tuple[Tensor, Any]:
        """The loss of a batch and the model's output, in training and in evaluation."""
        if batch.y is None:
            raise DataError("Trainer: the loss needs targets, and the batch has no y")
        output = call(self.model, batch)
        return called_with_lengths(self.loss, output, batch.y, batch.lengths), output

    def start_epoch(self, training: bool) -> None:
        """Data will be read from its beginning: what was carried along from batch to batch ends."""

    def carried(self) -> dict[str, Any]:
        """What the next batch needs of those before: dictionaries, lists, arrays and JSON."""
        return {}

    def carry(self, carried: dict[str, Any]) -> None:
        """Go on with what `carried` gave."""

    # Measuring

    @no_grad
    def evaluate(self, data: Any) -> dict[str, float]:
        """The mean loss over data and each metric, the model switched to evaluation meanwhile.

        Each batch's loss counts as often as it has rows, or real steps if something is wanted of
        each step and it has lengths.

        Raises DataError when data is empty.
        """
        means = Means(self.metrics)
        with self._evaluating():
            for batch in map(batch_of, aside(data)):
                loss, output = self.compute_loss(batch)
                means.add(loss.item(), output, batch)
        if not means.count:
            raise DataError("Trainer.evaluate: data is empty")
        return means.compute()

    @no_grad
    def predict(self, data: Any) -> Any:
        """The model's output for all of data: batches, or one array x.

        Returns one array (N, ...), or a list of N arrays, each as long as its row, when batches
        differ in more than their rows.
        """
        batches = [(data,)] if isinstance(data, np.ndarray) else aside(data)
        with self._evaluating():
            parts = [(call(self.model, b).data, last(b.lengths)) for b in map(batch_of, batches)]
        if len({part.shape[1:] for part, _ in parts}) == 1:
            return np.concatenate([part for part, _ in parts])
        return [
            row if lengths is None else row[: lengths[i]]
            for part, lengths in parts
            for i, row in enumerate(part)
        ]

    @contextmanager
    def _evaluating(self) -> Iterator[None]:
        """The model in evaluation mode; afterwards its mode and what is carried are as before."""
        was_training, carried = self.model.training, self.carried()
        self.model.eval()
        try:
            self.start_epoch(False)
            yield
        finally:
            self.model.train(was_training)
            self.carry(carried)
