"""The backward walk: from outputs back to their causes, summing gradients on the way.

A Tensor's gradient is complete when every Tensor made from it has passed its share down. All of
those are younger than it is. So the walk keeps the Tensors that have received something in a heap
and always takes the youngest: when a Tensor comes up, nothing can be missing. That needs no
recursion, so a chain may be as long as memory allows, and no sorting of the graph beforehand.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from heapq import heappop, heappush
from typing import Any

import numpy as np

from tinyseq.anomaly import check_saved, check_shares
from tinyseq.autograd.broadcast import add, cast, sum_to
from tinyseq.autograd.modes import NOTED, Recording, switch
from tinyseq.autograd.op import Op
from tinyseq.autograd.tensor import NOTHING, Tensor
from tinyseq.hooks import run_hooks
from tinyseq.ownership import owned


def freed(*_: Any) -> Any:
    """The rule of a Tensor whose memory an earlier walk let go."""
    raise RuntimeError(
        "backward: this graph was freed by an earlier backward; give that one retain_graph=True"
    )


FREED = Op.__new__(Op)  # not made by Op(...), which would list it among the ops
FREED.name, FREED.forward, FREED.rule = "freed", freed, freed


@np.errstate(all="ignore")  # an infinity on the way is no news; for NaNs there is anomaly.py
def walk(
    outputs: Sequence[Tensor], seeds: Sequence[Any], keep: bool, wanted: Collection[int] = (),
    oldest: int = 0, beyond: list[tuple[Tensor, Any]] | None = None,
) -> dict[int, tuple[Tensor, Any]]:  # fmt: skip
    """Carry gradients from the outputs back to all they were made from.

    Args:
        outputs, seeds: where to start, and the gradient to start with at each.
        keep: False frees the graph on the way: what each Tensor remembers of its making.
        wanted: the orders of Tensors on the way whose gradient is asked for.
        oldest: do not go on to Tensors of a smaller order.
        beyond: to this is added each of these and its share, one entry for each use.

    Returns:
        By order, Tensor and whole gradient, of every leaf met and of what is wanted.
    """
    received: dict[int, tuple[Tensor, Any]] = {}  # by order: a Tensor and its gradient so far
    heap: list[int] = []  # their orders, negated: the youngest comes first
    found: dict[int, tuple[Tensor, Any]] = {}
    checking = switch.level == NOTED
    # The outputs receive the seeds as if one last operation had been made of them.
    inputs, shares = outputs, seeds
    while True:
        i = 0
        for share in shares:  # to make a zip takes longer than the loop
            x, i = inputs[i], i + 1
            if share is None or not isinstance(x, Tensor) or not x.requires_grad:
                continue
            fits = type(share) is Tensor and share.data.shape == x.data.shape
            if not fits or share.data.dtype is not x.data.dtype:
                share = fit(share, x)
            order = x.order
            if order in received:
                received[order] = x, merge(received[order][1], share)
            elif order >= oldest:
                received[order] = x, share
                heappush(heap, -order)
            elif beyond is not None:
                beyond.append((x, share))
        if not heap:
            return found
        order = -heappop(heap)
        y, g = received.pop(order)
        op, inputs = y.op, y.inputs
        if y.hooks is not None:
            g = run_hooks(y, g)
        if op is None or order in wanted:
            found[order] = y, g
            if op is None or order == oldest:  # nothing that it was made from is asked for
                shares = ()
                continue
        if checking:
            check_saved(y, g)
        rule, params, n = op.rule, y.params, len(inputs)
        # Spelled out for one and two inputs, as in op.py: a starred call takes twice the time.
        if n == 1 and not params:
            shares = rule(g, y, inputs[0])
        elif n == 2 and not params:
            shares = rule(g, y, inputs[0], inputs[1])
        else:
            shares = rule(g, y, *inputs, **params)
        if type(shares) is not tuple or len(shares) != n:
            raise TypeError(f"{op.name}.vjp: expected a tuple of {n}, got {shares!r}")
        if checking:
            check_shares(y, shares)
        if not keep:
            y.op, y.inputs, y.params = FREED, (), NOTHING


def fit(g: Any, x: Tensor) -> Any:
    """A gradient in the shape and dtype of its Tensor: broadcasting is undone by summing."""
    if isinstance(g, dict):  # by position, of several results
        return g
    if not isinstance(g, Tensor):
        raise TypeError(f"a gradient must be a Tensor, got {type(g).__name__}")
    if g.data.shape != x.data.shape:
        g = sum_to(g, shape=x.data.shape)
    return g if g.dtype == x.dtype else cast(g, dtype=x.dtype)


def merge(a: Any, b: Any) -> Any:
    """The sum of two gradients of one Tensor; of a tuple of results, {position: gradient}."""
    if isinstance(a, dict):
        for i, g in b.items():
            a[i] = add(a[i], g) if i in a else g
        return a
    return add(a, b)


def seed_for(y: Tensor, gradient: Any, where: str) -> Tensor:
    """The gradient to start from at y: 1 for a scalar, else what the caller gave, checked."""
    if not y.requires_grad:
        raise RuntimeError(f"{where}: the Tensor does not require a gradient")
    if gradient is None and y.data.size != 1:
        raise RuntimeError(f"{where}: a Tensor of shape {y.shape} needs a gradient to start from")
    if gradient is None:
        return Tensor(np.ones_like(y.data))
    seed = gradient if isinstance(gradient, Tensor) else Tensor(gradient)
    if seed.shape != y.shape:
        raise ValueError(f"{where}: expected a gradient of shape {y.shape}, got {seed.shape}")
    return seed if seed.dtype == y.dtype else cast(seed, dtype=y.dtype)


def backward(
    y: Tensor, gradient: Any = None, retain_graph: bool | None = None, create_graph: bool = False
) -> None:
    """Add d(y · gradient)/dx to x.grad for every leaf x that requires it.

    Args:
        y: any Tensor that requires a gradient.
        gradient: of y's shape; may be left out when y has one element, for 1.
        retain_graph: keep the graph for another walk; by default as create_graph.
        create_graph: record the walk, so that the gradients can be differentiated in turn.

    Raises:
        RuntimeError: if y requires no gradient, has several elements and no gradient is given,
            or its graph was freed.
        ValueError: if the gradient's shape is not y's.
    """
    seed = seed_for(y, gradient, "backward")
    keep = create_graph if retain_graph is None else retain_graph
    with Recording(create_graph):
        for x, g in owned(walk([y], [seed], keep), create_graph):
            x.grad = g if x.grad is None else add(x.grad, g)


def grad(
    outputs: Tensor | Sequence[Tensor], inputs: Tensor | Sequence[Tensor], grad_outputs: Any = None,
    create_graph: bool = False, retain_graph: bool | None = None, allow_unused: bool = False,
) -> tuple[Tensor | None, ...]:  # fmt: skip
    """The gradients of the outputs' sum, weighted by grad_outputs, with respect to the inputs.

    Args:
        outputs: one Tensor or several, each requiring a gradient.
        inputs: the Tensors to differentiate by, leaves or not.
        grad_outputs: for each output a gradient of its shape, or None for 1.
        create_graph: record the walk, so that the results can be differentiated in turn.
        retain_graph: keep the graph for another walk; by default as create_graph.
        allow_unused: give None for an input that the outputs do not depend on.

    Returns:
        A tuple with one gradient for each input. `.grad` is left alone.

    Raises:
        RuntimeError: as `backward`, and for an input that requires no gradient or, unless
            allowed, was not used.
        ValueError: if a gradient's shape is not its output's, or their numbers differ.
    """
    outputs = [outputs] if isinstance(outputs, Tensor) else list(outputs)
    inputs = [inputs] if isinstance(inputs, Tensor) else list(inputs)
    given = [None] * len(outputs) if grad_outputs is None else grad_outputs
    given = list(given) if isinstance(given, list | tuple) else [given]
    if len(given) != len(outputs):
        raise ValueError(f"grad: expected {len(outputs)} grad_outputs, got {len(given)}")
    if not all(x.requires_grad for x in inputs):
        raise RuntimeError("grad: an input does not require a gradient")
    seeds = [seed_for(y, g, "grad") for y, g in zip(outputs, given, strict=True)]
    keep = create_graph if retain_graph is None else retain_graph
    wanted = {x.order for x in inputs}
    with Recording(create_graph):
        # Nothing older than the oldest input can depend on an input.
        found = walk(outputs, seeds, keep, wanted, min(wanted, default=0))
    if not allow_unused and not wanted <= found.keys():
        raise RuntimeError("grad: an input was not used; allow_unused=True gives None for it")
    return tuple(found.get(x.order, (x, None))[1] for x in inputs)
