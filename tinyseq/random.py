"""Random numbers: one seeded generator for the whole process."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyseq.autograd import Tensor
from tinyseq.ops.creation import as_tensor, sizes_of


@cache  # not at import: NumPy's generators take a third of its own time to load
def generator() -> np.random.Generator:
    """The generator that initialisation, dropout and sampling draw from."""
    return np.random.Generator(np.random.PCG64())


def manual_seed(seed: int) -> None:
    """Start the generator anew: the same seed gives the same numbers from here on.

    Raises:
        ValueError: if the seed is no whole number of at least 0.
    """
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise ValueError(f"manual_seed: expected a whole number >= 0, got {seed!r}")
    generator().bit_generator.state = np.random.PCG64(seed).state


def next_key() -> int:
    """64 bits from the generator: a key for random numbers that are a function of their place."""
    return int(generator().integers(0, 2**64, dtype=np.uint64))


def get_state() -> dict[str, Any]:
    """Where the generator stands, as something JSON can hold."""
    return dict(generator().bit_generator.state)


def set_state(state: dict[str, Any]) -> None:
    """Put the generator where `get_state` found it."""
    generator().bit_generator.state = state


def rand(
    size: Any = (), *more: int, dtype: npt.DTypeLike = np.float32, requires_grad: bool = False
) -> Tensor:
    """Uniform in [0, 1): rand(2, 3) or rand((2, 3)).

    Raises:
        TypeError: if the dtype is neither float32 nor float64.
    """
    return _drawn(generator().random, sizes_of((size, *more)), dtype, requires_grad, "rand")


def randn(
    size: Any = (), *more: int, dtype: npt.DTypeLike = np.float32, requires_grad: bool = False
) -> Tensor:
    """Normal, mean 0 and variance 1: randn(2, 3) or randn((2, 3)).

    Raises:
        TypeError: if the dtype is neither float32 nor float64.
    """
    return _drawn(
        generator().standard_normal, sizes_of((size, *more)), dtype, requires_grad, "randn"
    )


def _drawn(
    draw: Callable[..., Any],
    size: tuple[int, ...],
    dtype: npt.DTypeLike,
    requires_grad: bool,
    where: str,
) -> Tensor:
    if np.dtype(dtype) not in (np.float32, np.float64):
        raise TypeError(f"{where}: dtype must be float32 or float64, got {np.dtype(dtype)}")
    # Without dimensions NumPy draws a plain number.
    return Tensor(np.asarray(draw(size, np.dtype(dtype))), requires_grad)


def rand_like(x: Tensor, dtype: npt.DTypeLike | None = None, requires_grad: bool = False) -> Tensor:
    """As `rand`, in the shape and dtype of x, or in another dtype."""
    return _drawn(generator().random, x.shape, dtype or x.dtype, requires_grad, "rand_like")


def randn_like(
    x: Tensor, dtype: npt.DTypeLike | None = None, requires_grad: bool = False
) -> Tensor:
    """As `randn`, in the shape and dtype of x, or in another dtype."""
    draw = generator().standard_normal
    return _drawn(draw, x.shape, dtype or x.dtype, requires_grad, "randn_like")


def randint(
    low: Any = 0, high: Any = None, size: Any = None, *, dtype: npt.DTypeLike = np.int64
) -> Tensor:
    """Whole numbers in [low, high): randint(low, high, size), or randint(high, size) from 0.

    Args:
        low, high: whole numbers.
        size: a tuple.
        dtype: their dtype.

    Raises:
        TypeError: if there is no size, or one that is no tuple.
        ValueError: if there is no number in [low, high).
    """
    if size is None:
        high, size = None, high
    if high is None:
        low, high = 0, low
    if not isinstance(size, tuple | list):
        raise TypeError(f"randint: expected (low, high, size) or (high, size), got size {size}")
    if low >= high:
        raise ValueError(f"randint: low must be below high, got {low} and {high}")
    return Tensor(np.asarray(generator().integers(low, high, tuple(size))).astype(dtype))


def randint_like(x: Tensor, *limits: int, dtype: npt.DTypeLike | None = None) -> Tensor:
    """As `randint`, in the shape and dtype of x, or in another dtype: (x, high), (x, low, high)."""
    low, high = (0, *limits)[-2:]
    return randint(low, high, x.shape, dtype=dtype or x.dtype)


def bernoulli(p: Any) -> Tensor:
    """1 with probability p, else 0, for each p.

    Args:
        p: floats from 0 to 1, any shape.

    Returns:
        p's shape and dtype, a constant.

    Raises:
        TypeError: if p does not hold floats.
        ValueError: if a p is not from 0 to 1.
    """
    p = as_tensor(p).data
    if p.dtype.kind != "f":
        raise TypeError(f"bernoulli: expected floating-point data, got {p.dtype}")
    wrong = ~((p >= 0) & (p <= 1))
    if wrong.any():
        raise ValueError(f"bernoulli: p must be from 0 to 1, got {p[wrong].flat[0]}")
    return Tensor((generator().random(p.shape) < p).astype(p.dtype))


Tensor.bernoulli = bernoulli  # type: ignore[attr-defined]
