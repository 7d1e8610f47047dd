"""A step of the plain recurrent network in NumPy: h~ = act(part_x + part_h)."""

from typing import Any

import numpy as np
import numpy.typing as npt

from tinyseq.backend.numpy_elementwise import tanh
from tinyseq.backend.numpy_products import ALL, CellBackward, product
from tinyseq.backend.recurrent import Saved, Weights

Array = npt.NDArray[Any]


def forward(
    cell: str, part_x: Array, hm: Array, h: Array, c: None, w: Weights
) -> tuple[Array, None, Saved]:
    """See `numpy_recurrent`."""
    part = product(hm, w.w_hh, w.norm_hh, w.b_hh, (ALL,))
    a = part_x + part.value
    new = tanh(a) if cell == "rnn_tanh" else np.maximum(a, 0)
    return new, None, Saved(gates=new, hat_h=part.hat, scale_h=part.scale)


class Backward(CellBackward):
    """See `CellBackward`."""

    def step(self, at: slice, dh: Array, dc: None) -> tuple[Array, float, None]:
        """One step."""
        h = self.saved.gates[at]
        self.d_x[at] = dh * (1 - h * h) if self.cell == "rnn_tanh" else np.where(h > 0, dh, 0)
        return self.through_h(at, 0), 0.0, None
