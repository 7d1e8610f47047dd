"""Ops that turn elements round, pad them and repeat them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinyseq.autograd import Array, Tensor, op
from tinyseq.ops.creation import as_tensor, sizes_of
from tinyseq.ops.indexing import index_select
from tinyseq.ops.shape import expand, position, reshape

__all__ = ["pad", "repeat", "roll", "tile"]


@op
def _roll(x: Array, *, shifts: tuple[int, ...], dims: tuple[int, ...]) -> Any:
    return np.roll(x, shifts, dims)


@_roll.vjp
def _(
    g: Tensor, y: Tensor, x: Tensor, *, shifts: tuple[int, ...], dims: tuple[int, ...]
) -> tuple[Any, ...]:
    return (_roll(g, shifts=tuple(-n for n in shifts), dims=dims),)


def roll(x: Tensor, shifts: int | Sequence[int], dims: int | Sequence[int] | None = None) -> Tensor:
    """Moved on by shifts along dims, what leaves at the end entering at the beginning.

    Args:
        x: any shape.
        shifts: how far, for each of dims.
        dims: which dimensions; None to roll all elements in their order.

    Raises:
        ValueError: if there are not as many shifts as dims.
    """
    x = as_tensor(x)
    by = (shifts,) if isinstance(shifts, int) else tuple(shifts)
    if dims is None:
        if len(by) != 1:
            raise ValueError(f"roll: without dims expected one shift, got {by}")
        return reshape(_roll(reshape(x, -1), shifts=by, dims=(0,)), x.shape)
    named = (dims,) if isinstance(dims, int) else tuple(dims)
    if len(by) != len(named):
        raise ValueError(f"roll: expected as many shifts as dims, got {by} and {named}")
    return _roll(x, shifts=by, dims=tuple(position(x, d, "roll") for d in named))


@op
def _pad(x: Array, *, widths: tuple[tuple[int, int], ...], value: float) -> Any:
    pairs = zip(widths, x.shape, strict=True)
    kept = tuple(slice(max(-a, 0), n - max(-b, 0)) for (a, b), n in pairs)
    more = [(max(a, 0), max(b, 0)) for a, b in widths]
    return np.pad(x[kept], more, constant_values=value)


@_pad.vjp
def _(
    g: Tensor, y: Tensor, x: Tensor, *, widths: tuple[tuple[int, int], ...], value: float
) -> tuple[Any, ...]:
    return (_pad(g, widths=tuple((-a, -b) for a, b in widths), value=0.0),)


MODES = {"reflect": "reflect", "replicate": "edge", "circular": "wrap"}  # PyTorch's, NumPy's


def pad(x: Tensor, pad: Sequence[int], mode: str = "constant", value: float = 0.0) -> Tensor:
    """More elements at the ends of the last dimensions, or fewer.

    Args:
        x: any shape.
        pad: (before, after) of the last dimension, then of the one before it, and so on; a
            negative number takes elements away.
        mode: "constant" for value; "reflect" without repeating the edge; "replicate" for the
            edge; "circular" for what is at the other end.
        value: what is put in.

    Raises:
        ValueError: for an odd number of widths, too many, ones that x is too short for, or
            another mode.
    """
    x = as_tensor(x)
    flat = tuple(int(n) for n in pad)
    if len(flat) % 2 or len(flat) > 2 * x.ndim:
        raise ValueError(
            f"pad: expected a (before, after) for up to {x.ndim} dims, got {flat} "
            f"for shape {x.shape}"
        )
    pairs = [(0, 0)] * (x.ndim - len(flat) // 2) + [
        (flat[i], flat[i + 1]) for i in reversed(range(0, len(flat), 2))
    ]
    if any(n + min(a, 0) + min(b, 0) < 0 for n, (a, b) in zip(x.shape, pairs, strict=True)):
        raise ValueError(f"pad: {flat} takes away more than there is in shape {x.shape}")
    if mode == "constant":
        return _pad(x, widths=tuple(pairs), value=value)
    if mode not in MODES:
        raise ValueError(f"pad: mode must be constant, {', '.join(MODES)}, got {mode!r}")
    for d, (a, b) in enumerate(pairs):
        index, taken = np.arange(x.shape[d]), (max(-a, 0), max(-b, 0))
        if mode == "circular":  # goes round what is left; the others reach for the whole
            index, taken = index[taken[0] : len(index) - taken[1]], (0, 0)
        n = len(index)
        reach = {"reflect": n - 1, "circular": n}.get(mode, max(a, b) if n else 0)
        if max(a, b) > reach:
            raise ValueError(f"pad: {mode} reaches {reach} elements in dim {d}, got {(a, b)}")
        if a or b:
            # Which element stands where: what padding does to the positions themselves.
            index = np.pad(index, (max(a, 0), max(b, 0)), mode=MODES[mode])  # type: ignore[call-overload]
            x = index_select(x, d, index[taken[0] : len(index) - taken[1]])
    return x


def tile(x: Tensor, dims: Any = (), *more: int) -> Tensor:
    """x set side by side dims[d] times along each dimension, the last ones if they are fewer."""
    x, times = as_tensor(x), sizes_of((dims, *more))
    return _tile(x, (1,) * (x.ndim - len(times)) + times, "tile")


def repeat(x: Tensor, repeats: Any, *more: int) -> Tensor:
    """x set side by side repeats[d] times along each dimension; more of them make new dimensions.

    Raises:
        ValueError: if they are fewer than the dimensions, or one is negative.
    """
    x, times = as_tensor(x), sizes_of((repeats, *more))
    if len(times) < x.ndim:
        raise ValueError(f"repeat: expected {x.ndim} sizes or more, got {times}")
    return _tile(x, times, "repeat")


def _tile(x: Tensor, times: tuple[int, ...], where: str) -> Tensor:
    if min(times, default=0) < 0:
        raise ValueError(f"{where}: sizes must not be negative, got {times}")
    shape = (1,) * (len(times) - x.ndim) + x.shape
    x = reshape(x, tuple(m for n in shape for m in (1, n)))
    x = expand(x, tuple(m for pair in zip(times, shape, strict=True) for m in pair))
    return reshape(x, tuple(t * n for t, n in zip(times, shape, strict=True)))
