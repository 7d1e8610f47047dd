"""Small tasks that sequence models are compared on, made from a seed."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyseq.data.rows import IGNORED

Floats = NDArray[np.float32]
Ints = NDArray[np.int64]


def adding_problem(n: int, length: int = 200, seed: int = 0) -> tuple[Floats, Floats]:
    """Add the two numbers that are marked.

    Each step has a number from 0 to 1 and a mark, 1 at one step of the first half and at one of
    the second, else 0. To answer 1 always has a mean squared error of 1/6.

    Args:
        n: sequences, N.
        length: steps, T, at least 2.
        seed: decides them all.

    Returns:
        x (N, T, 2) float32, numbers and marks; y (N, 1) float32, the sum of the marked numbers.

    Raises:
        ValueError: if a number is out of range.

    Source: Hochreiter and Schmidhuber, "Long Short-Term Memory", 1997, in the form of Le et al.,
    "A Simple Way to Initialize Recurrent Networks of Rectified Linear Units", 2015.
    """
    rng = _generator("adding_problem", n, seed, length=(length, 2))
    x = np.zeros((n, length, 2), np.float32)
    x[:, :, 0] = rng.random((n, length), np.float32)
    rows = np.arange(n)
    x[rows, rng.integers(0, length // 2, n), 1] = 1
    x[rows, rng.integers(length // 2, length, n), 1] = 1
    return x, (x[:, :, 0] * x[:, :, 1]).sum(axis=1, keepdims=True)


def copy_memory(
    n: int, delay: int = 100, symbols: int = 8, length: int = 10, seed: int = 0
) -> tuple[Ints, Ints]:
    """Say a word again after a long silence.

    The word is of symbols 0 to ``symbols`` - 1; then comes the blank, ``symbols``, for a delay
    whose last step is the sign to speak, ``symbols`` + 1; then blanks, while the word is to be
    said. What is wanted before is the blank. Without memory the best cross-entropy, a mean over
    all steps in nats, is length · ln(symbols) / (delay + 2 length).

    Args:
        n: sequences, N.
        delay: steps between the word and its copy, at least 1.
        symbols: of the word, K at least 1.
        length: of the word, at least 1.
        seed: decides them all.

    Returns:
        x and y, (N, delay + 2 length) int64, below K + 2 and below K + 1.

    Raises:
        ValueError: if a number is out of range.

    Source: Hochreiter and Schmidhuber, 1997; as in Arjovsky et al., "Unitary Evolution Recurrent
    Neural Networks", 2016.
    """
    rng = _generator(
        "copy_memory", n, seed, delay=(delay, 1), symbols=(symbols, 1), length=(length, 1)
    )
    word = rng.integers(0, symbols, (n, length))
    x = np.full((n, delay + 2 * length), symbols)
    y = x.copy()
    x[:, :length] = y[:, delay + length :] = word
    x[:, delay + length - 1] = symbols + 1
    return x, y


def delayed_parity(
    n: int, length: int = 100, delay: int = 5, bits: int = 3, seed: int = 0
) -> tuple[Floats, Ints]:
    """Tell at each step whether some bits, a while ago, held an odd number of ones.

        y[t] = x[t - delay] ⊕ x[t - delay - 1] ⊕ … ⊕ x[t - delay - bits + 1]

    Args:
        n: sequences, N.
        length: steps, T, more than delay + bits - 1.
        delay: steps from the youngest of the bits to the answer, at least 0.
        bits: how many, at least 1.
        seed: decides them all.

    Returns:
        x (N, T, 1) float32, 0 or 1; y (N, T) int64, 0 or 1, and -100, which `cross_entropy` leaves
        out, at the first steps, before all the bits have been.

    Raises:
        ValueError: if a number is out of range.

    Source: Bertschinger and Natschläger, "Real-Time Computation at the Edge of Chaos in Recurrent
    Neural Networks", 2004.
    """
    rng = _generator(
        "delayed_parity", n, seed, delay=(delay, 0), bits=(bits, 1), length=(length, delay + bits)
    )
    x = rng.integers(0, 2, (n, length))
    y = np.full((n, length), IGNORED)
    answers = length - delay - bits + 1
    y[:, delay + bits - 1 :] = sum(x[:, i : i + answers] for i in range(bits)) % 2
    return x[:, :, None].astype(np.float32), y


def mackey_glass(length: int, tau: int = 17, initial: float = 1.2, skip: int = 0) -> Floats:
    """A chaotic series of one variable: blood cells that are made a delay after they are needed.

        dx/dt = 0.2 x(t - τ) / (1 + x(t - τ)^10) - 0.1 x(t),  x(t) = 0 for t < 0

    Solved by the classical Runge-Kutta method in steps of 0.1, with the delayed value between two
    steps from the cubic through both with their slopes.

    Args:
        length: samples, one per unit of time.
        tau: τ, the delay, a whole number of at least 1; chaotic from 17 on.
        initial: x(0).
        skip: samples left out at the beginning, where the series still remembers how it began.

    Returns:
        (length, 1) float32.

    Raises:
        ValueError: if a number is out of range.

    Source: Mackey and Glass, "Oscillation and Chaos in Physiological Control Systems", 1977.
    """
    _check("mackey_glass", length=(length, 0), tau=(tau, 1), skip=(skip, 0))
    per_unit = 10
    h, delay = 1 / per_unit, tau * per_unit
    x, slope = [initial], list[float]()

    def change(now: float, then: float) -> float:
        return 0.2 * then / (1 + then**10) - 0.1 * now

    for step in range(per_unit * (skip + max(length, 1) - 1)):
        now, past = x[-1], step - delay
        then = x[past] if past >= 0 else 0.0
        slope.append(change(now, then))
        # Up to time 0 it is 0, without a jump: the step that ends there does not see x(0) yet.
        after = x[past + 1] if past >= 0 else 0.0
        turn = slope[past] - slope[past + 1] if past >= 0 else 0.0
        between = (then + after) / 2 + h / 8 * turn
        k1 = slope[-1]
        k2 = change(now + h / 2 * k1, between)
        k3 = change(now + h / 2 * k2, between)
        k4 = change(now + h * k3, after)
        x.append(now + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4))
    return np.array(x[::per_unit], np.float32)[skip : skip + length, None]


def noisy_sines(
    n: int, length: int = 200, noise: float = 0.1, seed: int = 0
) -> tuple[Floats, Floats]:
    """Sines of various periods and phases, as they are measured and as they are.

    Args:
        n: sequences, N.
        length: steps, T, at least 1.
        noise: standard deviation of what is added to each step, at least 0.
        seed: decides them all.

    Returns:
        with noise and without, (N, T, 1) float32 each; amplitude 1, periods from 10 to 50 steps.

    Raises:
        ValueError: if a number is out of range.
    """
    rng = _generator("noisy_sines", n, seed, length=(length, 1), noise=(noise, 0))
    period = rng.uniform(10, 50, (n, 1, 1))
    phase = rng.uniform(0, 1, (n, 1, 1))
    clean = np.sin(2 * np.pi * (np.arange(length)[:, None] / period + phase))
    noisy = clean + noise * rng.standard_normal(clean.shape)
    return noisy.astype(np.float32), clean.astype(np.float32)


def _generator(function: str, n: int, seed: int, **sizes: tuple[float, int]) -> np.random.Generator:
    _check(function, n=(n, 0), seed=(seed, 0), **sizes)
    return np.random.Generator(np.random.PCG64(seed))


def _check(function: str, **sizes: tuple[Any, int]) -> None:
    for name, (given, least) in sizes.items():
        if not given >= least:
            raise ValueError(f"{function}: {name} must be at least {least}, got {given}")
