"""graph: a picture of how a Tensor was made, to read or for Graphviz."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from tinyseq.autograd import Tensor
from tinyseq.nn import Module

__all__ = ["Graph", "graph"]


class Row(NamedTuple):
    """One Tensor of the graph."""

    name: str
    op: str
    inputs: tuple[str, ...]
    shape: str
    dtype: str
    bytes: int
    line: str


class Graph:
    """What `graph` returns: printed, it is a table; `dot()` is the same for Graphviz.

    `rows` has a row for each Tensor, causes before results.
    """

    def __init__(self, rows: Sequence[Row]) -> None:
        self.rows = rows

    def __str__(self) -> str:
        table: list[tuple[str, ...]] = [("name", "op", "shape", "dtype", "bytes", "line")]
        table += [
            (r.name, f"{r.op}({', '.join(r.inputs)})" if r.inputs else r.op, r.shape, r.dtype,
             f"{r.bytes:,}", r.line)
            for r in self.rows
        ]  # fmt: skip
        if not any(r.line for r in self.rows):
            table = [row[:-1] for row in table]
        widths = [max(map(len, column)) for column in zip(*table, strict=True)]
        lines = (
            "  ".join(
                cell.rjust(width) if i == 4 else cell.ljust(width)
                for i, (cell, width) in enumerate(zip(row, widths, strict=True))
            ).rstrip()
            for row in table
        )
        return "\n".join(lines)

    __repr__ = __str__

    def dot(self) -> str:
        """The graph in Graphviz's language: `dot -Tsvg` draws it, causes at the top."""
        lines = ["digraph {", "  node [shape=box, fontname=monospace]"]
        for r in self.rows:
            label = "\\n".join(filter(None, (f"{r.name}: {r.op}", f"{r.shape} {r.dtype}", r.line)))
            style = "" if r.inputs else ", style=filled, fillcolor=lightgrey"
            lines.append(f"  {_quoted(r.name)} [label={_quoted(label)}{style}]")
            lines += [f"  {_quoted(x)} -> {_quoted(r.name)}" for x in r.inputs]
        return "\n".join([*lines, "}"])


def graph(*outputs: Tensor, module: Module | None = None) -> Graph:
    """The graph behind some Tensors: every Tensor they were made from.

    Args:
        outputs: where to start.
        module: its parameters and buffers are shown by their names.

    Returns:
        A Graph, to be printed. Each row says what a Tensor is called, which op made it of which
        others, its shape, dtype and bytes, and, if it was made inside `detect_anomaly`, the line
        of the program that did. Tensors without a name are numbered in the order of their making.
    """
    known: dict[int, str] = {}
    if module is not None:
        for name, x in (*module.named_parameters(), *module.named_buffers()):
            known[id(x)] = name
    called: dict[int, str] = {}
    rows = []
    for number, x in enumerate(_causes_first(outputs)):
        name = called[id(x)] = known.get(id(x), f"%{number}")
        inputs = tuple(
            called[id(i)] if isinstance(i, Tensor) else str(i) for i in x.inputs if i is not None
        )
        rows.append(_row(x, name, inputs))
    return Graph(rows)


def _causes_first(outputs: Sequence[Tensor]) -> Iterator[Tensor]:
    """Every Tensor behind the outputs and these themselves, each after all of its inputs."""
    waiting, seen = [(y, False) for y in reversed(outputs)], set()
    while waiting:
        x, inputs_done = waiting.pop()
        if inputs_done:
            yield x
        elif id(x) not in seen:
            seen.add(id(x))
            waiting.append((x, True))
            waiting += [(i, False) for i in reversed(x.inputs) if isinstance(i, Tensor)]


def _row(x: Tensor, name: str, inputs: tuple[str, ...]) -> Row:
    kind = x.op.name.lstrip("_") if x.op is not None else "leaf" if x.requires_grad else "constant"
    arrays = [a for a in (x.data if isinstance(x.data, tuple) else (x.data,)) if a is not None]
    return Row(
        name,
        kind,
        inputs,
        " ".join(_shape(a) for a in arrays),
        " ".join(sorted({str(a.dtype) for a in arrays})),
        sum(a.nbytes for a in arrays),
        x.note.line if hasattr(x, "note") else "",
    )


def _shape(array: Any) -> str:
    return "×".join(map(str, array.shape)) or "()"


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '\\"') + '"'
