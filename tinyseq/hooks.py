"""Hooks: functions of yours that see a Tensor's gradient when it is whole, and may replace it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

from tinyseq.autograd.broadcast import add
from tinyseq.autograd.modes import switch
from tinyseq.autograd.tensor import Tensor

Hook = Callable[[Tensor], Any]

next_key = count().__next__


class Hooks(dict[int, Hook]):
    """A Tensor's hooks by key, in the order in which they were registered."""

    retain = False  # whether the Tensor, though no leaf, keeps its gradient


class Handle:
    """What `register_hook` returns; it does not keep the Tensor alive."""

    def __init__(self, hooks: Hooks, key: int) -> None:
        self._hooks, self._key = hooks, key

    def remove(self) -> None:
        """Take the hook away; a second time does nothing."""
        self._hooks.pop(self._key, None)


def register_hook(x: Tensor, hook: Hook) -> Handle:
    """Call hook(gradient) in every backward walk, once the gradient of this Tensor is whole.

    Hooks run in the order in which they were registered. What one returns, unless None, takes the
    gradient's place: for the next one, for `grad`, and for all that the Tensor was made from.
    The Tensors have their turns from the youngest to the oldest, so parameters come last (PyTorch
    calls a leaf's hooks as soon as its gradient is whole).

    Returns:
        A handle, whose `remove()` takes the hook away again.

    Raises:
        RuntimeError: if the Tensor requires no gradient.
        TypeError, ValueError: in the walk, if hook returns anything but None or a Tensor of the
            gradient's shape and dtype.
    """
    handle = Handle(hooks_of(x, "register_hook"), next_key())
    handle._hooks[handle._key] = hook
    return handle


def retain_grad(x: Tensor) -> None:
    """Let `backward` fill in this Tensor's `grad` though it is no leaf, after its hooks.

    Raises:
        RuntimeError: if the Tensor requires no gradient.
    """
    hooks_of(x, "retain_grad").retain = x.op is not None


def hooks_of(x: Tensor, where: str) -> Hooks:
    """Its hooks, from now on."""
    if not x.requires_grad:
        raise RuntimeError(f"{where}: the Tensor does not require a gradient")
    if x.hooks is None:
        x.hooks = Hooks()
    return x.hooks


def run_hooks(x: Tensor, g: Tensor) -> Tensor:
    """The gradient as the hooks leave it; kept, too, where that was asked for."""
    assert x.hooks is not None
    for hook in list(x.hooks.values()):
        given = hook(g)
        if given is None:
            continue
        if not isinstance(given, Tensor):
            raise TypeError(f"hook: expected a Tensor or None, got {type(given).__name__}")
        if (given.shape, given.dtype) != (g.shape, g.dtype):
            raise ValueError(
                f"hook: expected a gradient of shape {g.shape} and {g.dtype}, "
                f"got {given.shape} and {given.dtype}"
            )
        g = given
    if x.hooks.retain:
        # It may be changed in place later and goes on from here, so this is another array.
        own = g if switch.recording else Tensor(g.data.copy())
        x.grad = own if x.grad is None else add(x.grad, own)
    return g
