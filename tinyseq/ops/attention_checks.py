"""What attention asks of its arguments."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt

from tinyseq import random
from tinyseq.autograd import Array, Tensor
from tinyseq.backend.attention import Pattern
from tinyseq.ops.creation import as_tensor
from tinyseq.ops.lengths import check_lengths
from tinyseq.ops.shape import reshape

Sizes = tuple[int, int, int, int]  # B, N, T, S

FARTHEST = 2**40  # a position beyond it is a mistake, and its distances might not fit 64 bits


def check_heads(name: str, q: Tensor, k: Tensor, v: Tensor) -> Sizes:
    """B, N, T and S, if the shapes and dtypes of query, key and value fit together."""
    for field, x in (("query", q), ("key", k), ("value", v)):
        if x.ndim != 4:
            raise ValueError(f"{name}: {field} must be (B, heads, time, size), got {x.shape}")
        if x.dtype.kind != "f":
            raise TypeError(f"{name}: {field} must hold floats, got {x.dtype}")
        if x.dtype != q.dtype:
            raise TypeError(f"{name}: {field} must be {q.dtype} as query is, got {x.dtype}")
    (B, N, T, d), (_, M, S, _) = q.shape, k.shape
    if k.shape[0] != B or k.shape[3] != d:
        raise ValueError(f"{name}: key must be ({B}, M, S, {d}), got {k.shape}")
    if v.shape[:3] != k.shape[:3]:
        raise ValueError(f"{name}: value must be ({B}, {M}, {S}, dv), got {v.shape}")
    if not d or not v.shape[3]:
        raise ValueError(f"{name}: sizes of heads must be at least 1, got {d} and {v.shape[3]}")
    _check_sharing(name, N, M)
    return B, N, T, S


def check_packed(name: str, qkv: Tensor, heads: int, kv_heads: int) -> tuple[Sizes, int]:
    """B, N, T and S, and d, if the shape of qkv fits the numbers of heads."""
    for field, n in (("heads", heads), ("kv_heads", kv_heads)):
        if not isinstance(n, int) or isinstance(n, bool):
            raise TypeError(f"{name}: {field} must be a whole number, got {n!r}")
    _check_sharing(name, heads, kv_heads)
    count = heads + 2 * kv_heads
    if qkv.ndim != 3 or qkv.shape[2] % count or not qkv.shape[2]:
        raise ValueError(f"{name}: qkv must be (B, T, {count} d), got {qkv.shape}")
    if qkv.dtype.kind != "f":
        raise TypeError(f"{name}: qkv must hold floats, got {qkv.dtype}")
    B, T, width = qkv.shape
    return (B, heads, T, T), width // count


def _check_sharing(name: str, N: int, M: int) -> None:
    if M < 1 or N < 1 or N % M:
        raise ValueError(
            f"{name}: the heads of queries must be a multiple of those of keys, got {N} and {M}"
        )


def as_mask(name: str, mask: Any, sizes: Sizes, dtype: npt.DTypeLike) -> Tensor | None:
    """A mask with 4 dimensions, each 1 or that of the sizes."""
    if mask is None:
        return None
    mask = as_tensor(mask)
    if mask.dtype not in (np.bool_, dtype):
        raise TypeError(f"{name}: attn_mask must be bool, or {dtype} as query is, got {mask.dtype}")
    shape = (1,) * (4 - mask.ndim) + mask.shape
    if len(shape) != 4 or any(n not in (1, size) for n, size in zip(shape, sizes, strict=True)):
        raise ValueError(f"{name}: attn_mask must broadcast to {sizes}, got {mask.shape}")
    return mask if mask.ndim == 4 else reshape(mask, shape)


def as_pattern(
    name: str, sizes: Sizes, d: int, *, dropout_p: float, is_causal: bool, scale: float | None,
    lengths: Any, window: int | None, slopes: Any, softcap: float | None, start: Any,
) -> Pattern:  # fmt: skip
    """The options as a Pattern, each checked, with a new key if there is dropout."""
    B, N, _, S = sizes
    if not 0.0 <= dropout_p <= 1.0:
        raise ValueError(f"{name}: dropout_p must be from 0 to 1, got {dropout_p}")
    if scale is not None and not math.isfinite(scale):
        raise ValueError(f"{name}: scale must be a finite number, got {scale}")
    if softcap is not None and not 0.0 < softcap < math.inf:
        raise ValueError(f"{name}: softcap must be above 0 and finite, got {softcap}")
    if window is not None:
        if not isinstance(window, int | np.integer) or isinstance(window, bool):
            raise TypeError(f"{name}: window must be a whole number, got {window!r}")
        if window < 1:
            raise ValueError(f"{name}: window must be at least 1, got {window}")
        window = min(int(window), 2 * FARTHEST)
    return Pattern(
        scale=d**-0.5 if scale is None else float(scale),
        causal=bool(is_causal),
        window=window or 0,
        lengths=None if lengths is None else check_lengths(name, lengths, B, S),
        start=None if start is None else _as_start(name, start, B),
        slopes=None if slopes is None else _as_slopes(name, slopes, N),
        softcap=softcap or 0.0,
        dropout=float(dropout_p),
        key=random.next_key() if dropout_p else 0,
    )


def _as_start(name: str, start: Any, B: int) -> Array:
    array = np.asarray(start)
    if array.shape != (B,):
        raise ValueError(f"{name}: start must be ({B},), got {array.shape}")
    if array.dtype.kind not in "iu" and array.size:
        raise TypeError(f"{name}: start must be whole numbers, got {array.dtype}")
    outside = (array < -FARTHEST) | (array > FARTHEST)
    if outside.any():
        raise ValueError(f"{name}: start must be a position, got {array[outside][0]}")
    return array.astype(np.int64)


def _as_slopes(name: str, slopes: Any, N: int) -> Array:
    slopes = as_tensor(slopes)
    if slopes.shape != (N,):
        raise ValueError(f"{name}: alibi_slopes must be ({N},), got {slopes.shape}")
    if slopes.dtype.kind != "f":
        raise TypeError(f"{name}: alibi_slopes must hold floats, got {slopes.dtype}")
    if slopes.requires_grad:
        raise ValueError(f"{name}: alibi_slopes are constants; what is learned goes in attn_mask")
    if not np.isfinite(slopes.data).all():
        raise ValueError(f"{name}: alibi_slopes must be finite, got {slopes.data}")
    array: Array = slopes.data
    return array
