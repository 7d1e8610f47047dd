"""Optimizers: what changes the parameters once their gradients are there.

The names and the numbers are PyTorch's, step for step; `lr_scheduler` changes the learning rates.
"""

from tinyseq.optim import lr_scheduler
from tinyseq.optim.adagrad import Adagrad
from tinyseq.optim.adam import Adam, AdamW
from tinyseq.optim.optimizer import Optimizer
from tinyseq.optim.rmsprop import RMSprop
from tinyseq.optim.sgd import SGD

__all__ = ["SGD", "Adagrad", "Adam", "AdamW", "Optimizer", "RMSprop", "lr_scheduler"]
