"""checkpoint: pay with time for memory, by computing again instead of remembering."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from tinyseq import random
from tinyseq.autograd import Array, Tensor, enable_grad, is_grad_enabled, op
from tinyseq.autograd.fused import item
from tinyseq.autograd.tensor import next_order
from tinyseq.autograd.walk import walk
from tinyseq.tree import tree_leaves, tree_map

__all__ = ["checkpoint"]


def checkpoint(fn: Callable[..., Any], *args: Any) -> Any:
    """fn(*args), keeping of what happens inside nothing but what went in and what came out.

    When a gradient is wanted, fn is called again with the same arguments and the same random
    numbers, and the gradient goes back through that second call: the same bits as without
    checkpoint. What fn reaches by other ways than its arguments, such as a module's parameters,
    gets its gradient too; it must not change between the two calls.

    Args:
        fn: anything that returns Tensors, or lists, tuples and dicts of them.
        args: the same.

    Returns:
        What fn returns.

    Raises:
        RuntimeError: in the backward walk, if fn does not do the same the second time.
    """
    if not is_grad_enabled():
        return fn(*args)
    state, begin = random.get_state(), next_order()
    value = fn(*args)
    made = recorded(value, begin)
    inputs = outside(made.values(), begin)
    if not inputs:
        return value
    # `whole` takes the place of all that fn recorded, which is gone once we return.
    results = tuple(y.data for y in made.values())
    whole = _checkpoint(*inputs, results=results, fn=fn, args=args, state=state)
    items = {order: item(whole, i=i) for i, order in enumerate(made)}
    return tree_map(lambda y: items.get(y.order, y) if isinstance(y, Tensor) else y, value)


@op
def _checkpoint(*inputs: Array, results: tuple[Array, ...], fn: Any, args: Any, state: Any) -> Any:
    return results


@_checkpoint.vjp
def _(
    g: dict[int, Tensor], y: Tensor, *inputs: Tensor, results: Any, fn: Any, args: Any, state: Any
) -> tuple[Any, ...]:
    before, begin = random.get_state(), next_order()
    random.set_state(state)
    try:
        with enable_grad():
            made = list(recorded(fn(*args), begin).values())
    finally:
        random.set_state(before)
    if [y.shape for y in made] != [a.shape for a in results]:
        raise RuntimeError("checkpoint: the function did not do the same the second time")
    shares: list[tuple[Tensor, Tensor]] = []
    walk([made[i] for i in g], list(g.values()), is_grad_enabled(), oldest=begin, beyond=shares)
    # Handed on one by one: summed here first, they might round differently.
    by_order: dict[int, list[Tensor]] = {x.order: [] for x in inputs}
    for x, share in reversed(shares):
        by_order[x.order].append(share)
    return tuple(by_order[x.order].pop() if by_order[x.order] else None for x in inputs)


def recorded(value: Any, begin: int) -> dict[int, Tensor]:
    """By order, each Tensor in the value that was made by an operation since `begin`."""
    tensors = (y for y in tree_leaves(value) if isinstance(y, Tensor))
    return {y.order: y for y in tensors if y.op is not None and y.order > begin}


def outside(made: Iterable[Tensor], begin: int) -> list[Tensor]:
    """The older Tensors they were made from and a gradient goes to, one entry for each use."""
    waiting, seen = list(made), set()
    found: list[Tensor] = []
    while waiting:
        y = waiting.pop()
        if y.order in seen:
            continue
        seen.add(y.order)
        for x in y.inputs:
            if isinstance(x, Tensor) and x.requires_grad:
                (waiting if x.order > begin else found).append(x)
    return found
