"""What the recurrent layers say of wrong arguments: each error names the layer."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np

from tinyseq.autograd import Tensor


def check_count(layer: str, name: str, count: Any) -> None:
    """Raise ValueError, naming layer and argument, when a count is not a whole number from 0."""
    if isinstance(count, bool) or not isinstance(count, (int, np.integer)) or count < 0:
        raise ValueError(f"{layer}: {name} must be a whole number from 0 up, got {count!r}")


def check_rate(layer: str, name: str, rate: Any) -> None:
    """Raise ValueError, naming layer and argument, when a rate is not a number from 0 to 1."""
    if isinstance(rate, bool) or not isinstance(rate, Real) or not 0 <= float(rate) <= 1:
        raise ValueError(f"{layer}: {name} must be a number from 0 to 1, got {rate!r}")


def check_input(
    layer: str, name: str, x: Any, before: tuple[str, ...], size: int, dtype: Any
) -> None:
    """Raise, naming layer and argument, when x is not a Tensor (*before, size) of that dtype."""
    check_tensor(layer, name, x, dtype)
    if x.ndim != len(before) + 1 or x.shape[-1] != size:
        wanted = ", ".join([*before, str(size)])
        raise ValueError(f"{layer}: {name} must be ({wanted}), got {x.shape}")


def as_states(
    layer: str, state: Any, shapes: Sequence[tuple[int, ...]], dtype: Any
) -> tuple[Tensor, ...]:
    """The state given, h or the pair of h and c, checked; zeros in place of None."""
    if state is None:
        return tuple(Tensor(np.zeros(shape, dtype)) for shape in shapes)
    states = (state,) if len(shapes) == 1 else state
    if not isinstance(states, (tuple, list)) or len(states) != len(shapes):
        got = f"{len(state)} of them" if isinstance(state, (tuple, list)) else type(state).__name__
        raise ValueError(f"{layer}: state must be the pair (h0, c0), got {got}")
    for name, given, shape in zip(("h0", "c0"), states, shapes, strict=False):
        check_tensor(layer, name, given, dtype)
        if given.shape != shape:
            raise ValueError(f"{layer}: {name} must be {shape}, got {given.shape}")
    return tuple(states)


def check_tensor(layer: str, name: str, x: Any, dtype: Any) -> None:
    """Raise TypeError, naming layer and argument, when x is not a Tensor of that dtype."""
    if not isinstance(x, Tensor):
        raise TypeError(f"{layer}: {name} must be a Tensor, got {type(x).__name__}")
    if x.dtype != dtype:
        raise TypeError(f"{layer}: {name} must be {dtype} as the weights are, got {x.dtype}")
