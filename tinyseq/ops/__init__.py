"""Operations on Tensors, each with its gradient; the names are PyTorch's."""

from tinyseq.ops import bind
from tinyseq.ops.creation import (
    arange,
    eye,
    full,
    ones,
    ones_like,
    tensor,
    zeros,
    zeros_like,
)
from tinyseq.ops.elementwise import (
    abs,
    add,
    div,
    eq,
    exp,
    ge,
    gt,
    le,
    log,
    lt,
    maximum,
    minimum,
    mul,
    ne,
    neg,
    pow,
    reciprocal,
    relu,
    sigmoid,
    sign,
    sqrt,
    square,
    sub,
    tanh,
    where,
)
from tinyseq.ops.indexing import embedding
from tinyseq.ops.lstm import lstm
from tinyseq.ops.matmul import linear, matmul
from tinyseq.ops.reduce import amax, amin, argmax, logsumexp, mean, std, sum, var
from tinyseq.ops.shape import (
    broadcast_to,
    cat,
    chunk,
    expand,
    flatten,
    permute,
    reshape,
    split,
    squeeze,
    stack,
    transpose,
    unbind,
    unsqueeze,
)
from tinyseq.ops.softmax import cross_entropy, log_softmax, softmax
