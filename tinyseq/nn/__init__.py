"""Layers: modules that hold parameters, with PyTorch's names and weight layouts.

Two differences from PyTorch: sequences are always (B, T, D), batch first, and there is no packing
of sequences.
"""

from tinyseq.nn import functional, utils
from tinyseq.nn.containers import ModuleList, Sequential
from tinyseq.nn.layers import Dropout, Embedding, Linear
from tinyseq.nn.module import Module, Parameter
from tinyseq.nn.recurrent import GRU, LSTM, RNN

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "Dropout",
    "Embedding",
    "Linear",
    "Module",
    "ModuleList",
    "Parameter",
    "Sequential",
    "functional",
    "utils",
]
