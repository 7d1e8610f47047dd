"""tinyseq: a from-scratch autograd engine with sequence models and C-accelerated kernels."""

from typing import TYPE_CHECKING, Any

from tinyseq import backend, ops
from tinyseq.autograd import (
    Op,
    Tensor,
    detect_anomaly,
    enable_grad,
    grad,
    is_grad_enabled,
    no_grad,
    op,
)
from tinyseq.backend import get_num_threads, set_num_threads
from tinyseq.ops import *  # noqa: F403
from tinyseq.random import (
    bernoulli,
    manual_seed,
    rand,
    rand_like,
    randint,
    randint_like,
    randn,
    randn_like,
)

if TYPE_CHECKING:
    from tinyseq import (
        data,
        generation,
        init,
        metrics,
        models,
        nn,
        optim,
        saving,
        testing,
        training,
    )
    from tinyseq.checkpointing import checkpoint
    from tinyseq.drawing import graph
    from tinyseq.summarizing import summary
    from tinyseq.transforms import hessian, hvp, jacobian, jvp, value_and_grad, vjp

__version__ = "0.1.0"

# Loaded when first asked for: importing tinyseq is to take little longer than importing NumPy.
_MODULES = (
    "data", "generation", "init", "metrics", "models", "nn", "optim", "saving", "testing",
    "training",
)  # fmt: skip
_FUNCTIONS = {  # name -> the module it is in
    "checkpoint": "checkpointing",
    "graph": "drawing",
    "summary": "summarizing",
    **dict.fromkeys(["hessian", "hvp", "jacobian", "jvp", "value_and_grad", "vjp"], "transforms"),
}

__all__ = [
    "Op",
    "Tensor",
    "backend",
    "bernoulli",
    "checkpoint",
    "data",
    "detect_anomaly",
    "enable_grad",
    "generation",
    "get_num_threads",
    "grad",
    "graph",
    "hessian",
    "hvp",
    "init",
    "is_grad_enabled",
    "jacobian",
    "jvp",
    "manual_seed",
    "metrics",
    "models",
    "nn",
    "no_grad",
    "op",
    "ops",
    "optim",
    "rand",
    "rand_like",
    "randint",
    "randint_like",
    "randn",
    "randn_like",
    "saving",
    "set_num_threads",
    "summary",
    "testing",
    "training",
    "value_and_grad",
    "vjp",
]
__all__ += ops.__all__


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _MODULES:
        return import_module(f"tinyseq.{name}")
    if name in _FUNCTIONS:
        found = getattr(import_module(f"tinyseq.{_FUNCTIONS[name]}"), name)
        globals()[name] = found  # so that the next look-up does not come here
        return found
    raise AttributeError(f"module 'tinyseq' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
