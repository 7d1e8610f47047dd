"""A training run as one file, and back.

The model's arrays are there under their own names, those of the optimizer and of what is carried
from batch to batch under names with a slash; all else is the description's JSON.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from tinyseq import random
from tinyseq.saving import Array, CheckpointError, load_checkpoint, save_checkpoint
from tinyseq.training.history import History

if TYPE_CHECKING:
    from tinyseq.training.trainer import Trainer

FORMAT = "tinyseq.training.1"
_ARRAY = "array"  # the one key of what stands in JSON for an array; its value is the array's name


def save_trainer(path: str | os.PathLike[str], trainer: Trainer) -> None:
    """Write it; see `Trainer.save`."""
    arrays = {name: value.data for name, value in trainer.model.state_dict().items()}
    state = _without_arrays(_state(trainer), "", arrays)
    description = {"format": FORMAT, "configuration": trainer.configuration, "training": state}
    save_checkpoint(path, arrays, description)


def load_trainer(path: str | os.PathLike[str], trainer: Trainer) -> None:
    """Read it; see `Trainer.load`."""
    name = os.fspath(path)
    arrays, description = load_checkpoint(path)
    if description.get("format") != FORMAT:
        raise CheckpointError(
            f"{name}: holds {description.get('format')!r}, expected {FORMAT!r}, a training run"
        )
    before = {key: value.data.copy() for key, value in trainer.model.state_dict().items()}
    state_before = _state(trainer)
    try:
        state = _with_arrays(description["training"], arrays)
        _take(trainer, {k: v for k, v in arrays.items() if "/" not in k}, state)
    except (
        KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError, RecursionError
    ) as error:  # fmt: skip
        _take(trainer, before, state_before)
        reason = f"lacks {error}" if isinstance(error, KeyError) else str(error)
        raise CheckpointError(f"{name}: does not fit this run: {reason}") from None


def _state(trainer: Trainer) -> dict[str, Any]:
    position = getattr(trainer.data, "state_dict", dict)
    return {
        "step": trainer.step,
        "epoch": trainer.epoch,
        "batch": trainer.batch,
        "began": list(trainer.began),
        "optimizer": trainer.optimizer.state_dict(),
        "scheduler": None if trainer.scheduler is None else trainer.scheduler.state_dict(),
        "random": random.get_state(),
        "data": position(),
        "history": trainer.history.rows,
        "means": trainer.means.state_dict(),
        "callbacks": {key: c.state_dict() for key, c in _numbered(trainer)},
        "carried": trainer.carried(),
    }


def _take(trainer: Trainer, arrays: Mapping[str, Array], state: dict[str, Any]) -> None:
    trainer.model.load_state_dict(arrays)
    trainer.optimizer.load_state_dict(state["optimizer"])
    if trainer.scheduler is not None:
        trainer.scheduler.load_state_dict(state["scheduler"])
    trainer.step, trainer.epoch, trainer.batch = (
        int(state[key]) for key in ("step", "epoch", "batch")
    )
    first_step, first_epoch = state["began"]
    trainer.began = (int(first_step), int(first_epoch))
    random.set_state(state["random"])
    if state["data"] and hasattr(trainer.data, "load_state_dict"):
        trainer.data.load_state_dict(state["data"])
    trainer.history = History(state["history"])
    trainer.means.load_state_dict(state["means"])
    for key, callback in _numbered(trainer):
        if key in state["callbacks"]:  # one that has joined since begins anew
            callback.load_state_dict(state["callbacks"][key])
    trainer.carry(state["carried"])


def _numbered(trainer: Trainer) -> Iterator[tuple[str, Any]]:
    """The callbacks by kind, and by number among those of their kind."""
    seen: dict[str, int] = {}
    for callback in trainer.callbacks:
        kind = type(callback).__name__
        seen[kind] = seen.get(kind, -1) + 1
        yield f"{kind}.{seen[kind]}", callback


def _without_arrays(tree: Any, name: str, arrays: dict[str, Array]) -> Any:
    """The same tree, each array in it moved to ``arrays`` under its path."""
    if isinstance(tree, np.ndarray):
        arrays[name] = tree
        return {_ARRAY: name}
    if isinstance(tree, Mapping):
        return {
            str(key): _without_arrays(value, f"{name}/{key}".lstrip("/"), arrays)
            for key, value in tree.items()
        }
    if isinstance(tree, list | tuple):
        return [_without_arrays(value, f"{name}/{i}", arrays) for i, value in enumerate(tree)]
    return tree


def _with_arrays(tree: Any, arrays: Mapping[str, Array]) -> Any:
    if isinstance(tree, Mapping):
        if set(tree) == {_ARRAY} and isinstance(tree[_ARRAY], str):
            return arrays[tree[_ARRAY]]
        return {key: _with_arrays(value, arrays) for key, value in tree.items()}
    if isinstance(tree, list):
        return [_with_arrays(value, arrays) for value in tree]
    return tree
