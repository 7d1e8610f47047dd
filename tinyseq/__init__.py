"""tinyseq: a from-scratch autograd engine with sequence models and C-accelerated kernels."""

from tinyseq import backend, init, nn, ops, optim, testing
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
from tinyseq.checkpointing import checkpoint
from tinyseq.drawing import graph
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
from tinyseq.transforms import hessian, hvp, jacobian, jvp, value_and_grad, vjp

__version__ = "0.1.0"

__all__ = [
    "Op",
    "Tensor",
    "backend",
    "bernoulli",
    "checkpoint",
    "detect_anomaly",
    "enable_grad",
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
    "set_num_threads",
    "testing",
    "value_and_grad",
    "vjp",
]
__all__ += ops.__all__
