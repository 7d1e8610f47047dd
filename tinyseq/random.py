"""Random numbers: one seeded generator for the whole process."""

from typing import Any

import numpy as np
import numpy.typing as npt

from tinyseq.autograd import Tensor

_generator = np.random.Generator(np.random.PCG64())


def manual_seed(seed: int) -> None:
    """Start the generator anew: the same seed gives the same numbers from here on.

    Raises:
        ValueError: if the seed is no whole number of at least 0.
    """
    if isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise ValueError(f"manual_seed: expected a whole number >= 0, got {seed!r}")
    _generator.bit_generator.state = np.random.PCG64(seed).state


def generator() -> np.random.Generator:
    """The generator that initialisation, dropout and sampling draw from."""
    return _generator


def get_state() -> dict[str, Any]:
    """Where the generator stands, as something JSON can hold."""
    return dict(_generator.bit_generator.state)


def set_state(state: dict[str, Any]) -> None:
    """Put the generator where `get_state` found it."""
    _generator.bit_generator.state = state


def rand(*size: int, dtype: npt.DTypeLike = np.float32) -> Tensor:
    """Uniform in [0, 1)."""
    return Tensor(_generator.random(size, np.dtype(dtype)))  # type: ignore[arg-type]


def randn(*size: int, dtype: npt.DTypeLike = np.float32) -> Tensor:
    """Normal, mean 0 and variance 1."""
    return Tensor(_generator.standard_normal(size, np.dtype(dtype)))  # type: ignore[arg-type]


def randint(low: int, high: int, size: tuple[int, ...]) -> Tensor:
    """Whole numbers in [low, high), int64."""
    return Tensor(_generator.integers(low, high, size))
