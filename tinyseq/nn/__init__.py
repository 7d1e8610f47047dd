"""Layers: modules that hold parameters, with PyTorch's names and weight layouts.

Two differences from PyTorch: sequences are always (B, T, D), batch first, and rows of different
lengths come with ``lengths=`` instead of packed.
"""

from tinyseq.nn import functional, utils
from tinyseq.nn.alignment import AdditiveAttention, DotAttention
from tinyseq.nn.attention import MultiheadAttention
from tinyseq.nn.cache import KeyValueCache
from tinyseq.nn.containers import LastStep, ModuleList, Sequential
from tinyseq.nn.gated import SwiGLU
from tinyseq.nn.gru import GRU, GRUCell
from tinyseq.nn.layers import Dropout, Embedding, Linear
from tinyseq.nn.losses import (
    BCEWithLogitsLoss,
    CrossEntropyLoss,
    HuberLoss,
    KLDivLoss,
    L1Loss,
    MSELoss,
    NLLLoss,
)
from tinyseq.nn.lstm import LSTM, LSTMCell
from tinyseq.nn.module import Module, Parameter
from tinyseq.nn.norm import LayerNorm, RMSNorm
from tinyseq.nn.positions import (
    LearnedPositions,
    RotaryEmbedding,
    SinusoidalPositions,
    alibi_slopes,
)
from tinyseq.nn.rnn import RNN, RNNCell
from tinyseq.nn.transformer import Transformer, TransformerDecoder, TransformerEncoder
from tinyseq.nn.transformer_layers import TransformerDecoderLayer, TransformerEncoderLayer

__all__ = [
    "GRU",
    "LSTM",
    "RNN",
    "AdditiveAttention",
    "BCEWithLogitsLoss",
    "CrossEntropyLoss",
    "DotAttention",
    "Dropout",
    "Embedding",
    "GRUCell",
    "HuberLoss",
    "KLDivLoss",
    "KeyValueCache",
    "L1Loss",
    "LSTMCell",
    "LastStep",
    "LayerNorm",
    "LearnedPositions",
    "Linear",
    "MSELoss",
    "Module",
    "ModuleList",
    "MultiheadAttention",
    "NLLLoss",
    "Parameter",
    "RMSNorm",
    "RNNCell",
    "RotaryEmbedding",
    "Sequential",
    "SinusoidalPositions",
    "SwiGLU",
    "Transformer",
    "TransformerDecoder",
    "TransformerDecoderLayer",
    "TransformerEncoder",
    "TransformerEncoderLayer",
    "alibi_slopes",
    "functional",
    "utils",
]
