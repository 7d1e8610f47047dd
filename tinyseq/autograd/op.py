"""Op: a function of arrays and the rule for its gradient.

    @op
    def exp(x):                        # arrays in, array out
        return backend.exp(x)

    @exp.vjp
    def _(g, y, x):                    # Tensors in, Tensors out
        return g * y,

The rule is the vector-Jacobian product: from g, the gradient of some scalar with respect to the
result y, to the gradients with respect to each input. It is written in ops itself, so running it
can be recorded like anything else, and the gradient of a gradient needs no second rule.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import getfullargspec
from typing import Any

import numpy as np

from tinyseq.anomaly import note
from tinyseq.autograd.modes import NOTED, switch
from tinyseq.autograd.tensor import NOTHING, Tensor, next_order
from tinyseq.holder import FLOAT64, settle

Rule = Callable[..., tuple[Any, ...]]

SCALARS = frozenset((int, float, bool, type(None)))  # None: an input that is left out
ndarray, new = np.ndarray, object.__new__  # what every op needs, looked up once

REGISTRY: dict[str, Op] = {}  # every op by name; the tests go through it


class Op:
    """A differentiable operation; see this module's beginning for how one is written.

    Calling it runs forward, and remembers that if some input's gradient may be asked for.

    Args:
        inputs: Tensors; arrays become constant Tensors; Python numbers, or None for an input that
            is left out, go through as they are.
        params: by keyword, all else the operation depends on; no gradient flows to it. One named
            dtype says that forward chooses the result's dtype.

    Returns:
        The result, float64 only if an input is: NumPy would also make it of whole numbers.
    """

    def __init__(self, forward: Callable[..., Any]) -> None:
        self.forward = forward
        self.rule: Any = None  # a Rule, once it is attached
        self.name = self.__name__ = forward.__name__
        self.__doc__ = forward.__doc__
        self.__call__ = as_function(self)
        REGISTRY[self.name] = self

    # Each op's own, and not a method, so that Python calls it without a step between.
    __slots__ = ("__call__", "__dict__")
    __call__: Callable[..., Tensor]

    def vjp(self, rule: Rule) -> Rule:
        """Attach the rule `(g, y, *inputs, **params) -> one gradient or None per input`.

        A gradient may have the shape that broadcasting gave the input: the engine sums it down.
        """
        self.rule = rule
        return rule

    def __repr__(self) -> str:
        return f"<op {self.name}>"


def op(forward: Callable[..., Any]) -> Op:
    """Make an Op of a function from arrays to an array; its gradient follows with `.vjp`."""
    return Op(forward)


def result(op: Op, inputs: tuple[Any, ...], params: Any, data: Any, wanted: bool) -> Tensor:
    """The Tensor of what forward returned, with its memory if a gradient may be wanted."""
    if type(data) is not ndarray or data.dtype is FLOAT64:
        data = settle(data, inputs, params)
    y = new(Tensor)
    y.data, y.order = data, next_order()
    y.grad = y.hooks = None
    # A step function has no rule: what comes out of it is a constant.
    if wanted and (recording := switch.recording) and op.rule is not None:
        y.op, y.inputs, y.params = op, inputs, params
        y.requires_grad = True
        if recording == NOTED:
            note(y)
    else:
        y.op, y.inputs, y.params = None, (), NOTHING
        y.requires_grad = False
    return y


def as_input(x: Any) -> Any:
    """An array as a constant Tensor; NumPy's scalars as Python's: a float64 one would promote."""
    if isinstance(x, np.generic):
        x = x.item()
    return x if isinstance(x, Tensor) or type(x) in SCALARS else Tensor(x)


def as_function(op: Op) -> Any:
    """What calling the op does, as a plain function, which Python can bind as a method too.

    Most ops take one input, with or without params, or two and nothing else. Spelled out for
    these, a call on a small array takes two thirds of the time; `several` serves all the others.
    """
    forward = op.forward

    def one(x: Any) -> Tensor:
        if isinstance(x, Tensor):
            return result(op, (x,), NOTHING, forward(x.data), x.requires_grad)
        return several(x)

    def one_and_params(x: Any, **params: Any) -> Tensor:
        if isinstance(x, Tensor):
            return result(op, (x,), params, forward(x.data, **params), x.requires_grad)
        return several(x, **params)

    def two(a: Any, b: Any) -> Tensor:
        try:
            if isinstance(a, Tensor):
                if isinstance(b, Tensor):
                    wanted = a.requires_grad or b.requires_grad
                    return result(op, (a, b), NOTHING, forward(a.data, b.data), wanted)
                if type(b) in SCALARS:
                    return result(op, (a, b), NOTHING, forward(a.data, b), a.requires_grad)
            elif isinstance(b, Tensor) and type(a) in SCALARS:
                return result(op, (a, b), NOTHING, forward(a, b.data), b.requires_grad)
        except ValueError:
            pass  # said below, with the op's name
        return several(a, b)

    def several(*inputs: Any, **params: Any) -> Tensor:
        arrays, wanted = [], False
        for x in inputs:
            if isinstance(x, Tensor):
                arrays.append(x.data)
                wanted = wanted or x.requires_grad
            elif type(x) in SCALARS:
                arrays.append(x)
            else:
                return several(*map(as_input, inputs), **params)
        try:
            data = forward(*arrays, **params)
        except ValueError as error:
            if not str(error).startswith("operands could not be broadcast"):
                raise
            raise ValueError(f"{op.name}: {error}".strip()) from None  # NumPy does not know it
        return result(op, inputs, params, data, wanted)

    takes = getfullargspec(forward)
    number = 0 if takes.varargs or takes.varkw or takes.defaults else len(takes.args)
    known = {(1, False): one, (1, True): one_and_params, (2, False): two}
    return known.get((number, bool(takes.kwonlyargs)), several)
