"""Metrics: numbers that say how good a model is, over as many batches as one likes.

Each has a ``name``, takes batches by `update`, and gives one number by `compute`. Padding does not
count: neither steps past a row's length nor targets that are ``ignore_index``. Lengths are those of
rows that have steps: of classes (B,T), of numbers (B,T,D); a target without the step axis says
something of a whole row, and counts whatever its length.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from tinyseq.autograd import Array, Tensor
from tinyseq.ops.lengths import check_lengths

__all__ = [
    "F1",
    "Accuracy",
    "BitsPerCharacter",
    "MeanAbsoluteError",
    "Metric",
    "Perplexity",
    "RootMeanSquaredError",
    "TopKAccuracy",
]


class Metric:
    """The mean over all that counts of what a subclass measures: NaN while nothing counted.

    ``total`` is the sum until now, of ``count`` terms.
    """

    name = "metric"

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget all batches."""
        self.total, self.count = 0.0, 0

    def update(self, output: Any, y: Any, lengths: Any = None) -> None:
        """Take a batch into account.

        Args:
            output: what the model gave, Tensor or array: scores (B,V) or (B,T,V) of V classes, or
                numbers of any shape.
            y: what was wanted: classes (B,) or (B,T), or numbers in the shape of output.
            lengths: the steps of each row that are real, B whole numbers from 0 to T.

        Raises ValueError when the shapes do not fit, a class or a length is out of range, TypeError
        when classes or lengths are no whole numbers; the batch does not count then.
        """
        terms = self.terms(_array(output), _array(y), lengths)
        self.total += float(np.sum(terms, dtype=np.float64))
        self.count += len(terms)

    def terms(self, output: Array, y: Array, lengths: Any) -> Array:
        """What is measured of each part of a batch that counts, (R,); a subclass gives it."""
        raise NotImplementedError

    def compute(self) -> float:
        """The metric over all batches since the last `reset`."""
        return self.total / self.count if self.count else math.nan

    def state_dict(self) -> dict[str, Any]:
        """What it has seen, for a run that goes on later."""
        return {"total": self.total, "count": self.count}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on with what `state_dict` gave."""
        self.total, self.count = float(state["total"]), int(state["count"])


class _OfClasses(Metric):
    """A metric of scores and classes.

    Args:
        ignore_index: a target with this number does not count.
    """

    def __init__(self, ignore_index: int = -100) -> None:
        self.ignore_index = ignore_index
        super().__init__()

    def rows(self, output: Array, y: Array, lengths: Any) -> tuple[Array, Array]:
        """Of what counts the scores (R,V) and the classes (R,)."""
        where = type(self).__name__
        if output.ndim < 2 or y.shape != output.shape[:-1]:
            raise ValueError(
                f"{where}: output must be (B, V) or (B, T, V) and y without the V, "
                f"got {output.shape} and {y.shape}"
            )
        if y.dtype.kind not in "iu":
            raise TypeError(f"{where}: y must be whole numbers, got {y.dtype}")
        counts = (y != self.ignore_index) & _real(where, y, lengths, steps=y.ndim > 1)
        scores, classes = output[counts], y[counts]
        outside = (classes < 0) | (classes >= output.shape[-1])
        if outside.any():
            raise ValueError(
                f"{where}: y must be from 0 to {output.shape[-1] - 1}, got {classes[outside][0]}"
            )
        return scores, classes


class Accuracy(_OfClasses):
    """The share of targets that have the highest score; of equal scores the first is the highest.

    Args:
        ignore_index: a target with this number does not count.
    """

    name = "accuracy"

    def terms(self, output: Array, y: Array, lengths: Any) -> Array:
        """1 for each hit, else 0."""
        scores, classes = self.rows(output, y, lengths)
        hits: Array = np.argmax(scores, axis=-1) == classes if len(classes) else classes
        return hits


class TopKAccuracy(_OfClasses):
    """The share of targets that are among the k highest scores; of equal ones the first come first.

    Args:
        k: at least 1.
        ignore_index: a target with this number does not count.

    Raises ValueError when k is below 1.
    """

    def __init__(self, k: int = 5, ignore_index: int = -100) -> None:
        if k < 1:
            raise ValueError(f"TopKAccuracy: k must be at least 1, got {k}")
        self.k, self.name = k, f"top{k}_accuracy"
        super().__init__(ignore_index)

    def terms(self, output: Array, y: Array, lengths: Any) -> Array:
        """1 for each hit, else 0."""
        scores, classes = self.rows(output, y, lengths)
        own = np.take_along_axis(scores, classes[:, None], axis=1)
        first = np.arange(scores.shape[1]) < classes[:, None]
        above = ~(scores <= own) | (first & (scores == own))  # NaN is above everything
        hits: Array = (above.sum(axis=1) < self.k) & ~np.isnan(own[:, 0])
        return hits


class _Surprise(_OfClasses):
    """-log softmax(output)[y], in nats."""

    def terms(self, output: Array, y: Array, lengths: Any) -> Array:
        """That of each target."""
        scores, classes = self.rows(output, y, lengths)
        if not len(classes):
            return np.zeros(0)
        scores = scores.astype(np.float64)
        scores -= scores.max(axis=1, keepdims=True)
        own = np.take_along_axis(scores, classes[:, None], axis=1)[:, 0]
        terms: Array = np.log(np.exp(scores).sum(axis=1)) - own
        return terms


class Perplexity(_Surprise):
    """exp of the mean cross-entropy: among how many equally likely classes the model wavers.

    Args:
        ignore_index: a target with this number does not count.
    """

    name = "perplexity"

    def compute(self) -> float:
        """See `Metric.compute`; infinite where exp overflows."""
        try:
            return math.exp(super().compute())
        except OverflowError:
            return math.inf


class BitsPerCharacter(_Surprise):
    """The mean cross-entropy in bits: per character if the classes are characters.

    Args:
        ignore_index: a target with this number does not count.
    """

    name = "bits_per_character"

    def compute(self) -> float:
        """See `Metric.compute`."""
        return super().compute() / math.log(2)


class F1(_OfClasses):
    """The harmonic mean of precision and recall, from hits, false alarms and misses::

        F1 = 2 hits / (2 hits + alarms + misses)

    Args:
        average: "micro": the counts of all classes together, which is the accuracy; "macro": the
            mean over the classes that were wanted or given at least once.
        ignore_index: a target with this number does not count.

    Raises ValueError for another average; `update` also when the number of classes changes.
    """

    def __init__(self, average: str = "macro", ignore_index: int = -100) -> None:
        if average not in ("micro", "macro"):
            raise ValueError(f"F1: average must be micro or macro, got {average!r}")
        self.average, self.name = average, f"f1_{average}"
        super().__init__(ignore_index)

    def reset(self) -> None:
        """Forget all batches."""
        super().reset()
        self.counts = np.zeros((3, 0), np.int64)  # hits, given, wanted, each (V,)

    def update(self, output: Any, y: Any, lengths: Any = None) -> None:
        """See `Metric.update`."""
        scores, classes = self.rows(_array(output), _array(y), lengths)
        V = scores.shape[-1]
        if self.counts.shape[1] not in (0, V):
            raise ValueError(f"F1: expected {self.counts.shape[1]} classes, got {V}")
        given = np.argmax(scores, axis=-1) if len(classes) else classes
        seen = (classes[given == classes], given, classes)
        counts = np.stack([np.bincount(which, minlength=V) for which in seen])
        self.counts = counts + (self.counts if self.counts.size else 0)

    def compute(self) -> float:
        """See `Metric.compute`."""
        counts = self.counts.sum(axis=1, keepdims=True) if self.average == "micro" else self.counts
        hits, given, wanted = counts[:, counts[1] + counts[2] > 0]
        return float(np.mean(2 * hits / (given + wanted))) if len(hits) else math.nan

    def state_dict(self) -> dict[str, Any]:
        """See `Metric.state_dict`."""
        return {"counts": self.counts.tolist()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """See `Metric.load_state_dict`."""
        counts = np.array(state["counts"], np.int64)
        if counts.ndim != 2 or len(counts) != 3:
            raise ValueError(f"F1.load_state_dict: counts must be (3, V), got {counts.shape}")
        self.counts = counts


class _OfNumbers(Metric):
    """A metric of the differences between two arrays of one shape."""

    def terms(self, output: Array, y: Array, lengths: Any) -> Array:
        """What is measured of each difference."""
        where = type(self).__name__
        if output.shape != y.shape:
            raise ValueError(
                f"{where}: output and y must have one shape, got {output.shape} and {y.shape}"
            )
        counts = _real(where, y, lengths, steps=y.ndim > 2)
        return self.of(output[counts].astype(np.float64) - y[counts]).reshape(-1)

    def of(self, difference: Array) -> Array:
        """What is measured of the differences; a subclass gives it."""
        raise NotImplementedError


class MeanAbsoluteError(_OfNumbers):
    """The mean of |output - y|."""

    name = "mae"

    def of(self, difference: Array) -> Array:
        """|d|."""
        return np.abs(difference)


class RootMeanSquaredError(_OfNumbers):
    """The root of the mean of (output - y)²."""

    name = "rmse"

    def of(self, difference: Array) -> Array:
        """d²."""
        return difference * difference

    def compute(self) -> float:
        """See `Metric.compute`."""
        return math.sqrt(super().compute())


def _array(x: Any) -> Array:
    return x.data if isinstance(x, Tensor) else np.asarray(x)


def _real(where: str, y: Array, lengths: Any, steps: bool) -> Array:
    """For each row, or each step of each row if y has them, whether it is no padding."""
    if lengths is None or not steps:
        return np.ones(y.shape[: 1 + steps], bool)
    B, T = y.shape[:2]
    real: Array = np.arange(T) < check_lengths(where, lengths, B, T)[:, None]
    return real
