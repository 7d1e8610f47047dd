"""Whether a state fits an optimizer: everything is looked at before anything is changed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from numbers import Integral, Real
from typing import Any

import numpy as np

from tinyseq.autograd import Tensor

LARGEST = sys.float_info.max
MOST_STEPS = 2**53  # up to here a count is exact as a double, too


def fitting_groups(
    where: str,
    state: Mapping[str, Any],
    own: Sequence[Mapping[str, Any]],
    checked: Callable[[Mapping[str, Any]], dict[str, Any]],
) -> list[dict[str, Any]]:
    """The settings of each group of a state.

    Raises ValueError, naming ``where``, when there are other groups than our own, or a setting is
    missing, not known or outside its range.
    """
    groups = _list(where, state, "param_groups")
    if len(groups) != len(own):
        raise ValueError(f"{where}: expected {len(own)} groups, got {len(groups)}")
    found = []
    first = 0  # number of the group's first parameter
    for i, (group, mine) in enumerate(zip(groups, own, strict=True)):
        numbers = list(range(first, first + len(mine["params"])))
        first += len(numbers)
        if not isinstance(group, Mapping) or group.get("params") != numbers:
            raise ValueError(f"{where}: expected group {i} to have {len(numbers)} parameters")
        # A scheduler notes where it began; it may have come or gone since.
        settings = {k: v for k, v in group.items() if k not in ("params", "initial_lr")}
        missing = mine.keys() - {"params", "initial_lr"} ^ settings.keys()
        if missing:
            raise ValueError(f"{where}: group {i} lacks or does not know {min(map(str, missing))}")
        found.append(checked(settings))
        if "initial_lr" in group:
            found[-1]["initial_lr"] = not_negative(where, "initial_lr", group["initial_lr"])
    return found


def fitting_memory(
    where: str,
    state: Mapping[str, Any],
    parameters: Sequence[Tensor],
    allowed: Sequence[str],
    needed: Sequence[str],
) -> list[dict[str, Any]]:
    """What is remembered of each parameter, arrays copied and in the parameter's own dtype.

    Raises ValueError, naming ``where``, when it does not fit the parameters.
    """
    memories = _list(where, state, "state")
    if len(memories) != len(parameters):
        raise ValueError(f"{where}: expected {len(parameters)} parameters, got {len(memories)}")
    found: list[dict[str, Any]] = []
    for i, (memory, parameter) in enumerate(zip(memories, parameters, strict=True)):
        if not isinstance(memory, Mapping):
            raise ValueError(f"{where}: expected a dictionary for parameter {i}, got {memory!r}")
        found.append({})
        if not memory:
            continue
        found[i]["step"] = whole(where, f"step of parameter {i}", memory.get("step"), least=1)
        for key in needed:
            if key not in memory:
                raise ValueError(f"{where}: parameter {i} lacks {key}")
        for key, array in memory.items():
            if key == "step":
                continue
            fits = isinstance(array, np.ndarray) and array.dtype.kind == "f"
            if key not in allowed or not fits or array.shape != parameter.shape:
                kind = f"shape {array.shape}" if fits else f"type {type(array).__name__}"
                raise ValueError(
                    f"{where}: parameter {i} of shape {parameter.shape} cannot take {key} of {kind}"
                )
            found[i][key] = array.astype(parameter.dtype)
    return found


def finite(where: str, name: str, value: Any) -> float:
    """A finite number, as a float; raises ValueError, naming both, for all else."""
    number = isinstance(value, Real) and not isinstance(value, bool)
    if not number or not -LARGEST <= value <= LARGEST:
        raise ValueError(f"{where}: {name} must be a finite number, got {value!r}")
    return float(value)


def not_negative(where: str, name: str, value: Any) -> float:
    """A finite number from 0 up, as a float; raises ValueError for all else."""
    number = finite(where, name, value)
    if number < 0:
        raise ValueError(f"{where}: {name} must not be negative, got {value}")
    return number


def below_one(where: str, name: str, value: Any) -> float:
    """A number from 0 up to but not 1, as a float; raises ValueError for all else."""
    if not_negative(where, name, value) >= 1:
        raise ValueError(f"{where}: {name} must be from 0 below 1, got {value}")
    return float(value)


def yes_or_no(where: str, name: str, value: Any) -> bool:
    """A bool; raises ValueError for all else."""
    if not isinstance(value, bool):
        raise ValueError(f"{where}: {name} must be True or False, got {value!r}")
    return value


def whole(where: str, name: str, value: Any, least: int = 0) -> int:
    """A whole number from ``least`` up; raises ValueError, naming both, for all else."""
    good = isinstance(value, Integral) and not isinstance(value, bool)
    if not good or not least <= value <= MOST_STEPS:
        raise ValueError(f"{where}: {name} must be a whole number from {least} up, got {value!r}")
    return int(value)


def _list(where: str, state: Any, key: str) -> list[Any]:
    found = state.get(key) if isinstance(state, Mapping) else None
    if not isinstance(found, list | tuple):
        raise ValueError(f"{where}: expected a state with a list of {key}")
    return list(found)
