"""FusedOp: several steps and several results in one kernel, with the plain ops beside it.

It has a forward kernel, a backward kernel, and a reference: the same mathematics in plain ops.
The kernels do the work of training. The reference says what they compute, the tests hold them to
it, and it takes over when a gradient is itself recorded: differentiating plain ops gives plain
ops, to any order.

The forward kernel returns a tuple: the results, then whatever the backward kernel wants saved.
One Tensor holds that tuple and the memory of how it was made; `item` takes the results out of it.
"""

from collections.abc import Callable
from typing import Any

from tinyseq.autograd.broadcast import broadcast_to
from tinyseq.autograd.modes import NOTED, enable_grad, switch
from tinyseq.autograd.op import Op, op
from tinyseq.autograd.tensor import Tensor
from tinyseq.autograd.walk import walk


class FusedOp(Op):
    """An Op with kernels.

    Args:
        forward: (*arrays, **params) -> (results..., saved...), arrays.
        backward: (gradients, saved, *arrays, **params) -> one array or None per input, where
            gradients holds one array or None per result and saved is all that forward returned.
        reference: (*tensors, **params) -> a tuple of the results, made by ops.
        results: how many there are.
        forgets: backward needs none of them, and finds None in their place: each is gone with the
            last Tensor that has it.
    """

    def __init__(
        self, forward: Callable[..., tuple[Any, ...]], backward: Callable[..., tuple[Any, ...]],
        reference: Callable[..., tuple[Tensor, ...]], results: int, forgets: bool = False,
    ) -> None:  # fmt: skip
        super().__init__(forward)
        self.backward, self.reference, self.rule = backward, reference, self._rule
        self.results, self.forgets = results, forgets

    def run(self, *inputs: Any, **params: Any) -> tuple[Tensor, ...]:
        """Call it: one Tensor per result. Inputs are Tensors, or None where one is left out."""
        whole = self(*inputs, **params)
        found = tuple(item(whole, i=i) for i in range(self.results))
        if self.forgets and switch.recording != NOTED:  # anomaly.py looks at all there was
            kept: Any = (*[None] * self.results, *whole.data[self.results :])
            whole.data = kept
        return found

    def _rule(self, g: dict[int, Tensor], y: Tensor, *inputs: Any, **params: Any) -> Any:
        if switch.recording:
            return self._differentiate_reference(g, inputs, params)
        arrays = [None if x is None else x.data for x in inputs]
        gradients = [g[i].data if i in g else None for i in range(self.results)]
        shares = self.backward(gradients, y.data, *arrays, **params)
        return tuple([None if share is None else Tensor(share) for share in shares])

    def _differentiate_reference(self, g: dict[int, Tensor], inputs: Any, params: Any) -> Any:
        with enable_grad():
            # Walked from fresh aliases, the inner gradient ends at this op's own inputs, while
            # what it computes still depends on them.
            aliases = [None if x is None else broadcast_to(x, shape=x.shape) for x in inputs]
            results = self.reference(*aliases, **params)
            wanted = {a.order for a in aliases if a is not None}
            outputs, seeds = [results[i] for i in g], list(g.values())
            found = walk(outputs, seeds, True, wanted, min(wanted))
        return tuple(None if a is None else found.get(a.order, (a, None))[1] for a in aliases)


@op
def item(whole: tuple[Any, ...], *, i: int) -> Any:
    """Result i of an op that has several."""
    return whole[i]


@item.vjp
def _(g: Tensor, y: Tensor, whole: Tensor, *, i: int) -> tuple[Any, ...]:
    return ({i: g},)
