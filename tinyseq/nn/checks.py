"""What the layers say of wrong arguments: each error names the layer."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real
from typing import Any

import numpy as np

from tinyseq.autograd import Tensor
from tinyseq.ops.creation import as_tensor
from tinyseq.ops.shape import reshape


def check_count(layer: str, name: str, count: Any) -> None:
    """Raise ValueError, naming layer and argument, when a count is not a whole number from 0."""
    if isinstance(count, bool) or not isinstance(count, (int, np.integer)) or count < 0:
        raise ValueError(f"{layer}: {name} must be a whole number from 0 up, got {count!r}")


def check_rate(layer: str, name: str, rate: Any) -> None:
    """Raise ValueError, naming layer and argument, when a rate is not a number from 0 to 1."""
    if isinstance(rate, bool) or not isinstance(rate, Real) or not 0 <= float(rate) <= 1:
        raise ValueError(f"{layer}: {name} must be a number from 0 to 1, got {rate!r}")


def as_input(
    layer: str, name: str, x: Any, before: tuple[str, ...], size: int, dtype: Any
) -> Tensor:
    """x, Tensor or array, as a Tensor (*before, size) of that dtype."""
    tensor = as_numbers(layer, name, x)
    shape = tensor.data.shape
    if len(shape) != len(before) + 1 or shape[-1] != size:
        wanted = ", ".join([*before, str(size)])
        raise ValueError(f"{layer}: {name} must be ({wanted}), got {shape}")
    check_dtype(layer, name, tensor, dtype)
    return tensor


def as_steps(name: str, x_t: Any, size: int, dtype: Any) -> Tensor:
    """x_t (B,E) or (B,t,E), checked, as (B,t,E)."""
    x = as_numbers(name, "x_t", x_t)
    if x.ndim not in (2, 3) or x.shape[-1] != size:
        raise ValueError(f"{name}: x_t must be (B, {size}) or (B, t, {size}), got {x.shape}")
    check_dtype(name, "x_t", x, dtype)
    return x if x.ndim == 3 else reshape(x, (x.shape[0], 1, size))


def as_states(
    layer: str, state: Any, shapes: Sequence[tuple[int, ...]], dtype: Any
) -> tuple[Tensor, ...]:
    """The state given, h or the pair of h and c, as Tensors; zeros in place of None."""
    if state is None:
        return tuple(Tensor(np.zeros(shape, dtype)) for shape in shapes)
    pair = (state,) if len(shapes) == 1 else state
    if not isinstance(pair, (tuple, list)) or len(pair) != len(shapes):
        got = f"{len(state)} of them" if isinstance(state, (tuple, list)) else type(state).__name__
        raise TypeError(f"{layer}: state must be a pair (h0, c0), got {got}")
    states = []
    for name, given, shape in zip(("h0", "c0"), pair, shapes, strict=False):
        tensor = as_numbers(layer, name, given)
        if tensor.data.shape != shape:
            raise ValueError(f"{layer}: {name} must be {shape}, got {tensor.shape}")
        check_dtype(layer, name, tensor, dtype)
        states.append(tensor)
    return tuple(states)


def as_numbers(layer: str, name: str, given: Any) -> Tensor:
    """What was given as a Tensor; raises TypeError, naming layer and argument, if it cannot be."""
    if type(given) is Tensor:
        return given
    try:
        return as_tensor(given)
    except (TypeError, ValueError):  # NumPy raises a ValueError for lists of uneven lengths
        got = type(given).__name__
        raise TypeError(f"{layer}: {name} must be an array of numbers, got {got}") from None


def check_dtype(layer: str, name: str, x: Tensor, dtype: Any) -> None:
    """Raise TypeError, naming layer and argument, when x is of another dtype than the weights."""
    if x.data.dtype != dtype:
        raise TypeError(f"{layer}: {name} must be {dtype} as the weights are, got {x.dtype}")
