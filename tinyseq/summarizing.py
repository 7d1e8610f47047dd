"""summary: a model as a table of its layers, with what each puts out and holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, NamedTuple

from tinyseq.autograd import Tensor, no_grad
from tinyseq.nn import Module

HEAD = ("Layer", "Output shape", "Parameters", "Bytes")


class Row(NamedTuple):
    """A layer of a `Summary`; parameters are its own, without those of the layers in it, and
    without those that an earlier row has."""

    name: str  # dotted, as in named_modules
    kind: str
    depth: int
    shape: str  # of what it put out, the last time it was called; "" if never
    parameters: int
    bytes: int


class Summary(NamedTuple):
    """What `summary` found; printed, it is a table."""

    rows: list[Row]
    parameters: int
    trained: int  # those of them that get a gradient
    bytes: int

    def __str__(self) -> str:
        lines = [HEAD] + [
            (
                "  " * row.depth
                + (f"{row.name.rpartition('.')[2]}: " if row.name else "")
                + row.kind,
                row.shape or "-",
                f"{row.parameters:,}",
                f"{row.bytes:,}",
            )
            for row in self.rows
        ]
        lines.append(("Total", "", f"{self.parameters:,}", f"{self.bytes:,}"))
        left, middle, *right = (max(map(len, column)) for column in zip(*lines, strict=True))
        text = [
            f"{name:<{left}}  {shape:<{middle}}  {count:>{right[0]}}  {size:>{right[1]}}".rstrip()
            for name, shape, count, size in lines
        ]
        rule = "-" * max(map(len, text))
        frozen = self.parameters - self.trained
        body = [text[0], rule, *text[1:-1], rule, text[-1]]
        return "\n".join(body + [f"{frozen:,} of them frozen"] * (frozen > 0))


def summary(model: Module, *inputs: Any, **named: Any) -> Summary:
    """A table of a model's layers: name, shape of the output, number and bytes of parameters.

    The model is called once, in evaluation, without recording; a layer that is called more than
    once shows what it put out last. A parameter that several layers share is counted once, where it
    comes first; buffers are not counted.

    Args:
        model: any Module.
        inputs, named: what it is called with: Tensors, arrays, lengths=.

    Returns what prints as the table; its ``rows``, ``parameters``, ``trained`` and ``bytes`` are
    the numbers in it.

    Raises what calling the model raises; TypeError when it is no Module.
    """
    if not isinstance(model, Module):
        raise TypeError(f"summary: expected a Module, got {type(model).__name__}")
    modules = list(model.named_modules())
    shapes: dict[int, str] = {}
    modes = [(module, module.training) for _, module in modules]
    with ExitStack() as watches, no_grad():
        for _, module in modules:
            watches.enter_context(_watched(module, shapes))
        try:
            model.eval()
            model(*inputs, **named)
        finally:
            for module, training in modes:
                module.training = training
    rows, seen = [], set()
    for name, module in modules:
        own = [p for key, p in module.named_parameters() if "." not in key and id(p) not in seen]
        seen |= set(map(id, own))
        rows.append(
            Row(
                name,
                type(module).__name__,
                name.count(".") + bool(name),
                shapes.get(id(module), ""),
                sum(p.data.size for p in own),
                sum(p.data.nbytes for p in own),
            )
        )
    return Summary(
        rows,
        sum(row.parameters for row in rows),
        sum(p.data.size for p in model.parameters() if p.requires_grad),
        sum(row.bytes for row in rows),
    )


@contextmanager
def _watched(module: Module, shapes: dict[int, str]) -> Iterator[None]:
    """Inside, the shape of what a module puts out is noted whenever its forward is called."""
    forward: Callable[..., Any] = module.forward
    own = vars(module).get("forward")

    def noting(*args: Any, **kwargs: Any) -> Any:
        output = forward(*args, **kwargs)
        shapes[id(module)] = _shape(output)
        return output

    module.forward = noting  # type: ignore[method-assign]
    try:
        yield
    finally:
        if own is None:
            del module.forward
        else:
            module.forward = own  # type: ignore[method-assign]


def _shape(output: Any) -> str:
    """Of several things put out the first that is a Tensor."""
    if isinstance(output, Tensor):
        return str(output.shape)
    parts = output if isinstance(output, tuple | list) else ()
    return next((shape for shape in map(_shape, parts) if shape), "")
