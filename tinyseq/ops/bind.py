"""The one table that gives Tensor its operators and methods."""

from collections.abc import Callable
from typing import Any

import numpy as np

from tinyseq.autograd import Op, Tensor
from tinyseq.ops import (
    activation,
    elementwise,
    erf,
    functions,
    indexing,
    linalg,
    masking,
    matmul,
    norm,
    reduce,
    repeat,
    scatter,
    shape,
    softmax,
    sorting,
)


def plain(function: Callable[..., Any]) -> Callable[..., Any]:
    """An op's own function, which Python binds to `self` when it is looked up, unlike an Op."""
    return function.__call__ if isinstance(function, Op) else function


def reflected(function: Callable[..., Any]) -> Callable[..., Any]:
    """The operator of a Tensor that stands on the right."""
    call = plain(function)
    return lambda x, other: call(other, x)


METHODS: dict[str, Callable[..., Any]] = {
    "__neg__": elementwise.neg,
    "__abs__": elementwise.abs,
    "__add__": elementwise.add,
    "__sub__": elementwise.sub,
    "__mul__": elementwise.mul,
    "__truediv__": elementwise.div,
    "__pow__": elementwise.pow,
    "__matmul__": matmul.matmul,
    "__radd__": reflected(elementwise.add),
    "__rsub__": reflected(elementwise.sub),
    "__rmul__": reflected(elementwise.mul),
    "__rtruediv__": reflected(elementwise.div),
    "__rpow__": reflected(elementwise.pow),
    "__rmatmul__": reflected(matmul.matmul),
    "__lt__": elementwise.lt,
    "__le__": elementwise.le,
    "__gt__": elementwise.gt,
    "__ge__": elementwise.ge,
    "__eq__": elementwise.eq,
    "__ne__": elementwise.ne,
    "__getitem__": indexing.getitem,
    "__contains__": lambda x, value: bool(reduce.any(elementwise.eq(x, value))),
    "__iter__": lambda x: iter(shape.unbind(x)),
    "__and__": elementwise.bitwise_and,
    "__or__": elementwise.bitwise_or,
    "__xor__": elementwise.bitwise_xor,
    "__invert__": elementwise.bitwise_not,
    "__rand__": reflected(elementwise.bitwise_and),
    "__ror__": reflected(elementwise.bitwise_or),
    "__rxor__": reflected(elementwise.bitwise_xor),
    "__floordiv__": lambda x, other: functions.div(x, other, rounding_mode="floor"),
    "__rfloordiv__": lambda x, other: functions.div(other, x, rounding_mode="floor"),
    "bool": lambda x: elementwise.to(x, np.bool_),
    "int": lambda x: elementwise.to(x, np.int32),
    "long": lambda x: elementwise.to(x, np.int64),
    "float": lambda x: elementwise.to(x, np.float32),
    "double": lambda x: elementwise.to(x, np.float64),
    "view": shape.reshape,
    "where": lambda x, condition, other: elementwise.where(condition, x, other),
    "contiguous": lambda x: x,  # whatever its layout, every op takes it
    "clone": lambda x: elementwise.mul(x, 1),
}

# What is a method under its own name.
for module, names in {
    elementwise: "abs neg mul pow exp log sqrt square reciprocal sign tanh sigmoid "
    "relu maximum minimum lt le gt ge eq ne bitwise_and bitwise_or bitwise_xor bitwise_not to",
    functions: "add sub div clamp cos expm1 floor log1p round rsqrt sin tan",
    erf: "erf",
    activation: "logsigmoid",
    reduce: "sum mean prod var std amax amin argmax argmin logsumexp cumsum any all",
    norm: "norm",
    sorting: "max min sort topk",
    shape: "reshape flatten permute transpose squeeze unsqueeze expand broadcast_to flip split "
    "chunk unbind",
    repeat: "repeat roll tile",
    indexing: "gather index_select take_along_dim",
    scatter: "scatter_add index_add index_put",
    masking: "masked_fill tril triu",
    linalg: "outer dot bmm",
    matmul: "matmul",
    softmax: "softmax log_softmax",
}.items():
    for name in names.split():
        METHODS[name] = getattr(module, name)


for name, function in METHODS.items():
    setattr(Tensor, name, plain(function))
Tensor.__hash__ = object.__hash__  # type: ignore[method-assign]  # == compares elements, not Tensors
Tensor.T = property(lambda x: shape.permute(x, tuple(reversed(range(x.ndim)))))  # type: ignore[attr-defined]
Tensor.mT = property(lambda x: shape.transpose(x, -1, -2))  # type: ignore[attr-defined]
