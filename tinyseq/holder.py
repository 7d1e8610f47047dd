"""Holder: what can be asked of anything that holds an array, whatever else it is.

Shape, dtype and the ways out to plain Python numbers, and the way in: which arrays are made of
what is given, and of what an operation returns. Nothing here knows about gradients.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from tinyseq.autograd import Tensor

Array = npt.NDArray[Any]

FLOAT64 = np.dtype(np.float64)


class Holder:
    """Something with an array in `data`."""

    __slots__ = ("data",)

    # NumPy's operators stand back, so that array + Tensor arrives at Tensor.__radd__.
    __array_ufunc__ = None

    data: Array

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

    def size(self, dim: int | None = None) -> Any:
        """Its shape, or its size along one dimension."""
        return self.shape if dim is None else self.shape[dim]

    def dim(self) -> int:
        """How many dimensions it has."""
        return self.data.ndim

    def numel(self) -> int:
        """How many elements it has."""
        return self.data.size

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a 0-d Tensor")
        return self.shape[0]

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

    def __float__(self) -> float:
        return float(self.item())

    def __int__(self) -> int:
        return int(self.item())

    def __bool__(self) -> bool:
        return bool(self.item())

    def __format__(self, spec: str) -> str:
        return format(self.item(), spec) if spec else str(self)

    if TYPE_CHECKING:
        # Operators and methods are ops; tinyseq/ops/bind.py gives them to Tensor from one table.
        def __getattr__(self, name: str) -> Any: ...
        def __add__(self, other: Any) -> Tensor: ...
        def __neg__(self) -> Tensor: ...
        def __getitem__(self, index: Any) -> Tensor: ...

        __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __truediv__ = __rtruediv__ = __add__
        __pow__ = __rpow__ = __matmul__ = __rmatmul__ = __lt__ = __le__ = __gt__ = __ge__ = __add__
        __and__ = __rand__ = __or__ = __ror__ = __xor__ = __rxor__ = __floordiv__ = __add__
        __rfloordiv__ = __add__
        __abs__ = __invert__ = __neg__


def to_array(data: Any) -> Array:
    """Whatever was given as a NumPy array of numbers; plain Python floats become float32.

    Raises:
        TypeError: if it holds anything but numbers and truth values.
    """
    if isinstance(data, Holder):
        return data.data
    array = np.asarray(data)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"Tensor: expected numbers, got {type(data).__name__} of {array.dtype}")
    if array.dtype == np.float64 and not isinstance(data, np.ndarray | np.generic):
        return array.astype(np.float32)
    return array


def settle(data: Any, inputs: tuple[Any, ...], params: dict[str, Any]) -> Any:
    """What an operation made of inputs and params, as it is to be held.

    That is an array even where NumPy gave a scalar, and float32 unless float64 went in or was
    named. A tuple, of several results, is left alone.
    """
    if type(data) is tuple:
        return data
    data = np.asarray(data)
    if data.dtype != FLOAT64 or "dtype" in params:
        return data
    given: list[Any] = [x.data for x in inputs if isinstance(x, Holder)]
    if any(type(a) is tuple or a.dtype.type is np.float64 for a in given):
        return data
    return data.astype(np.float32)
