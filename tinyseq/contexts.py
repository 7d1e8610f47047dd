"""Context managers that also decorate functions, and generator functions step by step."""

from collections.abc import Callable, Generator
from contextlib import AbstractContextManager
from functools import wraps
from inspect import isgeneratorfunction
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


class Decorating:
    """For a class of context managers: calling one decorates a function.

    The function then runs inside a context of its own, each call anew. Of a generator function each
    step does: between two values what holds is the caller's.
    """

    def again(self) -> AbstractContextManager[None]:
        """Another of the same kind; the class gives it."""
        raise NotImplementedError

    def __call__(self, function: F) -> F:
        @wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            with self.again():
                return function(*args, **kwargs)

        @wraps(function)
        def generate(*args: Any, **kwargs: Any) -> Generator[Any, Any, Any]:
            steps = function(*args, **kwargs)
            step, sent = steps.send, None
            while True:
                try:
                    with self.again():
                        value = step(sent)
                except StopIteration as end:
                    return end.value
                try:
                    step, sent = steps.send, (yield value)
                except BaseException as error:  # thrown in from outside: the function's to handle
                    step, sent = steps.throw, error

        return generate if isgeneratorfunction(function) else run  # type: ignore[return-value]
