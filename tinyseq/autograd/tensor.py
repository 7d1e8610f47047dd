"""Tensor: an array that remembers how it was made.

That memory is the whole graph. A Tensor made by an operation keeps the operation (`op`), the
Tensors it was given (`inputs`) and its other arguments (`params`); a Tensor made from data, a
leaf, keeps nothing. So every arrow points from a result back to its causes, there are no cycles,
and a graph is gone as soon as nobody holds its last Tensor.

`order` counts Tensors as they are made. A result is always younger than its causes, and that is
all the backward walk (walk.py) has to know about the shape of the graph.

Its shape, dtype and numbers a Tensor has from Holder (tinyseq/holder.py), its operators and methods
from the ops (tinyseq/ops/bind.py).
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np

from tinyseq.holder import Array, Holder, to_array

if TYPE_CHECKING:
    from tinyseq.anomaly import Note
    from tinyseq.autograd.op import Op
    from tinyseq.hooks import Hooks

__all__ = ["NOTHING", "Array", "Tensor", "next_order", "to_array"]

next_order = count(1).__next__
NOTHING: dict[str, Any] = {}  # the params of whatever has none


class Tensor(Holder):
    """An n-dimensional array of one dtype, with a gradient if asked for.

    Args:
        data: a NumPy array, kept, not copied; anything else is converted, plain Python
            floats to float32. `tinyseq.tensor` copies.
        requires_grad: whether gradients with respect to it are wanted.

    Raises:
        TypeError: if gradients are wanted of anything but floating-point numbers, or the data
            are not numbers.
    """

    __slots__ = (
        "__weakref__", "grad", "hooks", "inputs", "note", "op", "order", "params", "requires_grad",
    )  # fmt: skip

    grad: Tensor | None
    hooks: Hooks | None
    note: Note  # there only if it was made under detect_anomaly
    op: Op | None
    inputs: tuple[Any, ...]
    params: dict[str, Any]
    order: int
    requires_grad: bool

    def __init__(self, data: Any, requires_grad: bool = False) -> None:
        if type(data) is not np.ndarray or data.dtype.kind not in "fiub":
            data = to_array(data)
        if requires_grad and data.dtype.kind != "f":
            raise TypeError(f"requires_grad: expected floating-point data, got {data.dtype}")
        self.data = data
        self.grad = self.hooks = self.op = None
        self.inputs = ()
        self.params = NOTHING
        self.order = next_order()
        self.requires_grad = requires_grad

    @property
    def is_leaf(self) -> bool:
        """Whether it was made from data, not by a recorded operation."""
        return self.op is None

    def __repr__(self) -> str:
        body = np.array2string(self.data, separator=", ", precision=4, prefix="tensor(")
        notes = "" if self.dtype in (np.float32, np.int64, np.bool_) else f", dtype={self.dtype}"
        if self.op is not None:
            notes += f", made by {self.op.name}"
        elif self.requires_grad:
            notes += ", requires_grad=True"
        return f"tensor({body}{notes})"

    def __reduce__(self) -> tuple[Any, ...]:
        # Copying or pickling makes a new Tensor, for the walk knows each by its own `order`.
        if self.op is not None:
            raise RuntimeError("copy: only a leaf can be copied or pickled; detach() it first")
        return type(self), (self.data, self.requires_grad), (None, {"grad": self.grad})

    def numpy(self) -> Array:
        """Its array, shared, not copied.

        Raises:
            RuntimeError: if it requires a gradient; `detach` it first.
        """
        if self.requires_grad:
            raise RuntimeError("numpy(): the Tensor requires a gradient; use .detach().numpy()")
        return self.data

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return np.array(self.numpy(), dtype=dtype, copy=copy)

    def detach(self) -> Tensor:
        """The same array as a leaf that needs no gradient."""
        return Tensor(self.data)

    def requires_grad_(self, requires_grad: bool = True) -> Tensor:
        """Switch a leaf's gradient on or off; returns the Tensor itself.

        Raises:
            RuntimeError: if an operation made it: it follows from its inputs then.
            TypeError: if its elements are no floating-point numbers.
        """
        if self.op is not None:
            raise RuntimeError("requires_grad_: only a leaf can be switched; detach() it first")
        if requires_grad and self.dtype.kind != "f":
            raise TypeError(f"requires_grad_: expected floating-point data, got {self.dtype}")
        self.requires_grad = requires_grad
        return self
