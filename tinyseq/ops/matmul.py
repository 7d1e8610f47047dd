"""Matrix products."""

import math
from typing import Any

from tinyseq import backend
from tinyseq.autograd import Array, FusedOp, Tensor, is_grad_enabled, op
from tinyseq.ops.elementwise import tanh_share, where
from tinyseq.ops.gelu import gelu
from tinyseq.ops.shape import broadcast_to, reshape, transpose, unsqueeze

__all__ = ["linear", "matmul"]

GELUS = {"gelu": "none", "gelu_tanh": "tanh"}  # activation of `linear` -> approximate of `gelu`


@op
def _matmul(a: Array, b: Array) -> Any:
    return backend.matmul(a, b)


@_matmul.vjp
def _(g: Tensor, y: Tensor, a: Tensor, b: Tensor) -> tuple[Any, ...]:
    return (
        _matmul_turned(g, b) if a.requires_grad else None,
        _matmul(_turned(a), g) if b.requires_grad else None,
    )


@op
def _matmul_turned(a: Array, b: Array) -> Any:
    """a bᵀ, for what _matmul hands on to a, in one op."""
    return backend.matmul(a, b.mT)


@_matmul_turned.vjp
def _(g: Tensor, y: Tensor, a: Tensor, b: Tensor) -> tuple[Any, ...]:
    return (
        _matmul(g, b) if a.requires_grad else None,
        _matmul(_turned(g), a) if b.requires_grad else None,
    )


@op
def _turned(x: Array) -> Any:
    return x.mT


@_turned.vjp
def _(g: Tensor, y: Tensor, x: Tensor) -> tuple[Any, ...]:
    return (_turned(g),)


def matmul(a: Any, b: Any) -> Tensor:
    """The matrix product a b.

    Args:
        a: (..., M, K), or a vector (K,).
        b: (..., K, N), or a vector (K,).

    Returns:
        (..., M, N), batch dimensions broadcast; a vector's dimension is left out.

    Raises:
        ValueError: if an argument has no dimensions, or the shapes do not fit.
    """
    a = a if isinstance(a, Tensor) else Tensor(a)
    b = b if isinstance(b, Tensor) else Tensor(b)
    p, q = a.data, b.data
    if p.ndim == q.ndim == 2 and p.shape[1] == q.shape[0]:
        return _matmul(a, b)
    if not a.ndim or not b.ndim or a.shape[-1] != b.shape[-2 if b.ndim > 1 else -1]:
        raise ValueError(f"matmul: shapes {a.shape} and {b.shape} do not fit")
    pairs = zip(reversed(a.shape[:-2]), reversed(b.shape[:-2]), strict=False)
    if any(m != n and 1 not in (m, n) for m, n in pairs):
        raise ValueError(f"matmul: the batch dims of {a.shape} and {b.shape} do not broadcast")
    rows, columns = a.ndim > 1, b.ndim > 1
    a = a if rows else unsqueeze(a, 0)
    b = b if columns else unsqueeze(b, 1)
    if b.ndim == 2 and a.ndim > 2:  # one large product instead of many small ones
        batch = a.shape[:-1]
        y = _matmul(reshape(a, (math.prod(batch), a.shape[-1])), b)
        y = reshape(y, (*batch, b.shape[-1]))
    else:
        y = _matmul(a, b)
    shape = y.shape[:-2] + y.shape[-2:-1] * rows + y.shape[-1:] * columns
    return y if rows and columns else reshape(y, shape)


@op
def _linear(x: Array, weight: Array, bias: Array | None, *, activation: str) -> Any:
    return backend.linear(x, weight, bias, activation)


@_linear.vjp
def _(
    g: Tensor, y: Tensor, x: Tensor, weight: Tensor, bias: Tensor | None, *, activation: str
) -> tuple[Any, ...]:
    if activation == "relu":
        g = where(y > 0, g, 0.0)
    elif activation == "tanh":
        g = tanh_share(g, y)
    elif activation == "sigmoid":
        g = g * y * (1 - y)
    n, k = weight.shape
    rows = math.prod(x.shape[:-1])
    return (
        matmul(g, weight) if x.requires_grad else None,
        matmul(transpose(reshape(g, (rows, n)), 0, 1), reshape(x, (rows, k)))
        if weight.requires_grad
        else None,
        None if bias is None else _sum_rows(g),
    )


@op
def _sum_rows(x: Array) -> Any:
    """The sum over all dimensions but the last: for the bias, which is small where g is large."""
    return backend.sum_rows(x)


@_sum_rows.vjp
def _(g: Tensor, y: Tensor, x: Tensor) -> tuple[Any, ...]:
    return (broadcast_to(g, x.shape),)


def _linear_gelu_forward(
    x: Array, weight: Array, bias: Array | None, *, approximate: str, keep: bool
) -> tuple[Any, ...]:
    return backend.linear_gelu(x, weight, bias, approximate, keep)


def _linear_gelu_backward(
    gradients: list[Any], saved: tuple[Any, ...], x: Array, weight: Array, bias: Array | None, *,
    approximate: str, keep: bool,
) -> tuple[Any, ...]:  # fmt: skip
    g, dbias = backend.gelu_backward(gradients[0], saved[1], approximate, bias is not None)
    n, k = weight.shape
    rows = math.prod(x.shape[:-1])
    dweight = backend.matmul(g.reshape(rows, n).T, x.reshape(rows, k))
    return backend.matmul(g.reshape(rows, n), weight).reshape(x.shape), dweight, dbias


def _linear_gelu_reference(
    x: Tensor, weight: Tensor, bias: Tensor | None, *, approximate: str, keep: bool
) -> tuple[Tensor]:
    return (gelu(_linear(x, weight, bias, activation="none"), approximate),)


_linear_gelu = FusedOp(
    _linear_gelu_forward, _linear_gelu_backward, _linear_gelu_reference, results=1, forgets=True
)


def linear(x: Any, weight: Tensor, bias: Tensor | None = None, activation: str = "none") -> Tensor:
    """y = activation(x Wᵀ + b), in one kernel.

    Args:
        x: (..., K).
        weight: (N, K).
        bias: (N,) or None.
        activation: "none", "relu", "tanh", "sigmoid", "gelu" or "gelu_tanh" (see `gelu`).

    Returns:
        (..., N).

    Raises:
        ValueError: if the shapes do not fit, or for an unknown activation.
    """
    x = x if isinstance(x, Tensor) else Tensor(x)
    if weight.ndim != 2 or not x.ndim or x.shape[-1] != weight.shape[1]:
        raise ValueError(
            f"linear: x must be (..., K) and weight (N, K), got {x.shape} and {weight.shape}"
        )
    if bias is not None and bias.shape != weight.shape[:1]:
        raise ValueError(f"linear: bias must be ({weight.shape[0]},), got {bias.shape}")
    if activation in GELUS:
        wanted = any(t is not None and t.requires_grad for t in (x, weight, bias))
        keep = wanted and is_grad_enabled()
        how = {"approximate": GELUS[activation], "keep": keep}
        return _linear_gelu.run(x, weight, bias, **how)[0]
    if activation not in ("none", "relu", "tanh", "sigmoid"):
        raise ValueError(
            "linear: activation must be none, relu, tanh, sigmoid, gelu or gelu_tanh, "
            f"got {activation!r}"
        )
    return _linear(x, weight, bias, activation=activation)
