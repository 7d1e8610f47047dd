"""Modules made of modules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import cache
from typing import Any, TypeVar, overload

import numpy as np

from tinyseq.autograd import Tensor
from tinyseq.nn.module import Module
from tinyseq.nn.recurrent import Recurrent
from tinyseq.ops.creation import as_tensor
from tinyseq.ops.indexing import put, take
from tinyseq.ops.lengths import check_lengths

M = TypeVar("M", bound="ModuleList")


class ModuleList(Module):
    """Modules numbered from 0; it has no forward of its own.

    Args:
        modules: the modules, in order.
    """

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        for module in modules:
            self.append(module)

    def append(self, module: Module) -> None:
        """Add a module at the end.

        Raises TypeError when it is not a Module.
        """
        if not isinstance(module, Module):
            raise TypeError(
                f"{type(self).__name__}: expected a Module, got {type(module).__name__}"
            )
        setattr(self, str(len(self)), module)

    def __len__(self) -> int:
        return sum(1 for _ in self.children())

    def __iter__(self) -> Iterator[Module]:
        return self.children()

    @overload
    def __getitem__(self: M, index: slice) -> M: ...

    @overload
    def __getitem__(self, index: int) -> Module: ...

    def __getitem__(self, index: int | slice) -> Module:
        """The module with a number; for a slice, a container of its own that shares the modules."""
        found = list(self.children())[index]
        if isinstance(found, Module):
            return found
        part = type(self)()
        for module in found:
            part.append(module)
        return part


class Sequential(ModuleList):
    """Modules called one after the other, each on what the one before put out.

    Of a recurrent layer that is h at every step, without the state, also where it is the last.
    Lengths are handed to every module that takes them, up to a `LastStep`, after which there are
    no steps any more.

    Args:
        modules: the modules, in order.
    """

    def __init__(self, *modules: Module) -> None:
        super().__init__(modules)

    def forward(self, x: Any, lengths: Any = None) -> Any:
        """What the last module puts out.

        Args:
            x: what the first module takes.
            lengths: the steps of each row that are real, B whole numbers; all when not given.
        """
        for module in self:
            if lengths is not None and _takes_lengths(type(module).forward):
                x = module(x, lengths=lengths)
            else:
                x = module(x)
            if isinstance(module, Recurrent):
                x = x[0]
            elif _ends_steps(module):
                lengths = None
        return x


class LastStep(Module):
    """The last real step of each row: y_b = x_b[lengths_b - 1]; zeros where there is none.

    Of a bidirectional layer it holds, of the backward half, the h that has seen that step alone.
    """

    def forward(self, x: Any, lengths: Any = None) -> Tensor:
        """x (B,T,...) -> (B,...).

        Args:
            x: Tensor or array.
            lengths: the steps of each row that are real, B whole numbers from 0 to T; all T when
                not given. A row of length 0 gives zeros and gets no gradient.

        Raises ValueError when x has fewer than two axes or a length is out of range, TypeError when
        lengths are no whole numbers.
        """
        x = as_tensor(x)
        if x.ndim < 2:
            raise ValueError(f"LastStep: x must be (B, T, ...), got {x.shape}")
        B, T = x.shape[:2]
        if lengths is None:
            lengths = np.full(B, T)
        ends = check_lengths("LastStep", lengths, B, T)
        rows = np.flatnonzero(ends)
        if len(rows) == B:
            return take(x, key=(rows, ends - 1))
        return put(take(x, key=(rows, ends[rows] - 1)), shape=(B, *x.shape[2:]), key=rows)


@cache
def _takes_lengths(function: Callable[..., Any]) -> bool:
    from inspect import signature  # slow to import, and of use here alone

    return "lengths" in signature(function).parameters


def _ends_steps(module: Module) -> bool:
    inside = module if isinstance(module, Sequential) else ()
    return isinstance(module, LastStep) or any(map(_ends_steps, inside))
