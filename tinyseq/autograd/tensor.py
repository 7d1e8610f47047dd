"""Tensor: an array that remembers how it was made.

That memory is the whole graph. A Tensor made by an operation keeps the operation (`op`), the
Tensors it was given (`inputs`) and its other arguments (`params`); a Tensor made from data, a
leaf, keeps nothing. So every arrow points from a result back to its causes, there are no cycles,
and a graph is gone as soon as nobody holds its last Tensor.

`order` counts Tensors as they are made; constants, which no gradient reaches, do without. A result
is always younger than its causes, and that is all the backward walk (walk.py) has to know about
the shape of the graph.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from tinyseq.autograd.anomaly import Note
    from tinyseq.autograd.hooks import Hooks
    from tinyseq.autograd.op import Op

Array = npt.NDArray[Any]

next_order = count(1).__next__
NOTHING: dict[str, Any] = {}  # the params of whatever has none


class Tensor:
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
        "__weakref__", "data", "grad", "hooks", "inputs", "note", "op", "order", "params",
        "requires_grad",
    )  # fmt: skip

    # NumPy's operators stand back, so that array + Tensor arrives at Tensor.__radd__.
    __array_ufunc__ = None

    data: Array
    grad: Tensor | None
    hooks: Hooks | None
    note: Note  # there only if it was made under detect_anomaly
    op: Op | None
    inputs: tuple[Any, ...]
    params: dict[str, Any]
    order: int
    requires_grad: bool

    def __init__(self, data: Any, requires_grad: bool = False) -> None:
        if type(data) is not np.ndarray:
            data = to_array(data)
        if requires_grad and data.dtype.kind != "f":
            raise TypeError(f"requires_grad: expected floating-point data, got {data.dtype}")
        self.data = data
        self.grad = None
        self.hooks = None
        self.op = None
        self.inputs = ()
        self.params = NOTHING
        self.order = next_order()
        self.requires_grad = requires_grad

    # ---- what it is ----

    @property
    def shape(self) -> tuple[int, ...]:
        """Its size along each dimension."""
        return self.data.shape

    @property
    def ndim(self) -> int:
        """How many dimensions it has."""
        return self.data.ndim

    @property
    def dtype(self) -> np.dtype[Any]:
        """The NumPy dtype of its elements."""
        return self.data.dtype

    @property
    def is_leaf(self) -> bool:
        """Whether it was made from data, not by a recorded operation."""
        return self.op is None

    def size(self, dim: int | None = None) -> Any:
        """Its shape, or its size along one dimension."""
        return self.shape if dim is None else self.shape[dim]

    def numel(self) -> int:
        """How many elements it has."""
        return self.data.size

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a 0-d Tensor")
        return self.shape[0]

    def __repr__(self) -> str:
        body = np.array2string(self.data, separator=", ", precision=4, prefix="tensor(")
        notes = "" if self.dtype in (np.float32, np.int64, np.bool_) else f", dtype={self.dtype}"
        if self.op is not None:
            notes += f", made by {self.op.name}"
        elif self.requires_grad:
            notes += ", requires_grad=True"
        return f"tensor({body}{notes})"

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else str(self)

    def __reduce__(self) -> tuple[Any, ...]:
        # Copying or pickling makes a new Tensor, for the walk knows each by its own `order`.
        if self.op is not None:
            raise RuntimeError("copy: only a leaf can be copied or pickled; detach() it first")
        return type(self), (self.data, self.requires_grad), (None, {"grad": self.grad})

    # ---- out of the graph ----

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

    def item(self) -> Any:
        """Its only element, as a Python number.

        Raises:
            ValueError: if it has more elements than one, or none.
        """
        if self.data.size != 1:
            raise ValueError(f"item(): expected one element, got shape {self.shape}")
        return self.data.item()

    def tolist(self) -> Any:
        """Its elements as nested lists of Python numbers."""
        return self.data.tolist()

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
        if not self.order:
            self.order = next_order()
        self.requires_grad = requires_grad
        return self

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __bool__(self) -> bool:
        return bool(self.item())

    if TYPE_CHECKING:
        # Operators and methods are ops; tinyseq/ops/bind.py puts them here from one table.
        def __getattr__(self, name: str) -> Any: ...
        def __add__(self, other: Any) -> Tensor: ...
        def __neg__(self) -> Tensor: ...
        def __getitem__(self, index: Any) -> Tensor: ...

        __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __add__
        __pow__ = __rpow__ = __matmul__ = __rmatmul__ = __lt__ = __le__ = __gt__ = __ge__ = __add__
        __abs__ = __neg__


def to_array(data: Any) -> Array:
    """Whatever was given as a NumPy array of numbers; plain Python floats become float32.

    Raises:
        TypeError: if it holds anything but numbers and truth values.
    """
    if isinstance(data, Tensor):
        return data.data
    array = np.asarray(data)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"Tensor: expected numbers, got {type(data).__name__} of {array.dtype}")
    if array.dtype == np.float64 and not isinstance(data, np.ndarray | np.generic):
        return array.astype(np.float32)
    return array
