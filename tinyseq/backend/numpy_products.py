"""What the recurrent cells are made of: W v + b, with layer norm or without, and its gradient."""

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from tinyseq.backend.recurrent import EPSILON, GATES, Saved, Weights, groups_of

Array = npt.NDArray[Any]
ALL = slice(None)
Groups = tuple[slice, ...]  # of the columns that are normalised together


class Product(NamedTuple):
    """gain hat + bias, or W v + bias, and what its gradient needs: see `normalized`."""

    value: Array
    hat: Array | None
    scale: Array | None


def product(v: Array, w: Array, gain: Array | None, bias: Array | None, groups: Groups) -> Product:
    """W v + b, or with layer norm gain hat(W v) + b, for rows v (S, K) and w (M, K)."""
    value, hat, scale = v @ w.T, None, None
    if gain is not None:
        hat, scale = normalized(value, groups)
        value = gain * hat
    if bias is not None:
        value += bias
    return Product(value, hat, scale)


def normalized(v: Array, groups: Groups) -> tuple[Array, Array]:
    """hat = (v - mean) scale, scale = 1 / sqrt(variance + ε), over each group of each row.

    Returns:
        hat (S, M) and scale (S, groups).
    """
    hat, scale = np.empty_like(v), np.empty((len(v), len(groups)), v.dtype)
    for k, group in enumerate(groups):
        centred = v[:, group] - v[:, group].mean(1, keepdims=True)
        scale[:, k] = 1 / np.sqrt(np.square(centred).mean(1) + EPSILON)
        hat[:, group] = centred * scale[:, k : k + 1]
    return hat, scale


def normalized_backward(d: Array, hat: Array, scale: Array, groups: Groups) -> Array:
    """From the gradient of hat to that of v::

    dv = scale (d - mean(d) - hat mean(d hat))
    """
    dv = np.empty_like(d)
    for k, group in enumerate(groups):
        g, n = d[:, group], hat[:, group]
        dv[:, group] = g - g.mean(1, keepdims=True) - n * (g * n).mean(1, keepdims=True)
        dv[:, group] *= scale[:, k : k + 1]
    return dv


class CellBackward:
    """A cell's steps backward, from the last to the first; a cell gives `step`.

    Args:
        cell, w: which, and its weights.
        saved: of the pairs in question.
        hm, h_before, c_before: h as it entered W_hh, h, and c before the step of each pair.

    On the way it fills, for all pairs, d_x and d_h (S, G H), the gradients of the two products'
    values, and raw_h, that of W_hh hm alone, before norm and bias.
    """

    def __init__(
        self, cell: str, w: Weights, saved: Saved, hm: Array, h_before: Array, c_before: Any
    ) -> None:
        self.cell, self.w, self.saved = cell, w, saved
        self.hm, self.h_before, self.c_before = hm, h_before, c_before
        self.groups = groups_of(cell, len(w.w_ih) // GATES[cell])
        self.d_x = self.d_h = np.empty_like(saved.gates)
        self.raw_h = self.d_h if w.norm_hh is None else np.empty_like(saved.gates)
        self.start()

    def start(self) -> None:
        """What can be computed of all steps at once."""

    def step(self, at: slice, dh: Array, dc: Any) -> tuple[Array, Any, Any]:
        """From the gradients of h~ and c~ to those of hm, of h where else it enters, and of c."""
        raise NotImplementedError

    def through_h(self, at: slice, k: int) -> Array:
        """From d_h to the gradient of what was multiplied, for the rows of W_hh in group k."""
        group, w, saved = self.groups[k], self.w, self.saved
        if w.norm_hh is not None:
            self.raw_h[at, group] = normalized_backward(
                self.d_h[at, group] * w.norm_hh[group],
                saved.hat_h[at, group],
                saved.scale_h[at, k : k + 1],
                (ALL,),
            )
        dv: Array = self.raw_h[at, group] @ w.w_hh[group]
        return dv

    def gradients(self) -> dict[str, Array]:
        """Of the weights that x does not enter."""
        found = {"w_hh": self.raw_h.T @ self.hm, "b_hh": self.d_h.sum(0)}
        if self.w.norm_hh is not None:
            found["norm_hh"] = (self.d_h * self.saved.hat_h).sum(0)
        return found
