"""Module: something with parameters that can be called."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

import numpy as np
from numpy.typing import DTypeLike

from tinyseq.autograd import Tensor

M = TypeVar("M", bound="Module")


class Parameter(Tensor):
    """A Tensor that a Module owns and an optimizer changes.

    Args:
        data: its first value, floats; an array is kept, not copied.
        requires_grad: False freezes it.
    """

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = True) -> None:
        super().__init__(data, requires_grad)


class KeyMismatch(NamedTuple):
    """What `Module.load_state_dict` passed over when it was not strict."""

    missing_keys: list[str]
    unexpected_keys: list[str]


class Module:
    """A part of a model: parameters, buffers and smaller modules, found by looking at attributes.

    A subclass assigns them in ``__init__`` and defines ``forward``::

        class Two(nn.Module):
            def __init__(self) -> None:
                self.first = nn.Linear(3, 4)
                self.second = nn.Linear(4, 1)

            def forward(self, x: ts.Tensor) -> ts.Tensor:
                return self.second(self.first(x).tanh())

    There is nothing behind it: every attribute that is a Parameter is a parameter, every attribute
    that is a Module is a child, in the order of assignment.
    """

    training: bool = True
    _buffers: tuple[str, ...] = ()  # names of the attributes that are buffers

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """What the module computes; a subclass gives it."""
        raise NotImplementedError(f"{type(self).__name__} has no forward()")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self.forward(*args, **kwargs)

    def register_buffer(self, name: str, tensor: Tensor) -> None:
        """Make a Tensor that is not trained, such as a running mean, part of the state.

        Raises TypeError when it is no Tensor.
        """
        if not isinstance(tensor, Tensor):
            raise TypeError(f"register_buffer: expected a Tensor, got {type(tensor).__name__}")
        setattr(self, name, tensor)
        self._buffers = (*self._buffers, name)

    # What there is inside

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Name and module of each direct child."""
        for name, value in vars(self).items():
            if isinstance(value, Module):
                yield name, value

    def children(self) -> Iterator[Module]:
        """Each direct child."""
        return (child for _, child in self.named_children())

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """Dotted name and module: itself, its children, theirs; a shared module comes once."""
        return _once(self._tree(prefix))

    def modules(self) -> Iterator[Module]:
        """Itself and every module below it."""
        return (module for _, module in self.named_modules())

    def named_parameters(self, prefix: str = "") -> Iterator[tuple[str, Parameter]]:
        """Dotted name and parameter, of all modules; a shared parameter comes once."""
        return _once(
            (_join(path, name), value)
            for path, module in self._tree(prefix)
            for name, value in vars(module).items()
            if isinstance(value, Parameter)
        )

    def parameters(self) -> Iterator[Parameter]:
        """Every parameter, for an optimizer."""
        return (parameter for _, parameter in self.named_parameters())

    def named_buffers(self, prefix: str = "") -> Iterator[tuple[str, Tensor]]:
        """Dotted name and buffer, of all modules; a shared buffer comes once."""
        return _once(
            (_join(path, name), getattr(module, name))
            for path, module in self._tree(prefix)
            for name in module._buffers
        )

    def buffers(self) -> Iterator[Tensor]:
        """Every buffer."""
        return (buffer for _, buffer in self.named_buffers())

    def _tree(self, prefix: str) -> Iterator[tuple[str, Module]]:
        yield prefix, self
        for name, child in self.named_children():
            yield from child._tree(_join(prefix, name))

    # State

    def state_dict(self) -> dict[str, Tensor]:
        """Dotted name -> Tensor, of all parameters and buffers; the memory is the module's own.

        A shared parameter is there under each of its names, as in PyTorch.
        """
        state: dict[str, Tensor] = {}
        for path, module in self._tree(""):
            for name, value in vars(module).items():
                if isinstance(value, Parameter) or name in module._buffers:
                    state[_join(path, name)] = value.detach()
        return state

    def load_state_dict(self, state: Mapping[str, Any], strict: bool = True) -> KeyMismatch:
        """Copy values into the parameters and buffers; all of them or, on an error, none.

        Args:
            state: dotted name -> anything NumPy can read (Tensor, array, a CPU torch.Tensor).
                Values are converted to each parameter's own dtype.
            strict: whether names that are missing or not known are an error.

        Returns the missing and the unexpected names, both empty when ``strict``.

        Raises ValueError, with every mismatch listed, when a shape differs, when a parameter shared
        under two names would get two values, or when ``strict`` and a name is missing or
        unexpected.
        """
        own = self.state_dict()
        arrays = {
            name: value.data if isinstance(value, Tensor) else np.asarray(value)
            for name, value in state.items()
            if name in own
        }
        missing = [name for name in own if name not in state]
        unexpected = [name for name in state if name not in own]
        problems = [
            f"{name} must be {own[name].shape}, got {array.shape}"
            for name, array in arrays.items()
            if own[name].shape != array.shape
        ]
        first: dict[int, str] = {}  # memory -> the name under which it gets its value
        for name, array in arrays.items():
            other = first.setdefault(id(own[name].data), name)
            if other != name and not np.array_equal(array, arrays[other], equal_nan=True):
                problems.append(f"{other} and {name} are one here and have two values")
        if strict:
            problems += [f"missing {name}" for name in missing]
            problems += [f"unexpected {name}" for name in unexpected]
        if problems:
            raise ValueError(f"{type(self).__name__}.load_state_dict: " + "; ".join(problems))
        for name, array in arrays.items():
            own[name].data[...] = array
        return KeyMismatch(missing, unexpected)

    # Modes

    def train(self: M, mode: bool = True) -> M:
        """Switch itself and all below it to training (dropout on); returns itself."""
        for module in self.modules():
            module.training = mode
        return self

    def eval(self: M) -> M:
        """Switch itself and all below it to evaluation (dropout off); returns itself."""
        return self.train(False)

    def to(self: M, dtype: DTypeLike) -> M:
        """Convert all parameters and buffers of floats to another float type; returns itself.

        Raises TypeError when the type is not a float type.
        """
        if not np.issubdtype(dtype, np.floating):
            raise TypeError(f"{type(self).__name__}.to: expected a float type, got {dtype}")
        for tensor in (*self.parameters(), *self.buffers()):
            if np.issubdtype(tensor.dtype, np.floating):
                tensor.data = tensor.data.astype(dtype)
                tensor.grad = None
        return self

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for parameter in self.parameters():
            parameter.grad = None

    def apply(self: M, fn: Callable[[Module], None]) -> M:
        """Call ``fn`` on every module, children before parents, as an initialiser; returns itself.

        A shared module is visited once.
        """
        for module in reversed(list(self.modules())):
            fn(module)
        return self

    def extra_repr(self) -> str:
        """What stands between the brackets when the module is printed."""
        return ""

    def __repr__(self) -> str:
        name = type(self).__name__
        children = [f"({key}): {child!r}" for key, child in self.named_children()]
        if not children:
            return f"{name}({self.extra_repr()})"
        body = "\n".join(children).replace("\n", "\n  ")
        return f"{name}(\n  {body}\n)"


T = TypeVar("T")


def _once(named: Iterator[tuple[str, T]]) -> Iterator[tuple[str, T]]:
    seen: set[int] = set()
    for name, value in named:
        if id(value) not in seen:
            seen.add(id(value))
            yield name, value


def _join(prefix: str, name: str) -> str:
    return f"{prefix}.{name}" if prefix else name
