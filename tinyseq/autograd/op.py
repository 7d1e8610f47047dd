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
from tinyseq.autograd.tensor import Tensor, next_order

Rule = Callable[..., tuple[Any, ...]]

SCALARS = (int, float, bool)

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
            params: everything else the operation depends on; no gradient flows to it.
        """
        arrays = []
        wanted = False
        for i, x in enumerate(inputs):
            if isinstance(x, Tensor):
                arrays.append(x.data)
                wanted = wanted or x.requires_grad
            elif x is None or type(x) in SCALARS:
                arrays.append(x)
            else:
                # NumPy's scalars count as Python's, or a float64 one would promote float32.
                x = x.item() if isinstance(x, np.generic) else Tensor(x)
                inputs = (*inputs[:i], x, *inputs[i + 1 :])
                arrays.append(x.data if isinstance(x, Tensor) else x)
        data = self.forward(*arrays, **params)
        return record(self, data, inputs, params, wanted and switch.recording)

    def __repr__(self) -> str:
        return f"<op {self.name}>"


def op(forward: Callable[..., Any]) -> Op:
    """Make an Op of a function from arrays to an array; its gradient follows with `.vjp`."""
    return Op(forward)


def record(
    operation: Op, data: Any, inputs: tuple[Any, ...], params: dict[str, Any], wanted: bool
) -> Tensor:
    """The result of an operation as a Tensor that remembers it, if wanted."""
    y = Tensor.__new__(Tensor)
    # NumPy hands out scalars where a result has no dimensions; a fused op's data are a tuple.
    y.data = data if isinstance(data, np.ndarray | tuple) else np.asarray(data)  # type: ignore[assignment]
    y.grad = None
    y.order = next_order()
    # A step function has no rule: what comes out of it is a constant.
    if wanted and operation.rule is not None:
        y.op, y.inputs, y.params, y.requires_grad = operation, inputs, params, True
    else:
        y.op, y.inputs, y.params, y.requires_grad = None, (), {}, False
    return y
