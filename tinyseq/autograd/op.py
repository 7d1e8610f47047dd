"""Op: a function of arrays and the rule for its gradient.

    @op
    def tanh(x):                       # arrays in, array out
        return backend.tanh(x)

    @tanh.vjp
    def _(g, y, x):                    # Tensors in, Tensors out
        return g * (1 - y * y),

The rule is the vector-Jacobian product: from g, the gradient of some scalar with respect to the
result y, to the gradients with respect to each input. It is written in ops itself, so running it
can be recorded like anything else, and the gradient of a gradient needs no second rule.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tinyseq.autograd.modes import switch
from tinyseq.autograd.tensor import Array, Tensor, next_order

Rule = Callable[..., tuple[Any, ...]]

SCALARS = (int, float, bool)
RESULTS = (np.ndarray, tuple)  # a tuple is a fused op's
FLOAT64 = np.dtype(np.float64)

REGISTRY: dict[str, Op] = {}  # every op by name; the tests go through it


class Op:
    """A differentiable operation; see this module's beginning for how one is written."""

    def __init__(self, forward: Callable[..., Any]) -> None:
        self.forward = forward
        self.rule: Rule | None = None
        self.name = forward.__name__
        self.__name__ = forward.__name__
        self.__doc__ = forward.__doc__
        REGISTRY[self.name] = self

    def vjp(self, rule: Rule) -> Rule:
        """Attach the rule `(g, y, *inputs, **params) -> one gradient or None per input`.

        A gradient may have the shape that broadcasting gave the input: the engine sums it down.
        """
        self.rule = rule
        return rule

    def __call__(self, *inputs: Any, **params: Any) -> Tensor:
        """Run forward, and remember it if some input's gradient may be asked for.

        Args:
            inputs: Tensors; arrays become constant Tensors; Python numbers, or None for an input
                that is left out, go through as they are.
            params: everything else the operation depends on; no gradient flows to it. One named
                dtype says that forward chooses the result's dtype.

        Returns:
            The result, float64 only if an input is: NumPy would also make it of whole numbers.
        """
        arrays = []
        wanted = False
        for x in inputs:
            if isinstance(x, Tensor):
                arrays.append(x.data)
                wanted = wanted or x.requires_grad
            elif x is None or type(x) in SCALARS:
                arrays.append(x)
            else:
                return self(*map(as_input, inputs), **params)
        data = self.forward(*arrays, **params)
        if type(data) not in RESULTS:
            data = np.asarray(data)  # NumPy hands out scalars where a result has no dimensions
        if type(data) is np.ndarray and data.dtype is FLOAT64 and "dtype" not in params:
            data = narrow(data, arrays)
        y = Tensor.__new__(Tensor)
        y.data = data
        y.grad = None
        y.order = next_order()
        # A step function has no rule: what comes out of it is a constant.
        if wanted and switch.recording and self.rule is not None:
            y.op, y.inputs, y.params, y.requires_grad = self, inputs, params, True
        else:
            y.op, y.inputs, y.params, y.requires_grad = None, (), {}, False
        return y

    def __repr__(self) -> str:
        return f"<op {self.name}>"


def op(forward: Callable[..., Any]) -> Op:
    """Make an Op of a function from arrays to an array; its gradient follows with `.vjp`."""
    return Op(forward)


def as_input(x: Any) -> Any:
    """An array as a constant Tensor; NumPy's scalars as Python's: a float64 one would promote."""
    if isinstance(x, np.generic):
        x = x.item()
    return x if isinstance(x, Tensor) or x is None or type(x) in SCALARS else Tensor(x)


def narrow(data: Array, arrays: list[Any]) -> Array:
    """A float64 result in float32, unless some input is float64 or a tuple, taken as it is."""
    for a in arrays:
        if type(a) is tuple or (isinstance(a, np.ndarray) and a.dtype.type is np.float64):
            return data
    return data.astype(np.float32)
