"""Reverse-mode automatic differentiation.

Read in this order:

1. tensor.py     an array that remembers how it was made
2. op.py         a function and the rule for its gradient
3. broadcast.py  the few ops the engine itself needs, as first examples
4. walk.py       from an output back to everything it depends on
5. fused.py      kernels for many steps at once, and how they keep higher derivatives
6. modes.py      switching the recording off

Beside the chapter stand two instruments that look in on the walk: tinyseq/hooks.py and
tinyseq/anomaly.py. docs/autograd.md is a guide through all of it, with experiments.
"""

from tinyseq.anomaly import detect_anomaly
from tinyseq.autograd.fused import FusedOp
from tinyseq.autograd.modes import enable_grad, is_grad_enabled, no_grad
from tinyseq.autograd.op import REGISTRY, Op, op
from tinyseq.autograd.tensor import Array, Tensor
from tinyseq.autograd.walk import backward, grad
from tinyseq.hooks import register_hook, retain_grad

for method in (backward, register_hook, retain_grad):
    setattr(Tensor, method.__name__, method)

__all__ = [
    "REGISTRY", "Array", "FusedOp", "Op", "Tensor", "backward", "detect_anomaly", "enable_grad",
    "grad", "is_grad_enabled", "no_grad", "op",
]  # fmt: skip
