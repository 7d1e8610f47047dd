"""erf, GELU and its gradient, and sums of rows, in plain NumPy."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyseq.backend.numpy_elementwise import exp, tanh

__all__ = ["erf", "gelu", "gelu_backward", "sum_rows"]

Array = npt.NDArray[Any]

# Coefficients, highest power first, of the rational approximations of W. J. Cody, "Rational
# Chebyshev approximations for the error function", 1969: of erf(x) / x in x² up to 0.46875,
# and of exp(x²) erfc(x) in x beyond. They are good to the last bits of float64.
NEAR_TOP = (
    1.85777706184603153e-1, 3.16112374387056560e00, 1.13864154151050156e02, 3.77485237685302021e02,
    3.20937758913846947e03,
)  # fmt: skip
NEAR_BOTTOM = (
    1.0, 2.36012909523441209e01, 2.44024637934444173e02, 1.28261652607737228e03,
    2.84423683343917062e03,
)  # fmt: skip
FAR_TOP = (
    2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594e00, 6.61191906371416295e01,
    2.98635138197400131e02, 8.81952221241769090e02, 1.71204761263407058e03, 2.05107837782607147e03,
    1.23033935479799725e03,
)  # fmt: skip
FAR_BOTTOM = (
    1.0, 1.57449261107098347e01, 1.17693950891312499e02, 5.37181101862009858e02,
    1.62138957456669019e03, 3.29079923573345963e03, 4.36261909014324716e03, 3.43936767414372164e03,
    1.23033935480374942e03,
)  # fmt: skip


def _ratio(top: tuple[float, ...], bottom: tuple[float, ...], x: Array) -> Any:
    """One polynomial over another, by Horner's rule."""
    p, q = (np.full_like(x, coefficients[0]) for coefficients in (top, bottom))
    for a, b in zip(top[1:], bottom[1:], strict=True):
        p, q = p * x + a, q * x + b
    return p / q


@np.errstate(all="ignore")
def erf(x: Array) -> Array:
    """2 / √π ∫₀ˣ exp(-t²) dt."""
    a = np.minimum(np.abs(x), 6)  # from there on it is 1 to the last bit
    small = np.minimum(a, 0.5)
    near = a * _ratio(NEAR_TOP, NEAR_BOTTOM, small * small)
    far = 1 - np.exp(-a * a) * _ratio(FAR_TOP, FAR_BOTTOM, a)
    y: Array = np.copysign(np.where(a <= 0.46875, near, far), x)
    return y


BEYOND = 14.0  # there the share of the normal distribution is 0 or 1 to the last bit of float64
ROOT, CUBIC = math.sqrt(2 / math.pi), 0.044715


@np.errstate(all="ignore")
def gelu(x: Array, approximate: str) -> Array:
    """x P(x), where P(x) is the share of the normal distribution below x.

    Args:
        approximate: "none", or "tanh" for P(x) = ½ (1 + tanh(√(2/π) (x + 0.044715 x³))).
    """
    y: Array = np.maximum(x, -BEYOND) * _below(x, approximate)
    return y


@np.errstate(all="ignore")
def gelu_backward(
    g: Array, x: Array, approximate: str, wanted_bias: bool
) -> tuple[Array, Array | None]:
    """dx = g GELU'(x) and, if it is wanted, its sum over all dimensions but the last.

    Args:
        g: the gradient of gelu(x, approximate).
        x: any shape.
    """
    held = np.clip(x, -BEYOND, BEYOND)
    below = _below(held, approximate)
    if approximate == "none":
        slope = below + held * exp(-0.5 * held * held) / x.dtype.type(math.sqrt(2 * math.pi))
    else:
        inner = ROOT * (1 + 3 * CUBIC * held * held)
        slope = below + 2 * held * below * (1 - below) * inner
    dx: Array = g * slope
    return dx, sum_rows(dx) if wanted_bias else None


def _below(x: Array, approximate: str) -> Array:
    if approximate == "none":
        return 0.5 * (1 + erf(x * math.sqrt(0.5)))
    return 0.5 * (1 + tanh(ROOT * x * (1 + CUBIC * x * x)))


@np.errstate(all="ignore")
def sum_rows(x: Array) -> Array:
    """The sum over all dimensions but the last."""
    y: Array = x.sum(tuple(range(x.ndim - 1)))
    return y
