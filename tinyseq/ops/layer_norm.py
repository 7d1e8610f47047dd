"""Layer norm and RMS norm, alone or together with the addition that comes before them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tinyseq import backend
from tinyseq.autograd import Array, FusedOp, Tensor
from tinyseq.ops.creation import as_tensor
from tinyseq.ops.elementwise import sqrt, square
from tinyseq.ops.reduce import mean

__all__ = ["add_layer_norm", "add_rms_norm", "layer_norm", "rms_norm"]

EPSILON = 1e-5  # of the layer norms, unless another one is asked for


def _reference(
    x: Tensor, weight: Tensor | None, bias: Tensor | None, *, dims: int, eps: float, centred: bool
) -> tuple[Tensor]:
    """The equation."""
    axes = tuple(range(-dims, 0))
    distance = x - mean(x, axes, keepdim=True) if centred else x
    y = distance / sqrt(mean(square(distance), axes, keepdim=True) + eps)
    y = y if weight is None else y * weight
    return (y if bias is None else y + bias,)


def _norm_forward(
    x: Array, weight: Array | None, bias: Array | None, **how: Any
) -> tuple[Any, ...]:
    y, _, center, scale = backend.norm_forward(x, None, weight, bias, **how)
    return y, center, scale


def _norm_backward(
    gradients: list[Any], saved: tuple[Any, ...], x: Array, weight: Array | None,
    bias: Array | None, *, dims: int, **_: Any,
) -> tuple[Any, ...]:  # fmt: skip
    _, center, scale = saved
    return backend.norm_backward(
        gradients[0], None, x, weight, center, scale,
        dims=dims, wanted_weight=weight is not None, wanted_bias=bias is not None,
    )  # fmt: skip


def _add_norm_forward(
    x: Array, residual: Array, weight: Array | None, bias: Array | None, **how: Any
) -> tuple[Any, ...]:
    return backend.norm_forward(x, residual, weight, bias, **how)


def _add_norm_backward(
    gradients: list[Any], saved: tuple[Any, ...], x: Array, residual: Array, weight: Array | None,
    bias: Array | None, *, dims: int, **_: Any,
) -> tuple[Any, ...]:  # fmt: skip
    _, s, center, scale = saved
    g, g_sum = gradients
    if g is None:
        return g_sum, g_sum, None, None
    ds, dweight, dbias = backend.norm_backward(
        g, g_sum, s, weight, center, scale,
        dims=dims, wanted_weight=weight is not None, wanted_bias=bias is not None,
    )  # fmt: skip
    return ds, ds, dweight, dbias


def _add_reference(
    x: Tensor, residual: Tensor, weight: Tensor | None, bias: Tensor | None, **how: Any
) -> tuple[Tensor, Tensor]:
    s = x + residual
    return *_reference(s, weight, bias, **how), s


_norm = FusedOp(_norm_forward, _norm_backward, _reference, results=1)
_add_norm = FusedOp(_add_norm_forward, _add_norm_backward, _add_reference, results=2)


def layer_norm(
    input: Tensor, normalized_shape: int | Sequence[int], weight: Tensor | None = None,
    bias: Tensor | None = None, eps: float = EPSILON,
) -> Tensor:  # fmt: skip
    """Each row less its mean, over its standard deviation::

        y = weight (x - mean(x)) / sqrt(var(x) + eps) + bias

    mean and variance (the biased one) over the last dimensions, whose sizes are normalized_shape.

    Args:
        input: x, floats of shape (..., *normalized_shape).
        normalized_shape: one size or several.
        weight, bias: normalized_shape; None for ones and zeros.
        eps: what is added to the variance.

    Returns:
        y, in x's shape.

    Raises:
        ValueError: if a shape does not fit, or normalized_shape is empty.
        TypeError: if x does not hold floats, or weight or bias has another dtype.

    Source: Ba, Kiros and Hinton, "Layer normalization", 2016.
    """
    x = as_tensor(input)
    dims = _check("layer_norm", x, _sizes(normalized_shape), weight=weight, bias=bias)
    return _norm.run(x, weight, bias, dims=dims, eps=eps, centred=True)[0]


def rms_norm(
    input: Tensor, normalized_shape: int | Sequence[int], weight: Tensor | None = None,
    eps: float | None = None,
) -> Tensor:  # fmt: skip
    """Each row over its root mean square::

        y = weight x / sqrt(mean(x²) + eps)

    Args:
        input, normalized_shape, weight: as for `layer_norm`.
        eps: what is added to the mean; None for the distance from 1 to the next float of x's dtype.

    Returns, raises:
        As `layer_norm`.

    Source: Zhang and Sennrich, "Root mean square layer normalization", 2019.
    """
    x = as_tensor(input)
    dims = _check("rms_norm", x, _sizes(normalized_shape), weight=weight)
    return _norm.run(x, weight, None, dims=dims, eps=_epsilon(eps, x), centred=False)[0]


def add_layer_norm(
    x: Tensor, residual: Tensor, weight: Tensor | None = None, bias: Tensor | None = None,
    eps: float = EPSILON,
) -> tuple[Tensor, Tensor]:  # fmt: skip
    """A residual connection and the layer norm after it, in one pass over memory::

        s = x + residual,   y = layer_norm(s)

    Args:
        x, residual: floats of the same shape (..., E).
        weight, bias, eps: as for `layer_norm` over E.

    Returns:
        y and s.

    Raises:
        As `layer_norm`.
    """
    x, residual = _pair("add_layer_norm", x, residual, weight=weight, bias=bias)
    y, s = _add_norm.run(x, residual, weight, bias, dims=1, eps=eps, centred=True)
    return y, s


def add_rms_norm(
    x: Tensor, residual: Tensor, weight: Tensor | None = None, eps: float | None = None
) -> tuple[Tensor, Tensor]:
    """A residual connection and the RMS norm after it: see `add_layer_norm` and `rms_norm`."""
    x, residual = _pair("add_rms_norm", x, residual, weight=weight)
    y, s = _add_norm.run(x, residual, weight, None, dims=1, eps=_epsilon(eps, x), centred=False)
    return y, s


def _epsilon(eps: float | None, x: Tensor) -> float:
    return float(np.finfo(x.dtype).eps) if eps is None else eps


def _sizes(normalized_shape: int | Sequence[int]) -> tuple[int, ...]:
    if isinstance(normalized_shape, Sequence):
        return tuple(normalized_shape)
    return (normalized_shape,)


def _check(name: str, x: Tensor, sizes: tuple[int, ...], **parameters: Tensor | None) -> int:
    """How many dimensions are normalised."""
    if not sizes or x.shape[-len(sizes) :] != sizes:
        raise ValueError(f"{name}: x must be (..., {', '.join(map(str, sizes))}), got {x.shape}")
    if x.dtype.kind != "f":
        raise TypeError(f"{name}: expected floating-point data, got {x.dtype}")
    for which, parameter in parameters.items():
        if parameter is not None and parameter.shape != sizes:
            raise ValueError(f"{name}: {which} must be {sizes}, got {parameter.shape}")
        if parameter is not None and parameter.dtype != x.dtype:
            raise TypeError(f"{name}: {which} must be {x.dtype} as x is, got {parameter.dtype}")
    return len(sizes)


def _pair(
    name: str, x: Tensor, residual: Tensor, **parameters: Tensor | None
) -> tuple[Tensor, Tensor]:
    x, residual = as_tensor(x), as_tensor(residual)
    if not x.ndim or residual.shape != x.shape or residual.dtype != x.dtype:
        raise ValueError(
            f"{name}: x and residual must both be (..., E) of one dtype, got {x.shape} {x.dtype} "
            f"and {residual.shape} {residual.dtype}"
        )
    _check(name, x, x.shape[-1:], **parameters)
    return x, residual
