"""What all optimizers share: groups of parameters, what is remembered of each, and both as a state.

A subclass says what its settings are and what one step does to some parameters of one group.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from tinyseq.autograd import Array, Tensor
from tinyseq.optim.fitting import fitting_groups, fitting_memory

Group = dict[str, Any]
Live = tuple[Tensor, Array, dict[str, Any]]  # a parameter, its gradient, what is remembered of it


class Optimizer:
    """Groups of parameters, each with its own settings.

    ``param_groups`` is a list of dictionaries: under "params" the parameters, and beside them every
    setting by its name. Assign to a group's "lr", or to ``lr`` for all groups, between steps.
    ``state`` holds, for each parameter that has taken a step, their number and some arrays.

    Args:
        parameters: the Tensors to change, at least one; or dictionaries, each with "params" and the
            settings that are to be others than those of the optimizer.
        defaults: a setting's name -> its value where a group has none of its own.

    Raises ValueError when there are no parameters, one of them was computed or is there twice, or a
    setting is not known or outside its range; TypeError when they are one Tensor instead of
    several or a model, or one of them is no Tensor.
    """

    memory: ClassVar[tuple[str, ...]] = ()  # every array that may be kept of a parameter
    needed: ClassVar[tuple[str, ...]] = ()  # those of them there always are after a step

    def __init__(self, parameters: Iterable[Any], defaults: Mapping[str, Any]) -> None:
        self.name = type(self).__name__
        if isinstance(parameters, Tensor):  # it would fall into its rows, which no gradient reaches
            raise TypeError(f"{self.name}: expected several Tensors, got one; put it into a list")
        if hasattr(parameters, "parameters"):
            found = type(parameters).__name__
            raise TypeError(f"{self.name}: expected Tensors, model.parameters(), got {found}")
        self.defaults = dict(defaults)
        self.param_groups: list[Group] = []
        self.state: dict[Tensor, dict[str, Any]] = {}
        given = list(parameters)
        if not given:
            raise ValueError(f"{self.name}: expected parameters, got none")
        grouped = any(isinstance(group, Mapping) for group in given)
        for group in given if grouped else [{"params": given}]:
            self.add_param_group(group)

    def add_param_group(self, group: Mapping[str, Any]) -> None:
        """Take more parameters.

        Args:
            group: "params", one Tensor or several, and settings that are not to be the defaults.

        Raises as the constructor does; nothing was added then.
        """
        if not isinstance(group, Mapping) or "params" not in group:
            raise TypeError(f"{self.name}: expected a dictionary with 'params', got {group!r}")
        given = group["params"]
        parameters = [given] if isinstance(given, Tensor) else list(given)
        known = set(map(id, self.parameters))
        for parameter in parameters:
            if not isinstance(parameter, Tensor):
                raise TypeError(f"{self.name}: expected Tensors, got {type(parameter).__name__}")
            if not parameter.is_leaf:
                raise ValueError(
                    f"{self.name}: expected leaves, got a Tensor that an operation made"
                )
            if id(parameter) in known:
                raise ValueError(f"{self.name}: a parameter {parameter.shape} is there twice")
            known.add(id(parameter))
        settings = {key: value for key, value in group.items() if key != "params"}
        unknown = sorted(map(str, settings.keys() - self.defaults.keys()))
        if unknown:
            raise ValueError(f"{self.name}: has no setting {unknown[0]!r}")
        checked = self.checked(self.defaults | settings)
        self.param_groups.append({"params": parameters, **checked})

    def checked(self, settings: Mapping[str, Any]) -> dict[str, Any]:
        """All settings of a group in their own types; a subclass gives it.

        Raises ValueError when one is outside its range.
        """
        raise NotImplementedError

    @property
    def parameters(self) -> list[Tensor]:
        """Those of all groups, in order."""
        return [parameter for group in self.param_groups for parameter in group["params"]]

    @property
    def lr(self) -> float:
        """The first group's learning rate; assigning to it sets that of every group."""
        rate: float = self.param_groups[0]["lr"]
        return rate

    @lr.setter
    def lr(self, lr: float) -> None:
        for group in self.param_groups:
            group["lr"] = lr

    def step(self) -> None:
        """Change, once, every parameter that has a gradient.

        Raises ValueError, before anything is changed, when a parameter's gradient or what is
        remembered of it has another shape than the parameter.
        """
        work: list[tuple[Group, dict[int, list[Live]]]] = []
        for group in self.param_groups:
            # Parameters that began together go together: in all ordinary cases one call a group.
            together: dict[int, list[Live]] = {}
            for parameter in group["params"]:
                if parameter.grad is not None:
                    memory = self.state.get(parameter) or {"step": 0}
                    gradient = parameter.grad.data
                    self._check_shapes(parameter, gradient, memory)
                    step = memory["step"] + 1
                    together.setdefault(step, []).append((parameter, gradient, memory))
            work.append((group, together))
        for group, together in work:
            for step, live in together.items():
                for parameter, _, memory in live:
                    memory["step"] = step
                    self.state[parameter] = memory
                parameters, gradients, memories = zip(*live, strict=True)
                self.update(group, [p.data for p in parameters], gradients, memories, step)

    def _check_shapes(self, parameter: Tensor, gradient: Array, memory: Mapping[str, Any]) -> None:
        """A kernel takes the parameter's size for that of all: it would write past the others."""
        shape = parameter.data.shape
        if gradient.shape != shape:
            self._complain(parameter, "grad", gradient)
        for key, array in memory.items():
            if key != "step" and array.shape != shape:
                self._complain(parameter, key, array)

    def _complain(self, parameter: Tensor, key: str, array: Array) -> None:
        i = next(i for i, p in enumerate(self.parameters) if p is parameter)
        raise ValueError(
            f"{self.name}: parameter {i} is {parameter.shape}, its {key} {array.shape}"
        )

    def update(
        self,
        group: Group,
        values: Sequence[Array],
        gradients: Sequence[Array],
        memories: Sequence[dict[str, Any]],
        step: int,
    ) -> None:
        """Change some values in place, this being their step number ``step``; see `step`."""
        raise NotImplementedError

    def zero_grad(self) -> None:
        """Forget the gradients of all parameters."""
        for parameter in self.parameters:
            parameter.grad = None

    def state_dict(self) -> dict[str, Any]:
        """All there is but the parameters' values: numbers, lists and names, and copied arrays.

        ::

            {"state": [{"step": 3, "exp_avg": array, ...}, ...],
             "param_groups": [{"params": [0, 1, ...], "lr": 0.001, ...}, ...]}

        Parameters are numbered through all groups; one that took no step yet has an empty state.
        """
        numbers = iter(range(len(self.parameters)))
        groups = [
            {
                key: [next(numbers) for _ in value] if key == "params" else _plain(value)
                for key, value in group.items()
            }
            for group in self.param_groups
        ]
        state = [
            {key: value if key == "step" else value.copy() for key, value in memory.items()}
            for memory in (self.state.get(parameter, {}) for parameter in self.parameters)
        ]
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on where another optimizer's `state_dict` was taken, with the settings it had then.

        Raises ValueError, and changes nothing, when it was taken with other parameters or by
        another kind of optimizer, or is damaged.
        """
        where = f"{self.name}.load_state_dict"
        groups = fitting_groups(where, state, self.param_groups, self.checked)
        memories = fitting_memory(where, state, self.parameters, self.memory, self.needed)
        for group, settings in zip(self.param_groups, groups, strict=True):
            group.update(settings)
        self.state = {
            parameter: memory
            for parameter, memory in zip(self.parameters, memories, strict=True)
            if memory
        }


def _plain(value: Any) -> Any:
    """A setting as JSON has it, whatever kind of number was assigned."""
    if isinstance(value, bool):
        return value
    return [float(v) for v in value] if isinstance(value, tuple | list) else float(value)
