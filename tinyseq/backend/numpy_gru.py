"""A step of the GRU in NumPy, reset after the product ("gru") or before it ("gru_before")::

r, z = σ(part_x + part_h)
n = tanh(part_x_n + r part_h_n),   or tanh(part_x_n + part_h_n) with part_h_n of r hm
h~ = (1 - z) n + z h
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from tinyseq.backend.numpy_elementwise import sigmoid, tanh
from tinyseq.backend.numpy_products import ALL, CellBackward, product
from tinyseq.backend.recurrent import Saved, Weights, groups_of

Array = npt.NDArray[Any]


def forward(
    cell: str, part_x: Array, hm: Array, h: Array, c: None, w: Weights
) -> tuple[Array, None, Saved]:
    """See `numpy_recurrent`."""
    gates, new = groups_of(cell, h.shape[1])
    if cell == "gru":
        part = product(hm, w.w_hh, w.norm_hh, w.b_hh, (gates, new))
        r, z = np.split(sigmoid(part_x[:, gates] + part.value[:, gates]), 2, 1)
        inner = part.value[:, new]
        n = tanh(part_x[:, new] + r * inner)
        hat, scale = part.hat, part.scale
    else:
        first = _of_rows(hm, w, gates)
        r, z = np.split(sigmoid(part_x[:, gates] + first.value), 2, 1)
        second = _of_rows(r * hm, w, new)
        inner = None
        n = tanh(part_x[:, new] + second.value)
        hat, scale = (
            None if a is None or b is None else np.concatenate((a, b), 1)
            for a, b in ((first.hat, second.hat), (first.scale, second.scale))
        )
    saved = Saved(np.concatenate((r, z, n), 1), inner=inner, hat_h=hat, scale_h=scale)
    return (1 - z) * n + z * h, None, saved


def _of_rows(v: Array, w: Weights, rows: slice) -> Any:
    gain, bias = (None if a is None else a[rows] for a in (w.norm_hh, w.b_hh))
    return product(v, w.w_hh[rows], gain, bias, (ALL,))


class Backward(CellBackward):
    """See `CellBackward`."""

    def start(self) -> None:
        """What can be computed of all steps at once."""
        self.r, self.z, self.n = np.split(self.saved.gates, 3, 1)
        if self.cell == "gru":
            self.d_h = np.empty_like(self.d_x)
            self.raw_h = self.d_h if self.w.norm_hh is None else self.raw_h

    def step(self, at: slice, dh: Array, dc: None) -> tuple[Array, Array, None]:
        """One step."""
        r, z, n, hm = self.r[at], self.z[at], self.n[at], self.hm[at]
        d_z = dh * (self.h_before[at] - n) * z * (1 - z)
        d_n = dh * (1 - z) * (1 - n * n)
        gates, new = self.groups
        if self.cell == "gru":
            d_r = d_n * self.saved.inner[at] * r * (1 - r)
            np.concatenate((d_r, d_z, d_n), 1, out=self.d_x[at])
            np.concatenate((d_r, d_z, d_n * r), 1, out=self.d_h[at])
            return self.through_h(at, 0) + self.through_h(at, 1), dh * z, None
        self.d_x[at, new] = d_n
        d_rhm = self.through_h(at, 1)
        d_r = d_rhm * hm * r * (1 - r)
        np.concatenate((d_r, d_z), 1, out=self.d_x[at, gates])
        return self.through_h(at, 0) + d_rhm * r, dh * z, None

    def gradients(self) -> dict[str, Array]:
        """Of the weights that x does not enter."""
        found = super().gradients()
        if self.cell == "gru_before":
            gates, new = self.groups
            of_gates, of_new = self.raw_h[:, gates], self.raw_h[:, new]
            found["w_hh"] = np.concatenate((of_gates.T @ self.hm, of_new.T @ (self.r * self.hm)))
        return found
