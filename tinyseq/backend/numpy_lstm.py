"""A step of the LSTM in NumPy, with peepholes, layer norm of the cell, and projection::

a = part_x + part_h
i = σ(a_i + p_i c),  f = σ(a_f + p_f c),  g = tanh(a_g)
c~ = f c + i g
o = σ(a_o + p_o c~)
m = o tanh(c~), or with layer norm o tanh(norm_c hat(c~) + norm_c_bias)
h~ = m, or W_hr m
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from tinyseq.backend.numpy_elementwise import sigmoid, tanh
from tinyseq.backend.numpy_products import (
    ALL,
    CellBackward,
    normalized,
    normalized_backward,
    product,
)
from tinyseq.backend.recurrent import Saved, Weights

Array = npt.NDArray[Any]


def forward(
    cell: str, part_x: Array, hm: Array, h: Array, c: Array, w: Weights
) -> tuple[Array, Array, Saved]:
    """See `numpy_recurrent`."""
    part = product(hm, w.w_hh, w.norm_hh, w.b_hh, (ALL,))
    i, f, g, o = np.split(part_x + part.value, 4, 1)
    if w.peephole is not None:
        p_i, p_f, p_o = np.split(w.peephole, 3)
        i, f = i + p_i * c, f + p_f * c
    i, f, g = sigmoid(i), sigmoid(f), tanh(g)
    c = f * c + i * g
    o = sigmoid(o if w.peephole is None else o + p_o * c)
    hat, scale = None, None
    if w.norm_c is not None:
        hat, scales = normalized(c, (ALL,))
        scale = scales[:, 0]
    m = o * tanh(_seen(c, hat, w))
    h = m if w.w_hr is None else m @ w.w_hr.T
    gates = np.concatenate((i, f, g, o), 1)
    return h, c, Saved(gates, hat_h=part.hat, scale_h=part.scale, hat_c=hat, scale_c=scale)


def _seen(c: Array, hat: Array | None, w: Weights) -> Array:
    """What the output gate lets through, before its tanh."""
    seen: Array = c if hat is None else w.norm_c * hat + w.norm_c_bias
    return seen


class Backward(CellBackward):
    """See `CellBackward`."""

    def start(self) -> None:
        """What can be computed of all steps at once."""
        i, f, g, _ = self.gates = np.split(self.saved.gates, 4, 1)
        self.c = f * self.c_before + i * g
        self.tanh = tanh(_seen(self.c, self.saved.hat_c, self.w))
        self.d_out = np.empty_like(self.h_before)  # of h~
        self.d_seen = np.empty_like(self.c)

    def step(self, at: slice, dh: Array, dc: Array) -> tuple[Array, float, Array]:
        """One step."""
        w = self.w
        i, f, g, o = (gate[at] for gate in self.gates)
        before, t = self.c_before[at], self.tanh[at]
        dm = dh if w.w_hr is None else dh @ w.w_hr
        d_o = dm * t * o * (1 - o)
        d_seen = dm * o * (1 - t * t)
        self.d_out[at], self.d_seen[at] = dh, d_seen
        if w.norm_c is not None:
            hat, scale = self.saved.hat_c[at], self.saved.scale_c[at, None]
            d_seen = normalized_backward(d_seen * w.norm_c, hat, scale, (ALL,))
        dc = dc + d_seen
        if w.peephole is not None:
            p_i, p_f, p_o = np.split(w.peephole, 3)
            dc += p_o * d_o
        d_i, d_f, d_g = dc * g * i * (1 - i), dc * before * f * (1 - f), dc * i * (1 - g * g)
        dc = dc * f
        if w.peephole is not None:
            dc += p_i * d_i + p_f * d_f
        np.concatenate((d_i, d_f, d_g, d_o), 1, out=self.d_x[at])
        return self.through_h(at, 0), 0.0, dc

    def gradients(self) -> dict[str, Array]:
        """Of the weights that x does not enter."""
        found, w = super().gradients(), self.w
        if w.peephole is not None:
            d_i, d_f, _, d_o = np.split(self.d_x, 4, 1)
            seen = (d_i * self.c_before, d_f * self.c_before, d_o * self.c)
            found["peephole"] = np.concatenate([d.sum(0) for d in seen])
        if w.w_hr is not None:
            found["w_hr"] = self.d_out.T @ (self.gates[3] * self.tanh)
        if w.norm_c is not None:
            found["norm_c"] = (self.d_seen * self.saved.hat_c).sum(0)
            found["norm_c_bias"] = self.d_seen.sum(0)
        return found
