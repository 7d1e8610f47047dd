"""Who may look at what: PyTorch's masks and our lengths, brought to what the kernels take."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from tinyseq import ops
from tinyseq.autograd import Array, Tensor
from tinyseq.nn.checks import as_numbers
from tinyseq.ops.lengths import check_lengths


class Visible(NamedTuple):
    """Which keys each query sees, for `scaled_dot_product_attention`."""

    mask: Tensor | None = None  # 4 dims: bool, True where a key takes part, or floats to add
    lengths: Array | None = None  # int64 (B,)
    causal: bool = False
    absent: Array | None = None  # bool (B,S): keys that no query sees


def visible(
    name: str,
    shape: tuple[int, int, int, int],
    dtype: Any,
    attn_mask: Any = None,
    key_padding_mask: Any = None,
    lengths: Any = None,
    is_causal: bool = False,
    names: tuple[str, str] = ("attn_mask", "key_padding_mask"),
) -> Visible:
    """Bring masks as PyTorch's modules take them, and lengths, together.

    Args:
        name: of the layer, for errors.
        shape: (B,N,T,S).
        dtype: that of a mask of floats.
        attn_mask: (T,S) or (B N,T,S); bool, True where a key is not seen, or floats to add.
        key_padding_mask: (B,S), likewise.
        lengths: how many keys of each row are real, (B,).
        is_causal: whether a query sees no key after its own place, counted from the end.
        names: of the two masks, for errors.

    A causal mask is recognised and left out, and a padding mask that hides the ends of rows becomes
    lengths: then whole tiles of keys are skipped, where a mask would have been read.
    """
    B, N, T, S = shape
    attn = _mask(name, names[0], attn_mask, ((T, S), (B * N, T, S)), dtype)
    padding = _mask(name, names[1], key_padding_mask, ((B, S),), dtype)
    absent = None
    if lengths is not None:
        lengths = check_lengths(name, lengths, B, S)
    if padding is not None:
        absent = padding.data if padding.dtype == bool else np.isneginf(padding.data)
        counts = S - absent.sum(1)
        if padding.dtype == bool and (absent == (np.arange(S) >= counts[:, None])).all():
            lengths = counts if lengths is None else np.minimum(lengths, counts)
            padding = None
    if lengths is not None:
        beyond = np.arange(S) >= lengths[:, None]
        absent = beyond if absent is None else absent | beyond
    if attn is not None and is_causal_mask(attn):
        attn, is_causal = None, True
    masks = []
    if attn is not None:
        masks.append(attn.reshape((1, 1, T, S) if attn.ndim == 2 else shape))
    if padding is not None:
        masks.append(padding.reshape((B, 1, 1, S)))
    return Visible(_together(masks, dtype), lengths, is_causal, absent)


def _mask(name: str, what: str, given: Any, shapes: Any, dtype: Any) -> Tensor | None:
    if given is None:
        return None
    mask = as_numbers(name, what, given)
    if mask.shape not in shapes:
        wanted = " or ".join(map(str, shapes))
        raise ValueError(f"{name}: {what} must be {wanted}, got {mask.shape}")
    if mask.dtype not in (bool, dtype):
        raise TypeError(f"{name}: {what} must be bool or {dtype}, got {mask.dtype}")
    return mask


def is_causal_mask(mask: Tensor) -> bool:
    """Whether a mask, (T,T) in PyTorch's meaning, hides what comes later and nothing else."""
    if mask.ndim != 2 or mask.shape[0] != mask.shape[1] or mask.requires_grad or not mask.numel():
        return False
    hidden = mask.data if mask.dtype == bool else np.isneginf(mask.data)
    if not hidden[0, -1]:  # the answer for most masks, without looking at the rest
        return False
    later = ~np.tri(len(hidden), dtype=bool)
    return bool((hidden == later).all() and (mask.dtype == bool or (mask.data[~later] == 0).all()))


def _together(masks: list[Tensor], dtype: Any) -> Tensor | None:
    if not masks:
        return None
    if all(mask.dtype == bool for mask in masks):
        hidden = masks[0].data if len(masks) == 1 else masks[0].data | masks[1].data
        return Tensor(~hidden)
    added = [
        Tensor(np.where(mask.data, -np.inf, 0.0).astype(dtype)) if mask.dtype == bool else mask
        for mask in masks
    ]
    return added[0] if len(added) == 1 else added[0] + added[1]


def finite(x: Tensor, absent: Array | None) -> Tensor:
    """x (B,S,...) with zeros for what is NaN or infinite in places that nobody sees.

    Attention leaves them out, but the products before it do not: 0 times NaN, in the gradient of a
    weight, would be NaN.
    """
    if absent is None:
        return x
    bad = absent[..., None] & ~np.isfinite(x.data)
    return ops.where(bad, 0.0, x) if bad.any() else x


def finite_both(key: Tensor, value: Tensor, absent: Array | None) -> tuple[Tensor, Tensor]:
    """`finite` of both; one Tensor if they were one."""
    whole = finite(key, absent)
    return whole, whole if value is key else finite(value, absent)


def within(x: Tensor, lengths: Array | None) -> Tensor:
    """x (B,T,E) with zeros from each row's length on."""
    if lengths is None:
        return x
    return ops.where((np.arange(x.shape[1]) < lengths[:, None])[..., None], x, 0.0)
