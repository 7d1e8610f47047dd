"""Derivatives of functions: value_and_grad, vjp, jvp, jacobian, hessian and hvp.

`inputs` is what the function is called with: a tuple of its arguments, or one argument alone. An
argument, and what the function returns, may be a Tensor or any nesting of lists, tuples and dicts
with Tensors in it. Derivatives are taken by the floating-point Tensors; whatever else is there goes
through unchanged, and None stands in its place among the derivatives.

The names and the order of arguments are those of torch.autograd.functional. The inputs count as
constants, and so do the results, unless create_graph=True.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tinyseq.autograd import Tensor, enable_grad, grad
from tinyseq.autograd.broadcast import broadcast_to
from tinyseq.ops import stack
from tinyseq.tree import tree_leaves, tree_map

__all__ = ["hessian", "hvp", "jacobian", "jvp", "value_and_grad", "vjp"]

Function = Callable[..., Any]


def value_and_grad(fn: Function, argnums: int | tuple[int, ...] = 0) -> Function:
    """A function that calls fn and returns (value, gradients).

    Args:
        fn: returns a Tensor of one element.
        argnums: which positional argument to differentiate by, or which several.

    Returns:
        A function of fn's arguments. The gradients have that argument's structure; for several,
        they are a tuple. They and the value are constants.

    Raises:
        TypeError: when called, if fn's value is no Tensor of one element.
    """

    chosen = argnums if isinstance(argnums, tuple) else (argnums,)

    def run(*args: Any, **kwargs: Any) -> tuple[Tensor, Any]:
        def of_chosen(*arguments: Any) -> Any:
            given = list(args)
            for n, argument in zip(chosen, arguments, strict=True):
                given[n] = argument
            return fn(*given, **kwargs)

        call = _Call(of_chosen, tuple(args[n] for n in chosen), False)
        if not isinstance(call.value, Tensor) or call.value.numel() != 1:
            raise TypeError("value_and_grad: the function must return a Tensor of one element")
        gradients = call.like_inputs(_pull(call.results, call.leaves, [None], False))
        return call.value.detach(), gradients if isinstance(argnums, tuple) else gradients[0]

    return run


def vjp(fn: Function, inputs: Any, v: Any = None, create_graph: bool = False) -> tuple[Any, Any]:
    """fn's value and vᵀ J, the product of a vector with its Jacobian from the left.

    Args:
        fn: the function.
        inputs: where to differentiate; see the top of this file.
        v: in the structure of fn's value; may be left out when that is one Tensor of one element.
        create_graph: let the results be differentiated in turn.

    Returns:
        (value, product), the product in the structure of the inputs, zeros for what is not used.

    Raises:
        ValueError: if v does not have the structure or the shapes of the value.
        RuntimeError: if it is left out and the value is more than one number.
    """
    call = _Call(fn, inputs, create_graph)
    vs = [None] * len(call.results) if v is None else _aligned(v, call.value)
    return call.result(), call.like_inputs(_pull(call.results, call.leaves, vs, create_graph))


def jvp(fn: Function, inputs: Any, v: Any, create_graph: bool = False) -> tuple[Any, Any]:
    """fn's value and J v, the product of its Jacobian with a vector: the derivative along v.

    uᵀ J is linear in u, so the derivative of its product with v by u is J v, whatever u is: two
    backward walks make a forward one.

    Args:
        fn, inputs, create_graph: as in `vjp`.
        v: in the structure of the inputs.

    Returns:
        (value, product), the product in the structure of the value.

    Raises:
        ValueError: if v does not have the structure or the shapes of the inputs.
    """
    call = _Call(fn, inputs, create_graph)
    directions = _aligned(v, call.inputs)
    us = [Tensor(np.zeros_like(y.data), requires_grad=True) for y in call.results]
    products = _pull(call.results, call.leaves, us, True)
    along = _pull(products, us, directions, create_graph)
    return call.result(), call.like_value(along)


def jacobian(fn: Function, inputs: Any, create_graph: bool = False) -> Any:
    """All of J, row by row: one backward walk for each element of the value.

    Args:
        fn, inputs, create_graph: as in `vjp`.

    Returns:
        The structure of the value, in it the structure of the inputs, and there, for a Tensor y of
        the one and x of the other, dy/dx of shape y.shape + x.shape.
    """
    call = _Call(fn, inputs, create_graph)
    blocks = []
    for y in call.results:
        rows = []
        for at in range(y.numel()):
            unit = np.zeros_like(y.data, order="C")
            unit.reshape(-1)[at] = 1
            rows.append(_pull([y], call.leaves, [unit], create_graph, retain_graph=True))
        block = [
            stack([row[j] for row in rows]).reshape(y.shape + x.shape)
            if rows
            else Tensor(np.zeros(y.shape + x.shape, x.dtype))
            for j, x in enumerate(call.leaves)
        ]
        blocks.append(call.like_inputs(block))
    return call.like_value(blocks)


def hessian(fn: Function, inputs: Any, create_graph: bool = False) -> Any:
    """All second derivatives of a function with one number as its value.

    Args:
        fn, inputs, create_graph: as in `vjp`.

    Returns:
        The structure of the inputs, in each place of it the same again, and there, for Tensors x
        and z, the derivatives d²f/dx dz of shape x.shape + z.shape.
    """
    return jacobian(_gradient(fn, inputs), inputs, create_graph)


def hvp(fn: Function, inputs: Any, v: Any, create_graph: bool = False) -> tuple[Any, Any]:
    """The value of a function of one number, and its Hessian times v, without the Hessian.

    Args:
        fn, inputs, create_graph: as in `vjp`.
        v: in the structure of the inputs.

    Returns:
        (value, product), the product in the structure of the inputs.
    """
    call = _Call(fn, inputs, create_graph)
    # vᵀ H is H v, for H is symmetric.
    gradients = _pull(call.results, call.leaves, [None] * len(call.results), True)
    products = _pull(gradients, call.leaves, _aligned(v, call.inputs), create_graph)
    return call.result(), call.like_inputs(products)


def _gradient(fn: Function, inputs: Any) -> Function:
    """The gradient of fn, in the structure of the inputs."""

    def gradient(*args: Any) -> Any:
        return vjp(fn, args if isinstance(inputs, tuple) else args[0], create_graph=True)[1]

    return gradient


def _differentiable(x: Any) -> bool:
    return isinstance(x, Tensor) and x.dtype.kind == "f"


def _aligned(v: Any, tree: Any) -> list[Tensor]:
    """Those of v's parts that stand where the tree has something differentiable."""
    parts: list[Tensor] = []

    def take(x: Any, part: Any) -> None:
        if _differentiable(x):
            parts.append(part if isinstance(part, Tensor) else Tensor(part))

    tree_map(take, tree, v)
    return parts


def _pull(
    ys: Sequence[Tensor],
    xs: Sequence[Tensor],
    vs: Sequence[Any],
    create_graph: bool,
    retain_graph: bool | None = None,
) -> list[Tensor]:
    """Σ vᵀ dy/dx for each x, zeros where nothing depends on it."""
    used = [(y, v) for y, v in zip(ys, vs, strict=True) if y.requires_grad]
    with enable_grad():
        found = grad(
            [y for y, _ in used], xs, [v for _, v in used], create_graph, retain_graph, True
        )
    return [
        Tensor(np.zeros_like(x.data)) if g is None else g for x, g in zip(xs, found, strict=True)
    ]


class _Call:
    """A function called with fresh Tensors in place of its inputs, and all that was recorded."""

    def __init__(self, fn: Function, inputs: Any, create_graph: bool) -> None:
        self.inputs, self.create_graph = inputs, create_graph
        self.leaves: list[Tensor] = []
        args = inputs if isinstance(inputs, tuple) else (inputs,)
        with enable_grad():
            self.value = fn(*tree_map(self._fresh, args))
        self.results = [y for y in tree_leaves(self.value) if _differentiable(y)]

    def _fresh(self, x: Any) -> Any:
        if not _differentiable(x):
            return x
        # An alias leads back to the input; a leaf of the same data does not.
        leads_back = self.create_graph and x.requires_grad
        leaf = broadcast_to(x, shape=x.shape) if leads_back else Tensor(x.data, requires_grad=True)
        self.leaves.append(leaf)
        return self.leaves[-1]

    def result(self) -> Any:
        """The function's value, cut off from the graph unless that was asked for."""
        if self.create_graph:
            return self.value
        return tree_map(lambda y: y.detach() if isinstance(y, Tensor) else y, self.value)

    def like_inputs(self, parts: Sequence[Any]) -> Any:
        """The parts in the inputs' structure."""
        return _placed(parts, self.inputs)

    def like_value(self, parts: Sequence[Any]) -> Any:
        """The parts in the value's structure."""
        return _placed(parts, self.value)


def _placed(parts: Sequence[Any], tree: Any) -> Any:
    """The parts where the tree has something differentiable, None elsewhere."""
    left = iter(parts)
    return tree_map(lambda x: next(left) if _differentiable(x) else None, tree)
