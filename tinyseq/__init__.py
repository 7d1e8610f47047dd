"""tinyseq: a from-scratch autograd engine with sequence models and C-accelerated kernels."""

from tinyseq import backend, ops
from tinyseq.autograd import (
    Op,
    Tensor,
    enable_grad,
    grad,
    is_grad_enabled,
    no_grad,
    op,
)
from tinyseq.backend import get_num_threads, set_num_threads
from tinyseq.ops import *  # noqa: F403  # the ops are the face, under their own names
from tinyseq.random import manual_seed, rand, randint, randn

from tinyseq import init, nn, optim  # isort: skip  # floors above the ops

__version__ = "0.1.0"
