"""How training ends before its end."""

from __future__ import annotations


class Diverged(ArithmeticError):
    """A loss, gradient, weight or prediction is not finite; the message is a line for the user."""


class Interrupted(KeyboardInterrupt):
    """Ctrl-C or SIGTERM came while a model was trained; the step was finished first.

    Args:
        signal: the signal's number.
    """

    def __init__(self, signal: int) -> None:
        super().__init__(f"interrupted by signal {signal}")
        self.signal = signal
