"""Attention in plain NumPy, some queries at a time: memory grows with T + S, not with T S."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from tinyseq.backend.attention import Array, Pattern, both, distances, visible
from tinyseq.backend.numpy_elementwise import exp
from tinyseq.backend.philox import dropout_factors

__all__ = ["attention_backward", "attention_backward_with_mask", "attention_forward"]

Gradients = tuple[Array, Array, Array]  # of q, k and v

SCORES = 1 << 20  # of these at a time, unless a single query has more


@np.errstate(all="ignore")
def attention_forward(
    q: Array, k: Array, v: Array, mask: Array | None, pattern: Pattern
) -> tuple[Array, Array]:
    """softmax(scores) v, the softmax over the keys that a query may see::

        y[i] = Σ_j P[i,j] v[j],   P[i,j] = exp(scores[i,j] - top[i]) / total[i]
        scores = softcapped(scale q kᵀ) - slopes |p - j| + mask

    Args:
        q: (B, N, T, d).
        k, v: (B, M, S, d) and (B, M, S, dv).
        mask: bool, True where a key may be seen, or floats that are added, where -inf says that it
            may not; 4 dimensions, each 1 or that of (B, N, T, S). None for nothing.
        pattern: see `Pattern`.

    Returns:
        y (B, N, T, dv), which lies in memory as (B, T, N, dv), so that the heads are side by side;
        and totals (2, B, N, T): of each query its largest score, over log 2, and the sum of the
        exponentials of all its scores less that. Where no key may be seen y is 0, they -inf and 0.

    Source: Vaswani et al., "Attention is all you need", 2017, section 3.2.1.
    """
    B, N, T, _ = q.shape
    y = _new((B, N, T, v.shape[3]), q.dtype)
    totals = np.empty((2, B, N, T), q.dtype)
    for part in _parts(q, k, mask, pattern):
        weights, top, total = _softmax(part.scores)
        totals[0, :, :, part.rows] = top[..., 0] / np.log(2)
        totals[1, :, :, part.rows] = total[..., 0]
        if part.factors is not None:
            weights *= part.factors
        y[:, :, part.rows] = _product(weights, v, part.seen)
    return y, totals


def attention_backward(
    g: Array, q: Array, k: Array, v: Array, mask: Array | None, y: Array, totals: Array,
    pattern: Pattern, out: Gradients | None = None,
) -> Gradients:  # fmt: skip
    """The gradients of q, k and v::

        dP = g vᵀ,   dS = P (dP - Σ g y),   dv = Pᵀ g,   dq = scale dS k,   dk = scale dSᵀ q

    With a softcap dS (1 - tanh²) takes the place of dS in dq and dk. With dropout P multiplies in
    dv, and g vᵀ in dP, what dropout multiplied by.

    Args:
        g: the gradient of y.
        q, k, v, mask, pattern, y, totals: what attention_forward had and gave. The totals are found
            anew here: if others gave these, their scores may differ in the last bits.
        out: arrays, of any strides, to write dq, dk and dv to; new ones that lie in memory as
            (B, time, heads, size) if not given.
    """
    return _backward(g, q, k, v, mask, y, pattern, out, None)


def attention_backward_with_mask(
    g: Array, q: Array, k: Array, v: Array, mask: Array, y: Array, totals: Array,
    pattern: Pattern, out: Gradients | None = None,
) -> tuple[Array, Array, Array, Array]:  # fmt: skip
    """attention_backward, and the gradient dS of a mask of floats, summed over the dimensions in
    which the mask was stretched."""
    dmask = np.zeros(mask.shape, mask.dtype)
    return *_backward(g, q, k, v, mask, y, pattern, out, dmask), dmask


@np.errstate(all="ignore")
def _backward(
    g: Array, q: Array, k: Array, v: Array, mask: Array | None, y: Array, pattern: Pattern,
    out: Gradients | None, dmask: Array | None,
) -> Gradients:  # fmt: skip
    """attention_backward; what is found of the mask's gradient is added to dmask."""
    if out is None:
        out = _new(q.shape, q.dtype), _new(k.shape, q.dtype), _new(v.shape, q.dtype)
    dq, dk, dv = out
    dk[...] = 0
    dv[...] = 0
    for part in _parts(q, k, mask, pattern):
        rows, seen, factors = part.rows, part.seen, part.factors
        weights = _only(seen, _softmax(part.scores)[0])
        g_rows = g[:, :, rows]
        slope = (_grouped(g_rows, v) @ v[:, :, None].mT).reshape(weights.shape)
        dropped = weights
        if factors is not None:
            slope, dropped = slope * factors, weights * factors
        slope = (slope - (g_rows * y[:, :, rows]).sum(-1, keepdims=True)) * weights
        slope = _only(seen, slope)
        dv += _turned_product(dropped, g_rows, v, seen)
        if dmask is not None:
            _add_reduced(dmask, slope, rows)
        if pattern.softcap:
            slope = _only(seen, slope * (1 - part.tanh * part.tanh))
        slope = slope * slope.dtype.type(pattern.scale)
        dq[:, :, rows] = _product(slope, k, seen)
        dk += _turned_product(slope, q[:, :, rows], k, seen)
    return dq, dk, dv


def _softmax(scores: Array) -> tuple[Array, Array, Array]:
    """exp(scores) over its sum, or 0 in a row of -inf alone; the largest score, and the sum of the
    exponentials of all less it."""
    top = scores.max(-1, initial=-np.inf, keepdims=True)
    weights = exp(scores - np.where(top == -np.inf, 0, top))
    total = weights.sum(-1, keepdims=True)
    weights /= np.where(total == 0, 1, total)
    return weights, top, total


def _new(shape: tuple[int, ...], dtype: npt.DTypeLike) -> Array:
    """A new array (B, heads, time, size) that lies in memory as (B, time, heads, size)."""
    B, heads, time, size = shape
    return np.empty((B, time, heads, size), dtype).transpose(0, 2, 1, 3)


class _Part(NamedTuple):
    """Some of the queries: which, their scores (B, N, queries, S), what they see, the tanh of their
    scores if they are capped, and what dropout multiplies their weights by."""

    rows: slice
    scores: Array
    seen: Array | None
    tanh: Any
    factors: Array | None


def _parts(q: Array, k: Array, mask: Array | None, pattern: Pattern) -> Iterator[_Part]:
    (B, N, T, _), S = q.shape, k.shape[2]
    at_a_time = max(1, SCORES // max(1, B * N * S))
    for first in range(0, T, at_a_time):
        rows = slice(first, min(T, first + at_a_time))
        distance = distances(pattern, T, S, first, rows.stop)
        scores = _grouped(q[:, :, rows], k) @ k[:, :, None].mT
        scores = scores.reshape(B, N, rows.stop - first, S) * q.dtype.type(pattern.scale)
        capped = None
        if pattern.softcap:
            capped = np.tanh(scores / q.dtype.type(pattern.softcap))
            scores = capped * q.dtype.type(pattern.softcap)
        if pattern.slopes is not None:
            slopes = pattern.slopes.astype(q.dtype)[:, None, None]
            scores = scores - slopes * np.abs(distance).astype(q.dtype)
        here = mask if mask is None or mask.shape[2] == 1 else mask[:, :, rows]
        by_mask = here
        if here is not None and here.dtype != np.bool_:
            scores, by_mask = scores + here, here != -np.inf
        seen = both(visible(pattern, distance), by_mask)
        scores = _only(seen, scores, -np.inf)
        factors = _factors(pattern, scores.shape, first, T, q.dtype)
        yield _Part(rows, scores, seen, capped, factors)


def _only(seen: Array | None, x: Array, other: float = 0.0) -> Array:
    """x where it is seen, else the other number, whatever x holds there."""
    return x if seen is None else np.where(seen, x, x.dtype.type(other))


def _factors(
    pattern: Pattern, shape: tuple[int, ...], first: int, T: int, dtype: npt.DTypeLike
) -> Array | None:
    """Dropout's factors for the queries from `first` on, of all T."""
    if not pattern.dropout:
        return None
    B, N, rows, S = shape
    factors = np.empty((B * N, rows * S), dtype)
    for head in range(B * N):
        at = (head * T + first) * S
        factors[head] = dropout_factors(pattern.key, at, rows * S, pattern.dropout, dtype)
    return factors.reshape(shape)


def _grouped(x: Array, like: Array) -> Array:
    """(B, N, rows, size) as (B, M, G, rows, size), for products with M heads."""
    B, N, rows, size = x.shape
    M = like.shape[1]
    return x.reshape(B, M, N // M, rows, size)


def _product(weights: Array, values: Array, seen: Array | None) -> Array:
    """Σ_j weights[i,j] values[j], where only what is seen counts: 0 times NaN is NaN, so rows of
    values that hold anything like it are added by themselves."""
    if seen is None or np.isfinite(values).all():
        y: Array = _grouped(weights, values) @ values[:, :, None]
        return y.reshape(*weights.shape[:3], values.shape[3])
    finite = np.all(np.isfinite(values), -1)
    y = _product(weights, np.where(finite[..., None], values, 0), None)
    see: Array = np.broadcast_to(seen, weights.shape)
    group = weights.shape[1] // values.shape[1]
    for b, n, j in np.argwhere(~np.repeat(finite, group, 1) & np.any(see, 2)):
        share = weights[b, n, :, j, None] * values[b, n // group, j]
        y[b, n] += _only(see[b, n, :, j, None], share)
    return y


def _turned_product(weights: Array, rows: Array, like: Array, seen: Array | None) -> Array:
    """Σ_i weights[i,j] rows[i], over a group's heads too, where only what is seen counts."""
    if seen is None or np.isfinite(rows).all():
        x: Array = (_grouped(weights, like).mT @ _grouped(rows, like)).sum(2)
        return x
    finite = np.all(np.isfinite(rows), -1)
    x = _turned_product(weights, np.where(finite[..., None], rows, 0), like, None)
    see: Array = np.broadcast_to(seen, weights.shape)
    group = weights.shape[1] // like.shape[1]
    for b, n, i in np.argwhere(~finite & np.any(see, 3)):
        share = weights[b, n, i, :, None] * rows[b, n, i]
        x[b, n // group] += _only(see[b, n, i, :, None], share)
    return x


def _add_reduced(total: Array, share: Array, rows: slice) -> None:
    """Adds to the gradient of a mask, summed over the dimensions in which it was stretched."""
    axes = tuple(a for a in range(4) if total.shape[a] == 1)
    share = share.sum(axes, keepdims=True)
    if total.shape[2] == 1:
        total += share
    else:
        total[:, :, rows] += share
