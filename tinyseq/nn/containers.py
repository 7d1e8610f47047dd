"""Modules made of modules."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar, overload

from tinyseq.nn.module import Module

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
    """Modules called one after the other, each on what the one before returned.

    Args:
        modules: the modules, in order.
    """

    def __init__(self, *modules: Module) -> None:
        super().__init__(modules)

    def forward(self, x: Any) -> Any:
        """The last module's result."""
        for module in self:
            x = module(x)
        return x
