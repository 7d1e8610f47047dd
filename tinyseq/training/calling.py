"""How a model and a loss are called on a batch: with lengths, if they take them."""

from __future__ import annotations

from collections.abc import Callable
from inspect import Parameter, signature
from typing import Any

import numpy as np

from tinyseq import nn
from tinyseq.data import Batch, DataError
from tinyseq.data.resumable import Resumable


def batch_of(found: Any) -> Batch:
    """What data gives as a Batch.

    Raises DataError when it gives arrays or anything else that is no tuple (x, y).
    """
    if not isinstance(found, tuple | list):
        raise DataError(
            "Trainer: data must give batches (x, y) or (x, y, lengths), as DataLoader(x, y) does, "
            f"got {type(found).__name__}"
        )
    return Batch(*found)


def aside(data: Any) -> Any:
    """What to iterate over so that the position in data stays, at which a run is to go on."""
    return data.first_epoch() if isinstance(data, Resumable) else data


def call(model: nn.Module, batch: Batch) -> Any:
    """The model on x, or on each of several inputs.

    Lengths go to a parameter ``lengths``, or, of several inputs, each to the parameter that is
    named as the input is with "_lengths" behind it; a model that has none sees padding as data.
    """
    inputs = batch.x if isinstance(batch.x, tuple) else (batch.x,)
    if batch.lengths is None:
        return model(*inputs)
    takes = list(signature(model.forward).parameters)
    if "lengths" in takes:
        return model(*inputs, lengths=batch.lengths)
    each = batch.lengths if isinstance(batch.lengths, tuple) else (batch.lengths,)
    given = {f"{name}_lengths": found for name, found in zip(takes, each, strict=False)}
    return model(*inputs, **{name: found for name, found in given.items() if name in takes})


def called_with_lengths(function: Callable[..., Any], output: Any, y: Any, lengths: Any) -> Any:
    """function(output, y), with the lengths of the rows of y if it takes them."""
    if lengths is None or not _takes_lengths(function):
        return function(output, y)
    return function(output, y, lengths=last(lengths))


def _takes_lengths(function: Callable[..., Any]) -> bool:
    known = signature(getattr(function, "forward", function)).parameters
    return "lengths" in known or any(p.kind is Parameter.VAR_KEYWORD for p in known.values())


def last(lengths: Any) -> Any:
    """Of several inputs' lengths those of the last, which are those of what is wanted."""
    return lengths[-1] if isinstance(lengths, tuple) else lengths


def size_of(batch: Batch) -> int:
    """How much a batch's loss weighs: its rows, or its real steps if each is to give something."""
    lengths = last(batch.lengths)
    if lengths is not None and np.ndim(batch.y) > 1:
        return int(np.sum(lengths))
    return len(batch.x[0] if isinstance(batch.x, tuple) else batch.x)
