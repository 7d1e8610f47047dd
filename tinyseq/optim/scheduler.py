"""What all schedulers share: a count of steps, and the rates that the groups began with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tinyseq.optim.fitting import not_negative, whole
from tinyseq.optim.optimizer import Optimizer


class LRScheduler:
    """Sets the learning rate of every group as a function of how often `step` was called.

    A subclass gives that function, `rates`. It begins from the rates that the groups have when
    their first scheduler is made ("initial_lr" in the group), and sets that of step 0 at once.

    Args:
        optimizer: whose groups.
    """

    def __init__(self, optimizer: Optimizer) -> None:
        self.name = type(self).__name__
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{self.name}: expected an Optimizer, got {type(optimizer).__name__}")
        self.optimizer = optimizer
        for group in optimizer.param_groups:
            group.setdefault("initial_lr", group["lr"])
        self.base_lrs: list[float] = [group["initial_lr"] for group in optimizer.param_groups]
        self.last_epoch = 0  # PyTorch's name; how often `step` was called
        self.apply(0)

    def rates(self, step: int) -> list[float]:
        """The learning rate of each group after ``step`` calls of `step`; a subclass gives it."""
        raise NotImplementedError

    def apply(self, step: int) -> None:
        """Give the groups their rates."""
        for group, rate in zip(self.optimizer.param_groups, self.rates(step), strict=True):
            group["lr"] = rate

    def step(self) -> None:
        """Count one step, or one epoch, and set the learning rates that come next."""
        self.apply(self.last_epoch + 1)
        self.last_epoch += 1

    def get_last_lr(self) -> list[float]:
        """The learning rate of each group as it is now."""
        return [group["lr"] for group in self.optimizer.param_groups]

    def state_dict(self) -> dict[str, Any]:
        """The count and the first rates, as JSON has them; settings are the constructor's."""
        return {"last_epoch": self.last_epoch, "base_lrs": list(self.base_lrs)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where another scheduler of the same kind was; rates are the optimizer's state.

        Raises ValueError, and changes nothing, when it does not fit.
        """
        where = f"{self.name}.load_state_dict"
        check_keys(where, state, ("last_epoch", "base_lrs"))
        count = whole(where, "last_epoch", state["last_epoch"])
        rates = state["base_lrs"]
        if not isinstance(rates, list | tuple) or len(rates) != len(self.base_lrs):
            raise ValueError(f"{where}: base_lrs must be {len(self.base_lrs)} rates, got {rates!r}")
        self.base_lrs = [not_negative(where, "base_lrs", rate) for rate in rates]
        self.last_epoch = count


def check_keys(where: str, state: Any, keys: tuple[str, ...]) -> None:
    """Raise ValueError when a state is not a dictionary of exactly these keys."""
    if not isinstance(state, Mapping) or set(state) != set(keys):
        got = sorted(map(str, state)) if isinstance(state, Mapping) else type(state).__name__
        raise ValueError(f"{where}: expected {', '.join(keys)}, got {got}")
