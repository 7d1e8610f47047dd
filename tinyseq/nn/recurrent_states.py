"""The states of a recurrent layer as one Tensor, and as one for each layer and direction."""

from tinyseq import ops
from tinyseq.autograd import Tensor


def apart(state: Tensor) -> tuple[Tensor, ...]:
    """The states of each layer and direction."""
    # What is constant, and one state alone, which only changes its shape, costs no unbinding.
    if not state.requires_grad:
        return tuple(Tensor(state.data[k]) for k in range(len(state.data)))
    return ops.unbind(state) if state.shape[0] != 1 else (state.reshape(state.shape[1:]),)


def together(states: tuple[Tensor, ...]) -> Tensor:
    """The states of all layers and directions as one."""
    return ops.stack(states) if len(states) != 1 else ops.unsqueeze(states[0], 0)


def beside(ys: list[Tensor]) -> Tensor:
    """What the directions put out, side by side."""
    return ys[0] if len(ys) == 1 else ops.cat(ys, 2)
