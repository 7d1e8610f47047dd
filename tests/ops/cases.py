"""One case or more for every op that has a gradient: a name, a function, and its arguments."""

import numpy as np

import tinyseq as ts
from tests.recurrent import as_op, as_pair, problem
from tinyseq import ops

_random = np.random.default_rng(0)


def normal(*shape):
    return _random.standard_normal(shape)


def positive(*shape):
    return _random.uniform(0.5, 2.0, shape)


def apart(*shape):
    """No two elements closer than 0.1 and none near 0: kinks stay out of reach of ε."""
    n = int(np.prod(shape))
    return (_random.permutation(n).reshape(shape) - n / 2 + 0.3) * 0.1


def recurrent(name, cell, B=2, T=2, D=1, H=2, **options):
    return (name, *as_op(problem(cell, B, T, D, H, **options), cell))


def both(name, cell, B=2, T=2, D=1, H=2, **options):
    one = problem(cell, B, T, D, H, **options)
    two = problem(cell, B, T, D, H, reverse=True, seed=1, **options)
    return (name, *as_pair(one, two, cell))


def attention(name, T=2, S=3, B=2, N=2, M=1, d=2, dv=2, mask=None, **options):
    """Of heads, the mask's floats an argument too where they are given."""
    arrays = [normal(B, N, T, d), normal(B, M, S, d), normal(B, M, S, dv)]

    def call(*inputs):
        ts.manual_seed(4)  # the same dropout each time
        return ops.scaled_dot_product_attention(*inputs, **options)

    if mask is not None:
        arrays.append(mask)
    return (f"scaled_dot_product_attention{name}", call, arrays)


def packed(name, T=3, B=2, N=2, M=1, d=2, mask=None, **options):
    def call(qkv, *masks):
        ts.manual_seed(4)
        return ops.packed_attention(qkv, N, M, *masks, **options)

    arrays = [normal(B, T, (N + 2 * M) * d)] + ([] if mask is None else [mask])
    return (f"packed_attention{name}", call, arrays)


TARGETS = np.array([2, 0, -100, 1])
ROWS = np.array([[2, 0, 2], [1, 2, 2]])
CONDITION = np.array([[True, False, True], [False, False, True]])
WEIGHT = np.array([0.5, 2.0, 0.25])


TURNS = np.cos([[0.1, 2.0], [3.0, -1.0]]), np.sin([[0.1, 2.0], [3.0, -1.0]])
ROW_TURNS = tuple(np.stack((t, -t[::-1])) for t in TURNS)


def weighted_loss(how):
    return lambda x: ops.cross_entropy(
        x, TARGETS, weight=WEIGHT, reduction=how, label_smoothing=0.2
    )


def grown(x):
    """Its square: so that a second derivative is not 0 for the linear ops."""
    return x * x


def both_of(results):
    """One Tensor in which two results take part, each with a gradient of its own."""
    y, s = results
    return y * y + grown(s) * s


UNARY = {
    "expm1": (ops.expm1, normal), "log1p": (ops.log1p, positive), "rsqrt": (ops.rsqrt, positive),
    "sin": (ops.sin, normal), "cos": (ops.cos, normal), "tan": (ops.tan, positive),
    "erf": (ops.erf, normal), "elu": (lambda x: ops.elu(x, 1.5), apart),
    "leaky_relu": (lambda x: ops.square(ops.leaky_relu(x, 0.2)), apart),
    "gelu": (ops.gelu, normal), "gelu by tanh": (lambda x: ops.gelu(x, "tanh"), normal),
    "silu": (ops.silu, normal), "logsigmoid": (ops.logsigmoid, normal),
    "softplus": (lambda x: ops.softplus(x, 2.0, 1.0), apart),
    "clamp": (lambda x: grown(ops.clamp(x, -0.15, 0.2)), apart),
    "clamp from below": (lambda x: grown(ops.clamp(x, min=0.05)), apart),
    "cumsum": (lambda x: ops.cumsum(grown(x), -1), normal),
    "norm": (lambda x: ops.norm(x, dim=-1), normal),
    "norm 1": (lambda x: grown(ops.norm(x, 1, -1)), apart),
    "norm 3": (lambda x: ops.norm(x, 3, -1, True), apart),
    "norm ½": (lambda x: ops.norm(x, 0.5), positive),
    "norm -1": (lambda x: ops.norm(x, -1, -1), positive),
    "norm inf": (lambda x: grown(ops.norm(x, np.inf, -1)), apart),
    "normalize": (lambda x: ops.normalize(x, dim=-1), normal),
    "prod": (lambda x: ops.prod(x, -1), normal),
    "prod of all": (ops.prod, normal),
    "max": (lambda x: grown(ops.max(x, -1).values), apart),
    "min": (lambda x: grown(ops.min(x, 0, True).values), apart),
    "sort": (lambda x: grown(ops.sort(x, descending=True).values), apart),
    "flip": (lambda x: ops.flip(grown(x), 0, -1), normal),
    "roll": (lambda x: ops.roll(grown(x), (1, -1), (0, 1)), normal),
    "roll of all": (lambda x: ops.roll(grown(x), 2), normal),
    "pad": (lambda x: ops.pad(grown(x), (1, -1, 0, 2), value=2.0), normal),
    "pad by repeating": (lambda x: ops.pad(grown(x), (2, 1), "replicate"), normal),
    "tile": (lambda x: ops.tile(grown(x), 2), normal),
    "repeat": (lambda x: ops.repeat(grown(x), 2, 1, 2), normal),
    "tril": (lambda x: ops.tril(grown(x), 1), normal),
    "triu": (lambda x: ops.triu(grown(x)), normal),
    "logsumexp": (lambda x: ops.logsumexp(x, -1), normal),
    "var": (lambda x: ops.var(x, 0, 0), normal),
}  # fmt: skip

CASES = [
    ("neg", lambda x: -x, [normal(2, 3)]),
    ("abs", ops.abs, [apart(2, 3)]),
    ("sign", lambda x: ops.sign(x) * x, [apart(2, 3)]),
    ("add", ops.add, [normal(2, 3), normal(3)]),
    ("add to a larger", ops.add, [normal(1, 3), normal(2, 1)]),
    ("sub", ops.sub, [normal(2, 3), normal(2, 1)]),
    ("mul", ops.mul, [normal(2, 3), normal(1, 1)]),
    ("mul of nothing", ops.mul, [normal(0, 3), normal(3)]),
    ("mul, negative strides", ops.mul, [normal(4, 3)[::-2], normal(3)[::-1]]),
    ("scalars on either side", lambda x: (2 - x) / (1 + 3 * x) - 1 / x, [positive(3)]),
    ("div", ops.div, [normal(2, 3), positive(3)]),
    ("pow", ops.pow, [positive(2, 3), normal(3)]),
    ("pow of a number", lambda x: x**3, [normal(4)]),
    ("a number's pow", lambda x: 2.0**x, [normal(4)]),
    ("exp", ops.exp, [normal(2, 3)]),
    ("log", ops.log, [positive(2, 3)]),
    ("sqrt", ops.sqrt, [positive(2, 3)]),
    ("square", ops.square, [normal(2, 3)]),
    ("reciprocal", ops.reciprocal, [positive(2, 3)]),
    ("tanh", ops.tanh, [normal(2, 3)]),
    ("sigmoid", ops.sigmoid, [normal(2, 3)]),
    ("relu", ops.relu, [apart(2, 3)]),
    ("maximum", ops.maximum, [apart(2, 3), np.zeros((2, 1)) + 0.01]),
    ("minimum", ops.minimum, [apart(2, 3), np.zeros((2, 1)) + 0.01]),
    ("where", lambda a, b: ops.where(CONDITION, a, b), [normal(2, 3), normal(3)]),
    ("relu under a root", lambda x: ops.sqrt(ops.relu(x)), [[-1.0, 0.5]]),
    ("cast", lambda x: ops.square(x).to(np.float64) * x, [normal(3)]),
    ("sum", lambda x: ops.sum(x * x), [normal(2, 3)]),
    ("sum over a dim", lambda x: ops.sum(x * x, dim=1), [normal(2, 3, 2)]),
    ("sum over dims", lambda x: ops.sum(x * x, dim=(0, -1), keepdim=True), [normal(2, 3, 2)]),
    ("mean", lambda x: ops.mean(x * x, dim=0), [normal(2, 3)]),
    ("var", lambda x: ops.var(x, dim=1), [normal(2, 3)]),
    ("std", lambda x: ops.std(x, dim=-1, keepdim=True), [normal(2, 3)]),
    ("amax", lambda x: ops.amax(x * x, dim=1), [apart(2, 3)]),
    ("amin", lambda x: ops.amin(x * x), [apart(2, 3)]),
    ("logsumexp", lambda x: ops.logsumexp(x, dim=1), [normal(2, 3)]),
    ("reshape", lambda x: ops.reshape(x * x, 3, -1), [normal(2, 3)]),
    ("flatten", lambda x: ops.flatten(x * x, 1), [normal(2, 3, 2)]),
    ("permute", lambda x: ops.permute(x * x, 2, 0, 1), [normal(2, 3, 4)]),
    ("transpose", lambda x: ops.transpose(x * x, 0, -1), [normal(2, 3, 2)]),
    ("squeeze", lambda x: ops.squeeze(x * x, 1), [normal(2, 1, 3)]),
    ("unsqueeze", lambda x: ops.unsqueeze(x * x, -1), [normal(2, 3)]),
    ("expand", lambda x: ops.expand(x * x, 4, -1, 3), [normal(2, 1)]),
    ("broadcast_to", lambda x: ops.broadcast_to(x * x, 4, 2, 3), [normal(2, 1)]),
    ("cat", lambda a, b: ops.cat([a * a, b * b], 1), [normal(2, 3), normal(2, 1)]),
    ("stack", lambda a, b: ops.stack([a * a, b * b], 1), [normal(2, 3), normal(2, 3)]),
    ("split", lambda x: ops.square(ops.split(x, [1, 2], 1)[1]), [normal(2, 3)]),
    ("chunk", lambda x: ops.mul(*ops.chunk(x, 2, 1)), [normal(2, 4)]),
    ("unbind", lambda x: ops.unbind(x * x, 1)[::2], [normal(2, 3)]),
    ("index", lambda x: ops.square(x[1:, ::-2]), [normal(3, 4)]),
    ("index by arrays", lambda x: ops.square(x[[0, 1, 0], ts.tensor([1, 1, 1])]), [normal(3, 4)]),
    ("index by truth", lambda x: (x * x)[CONDITION], [normal(2, 3)]),
    ("embedding", lambda w: ops.square(ops.embedding(ROWS, w)), [normal(3, 2)]),
    ("matmul", ops.matmul, [normal(2, 3), normal(3, 2)]),
    ("matmul of batches", ops.matmul, [normal(2, 1, 2, 3), normal(3, 3, 2)]),
    ("matmul, batch by matrix", ops.matmul, [normal(2, 2, 3), normal(3, 2)]),
    ("matmul of vectors", ops.matmul, [normal(3), normal(3)]),
    ("matmul, matrix by vector", ops.matmul, [normal(2, 3), normal(3)]),
    ("matmul, inner size 0", ops.matmul, [normal(2, 0), normal(0, 2)]),
    ("linear", ops.linear, [normal(2, 2, 3), normal(2, 3), normal(2)]),
    ("linear, no bias", ops.linear, [normal(2, 3), normal(2, 3)]),
    *(
        (
            f"linear, {a}",
            lambda x, w, b, a=a: ops.linear(x, w, b, a),
            [apart(2, 2), apart(3, 2), apart(3)],
        )
        for a in ("relu", "tanh", "sigmoid")
    ),
    ("dropout", lambda x: ops.dropout(grown(x), p=0.4, key=5), [normal(2, 3)]),
    ("dropout of nothing", lambda x: ops.dropout(grown(x), p=0.4, key=5), [normal(0, 3)]),
    (
        "rotary_embedding",
        lambda x: ops.rotary_embedding(grown(x), *TURNS),
        [normal(2, 1, 2, 5)],
    ),
    (
        "rotary_embedding, interleaved, each row its own",
        lambda x: ops.rotary_embedding(grown(x), *ROW_TURNS, interleaved=True),
        [normal(2, 2, 2, 4)],
    ),
    (
        "rotary_embedding of some heads",
        lambda x: ops.rotary_embedding(grown(x), *TURNS, heads=1),
        [normal(2, 3, 2, 5)],
    ),
    ("softmax", lambda x: ops.softmax(x, 1), [normal(2, 3)]),
    ("log_softmax", lambda x: ops.log_softmax(x, 0), [normal(2, 3)]),
    ("cross_entropy", lambda x: ops.cross_entropy(x, TARGETS), [normal(4, 3)]),
    (
        "cross_entropy, images",
        lambda x: ops.cross_entropy(x, ROWS, reduction="none"),
        [normal(2, 3, 3)],
    ),
    *(
        (
            f"linear_cross_entropy, {how}",
            lambda *a, how=how: ops.linear_cross_entropy(
                *a[:2], *(*a[2:], None)[:1], TARGETS, reduction=how
            ),
            [normal(4, 2), normal(3, 2), normal(3)][: 2 + (how != "sum")],
        )
        for how in ("mean", "sum", "none")
    ),
    ("checkpoint", lambda a, b: ts.checkpoint(lambda: ops.tanh(a * b) * a), [normal(2), normal(2)]),
]

# Each of these on sizes of 1, and of 0 where there is a value of nothing.
NEEDS_AN_ELEMENT = ("max", "min", "norm inf", "pad by repeating")
CASES += [
    (f"{name} {shape}", fn, [make(*shape)])
    for name, (fn, make) in UNARY.items()
    for shape in [(2, 3), (1, 1), (0, 3)]
    if shape[0] or name not in NEEDS_AN_ELEMENT
]

SHAPES = [((2, 3), (3,)), ((2, 1), (1, 3)), ((), (2,)), ((1, 1), (1,)), ((0, 3), (1, 3))]
CASES += [
    (f"{name} {a} {b}", getattr(ops, name), [positive(*a), positive(*b) + 0.001])
    for name in ("add", "sub", "mul", "div", "pow", "maximum", "minimum")
    for a, b in SHAPES
]

INDEX = np.array([[2, 0, 0], [1, 2, 0]])

CASES += [
    (
        "clamp between Tensors",
        lambda *x: grown(ops.clamp(*x)),
        [apart(2, 3), [[-0.2], [0.0]], [0.21]],
    ),
    ("topk", lambda x: grown(ops.topk(x, 2, 0).values), [apart(3, 2)]),
    ("topk, smallest", lambda x: grown(ops.topk(x, 1, -1, False).values), [apart(3, 2)]),
    ("prod with zeros", lambda x: ops.prod(x, 1), [[[0.0, 2.0, 3.0], [0.0, 0.0, 3.0]]]),
    ("prod over dims", lambda x: ops.prod(x, (0, 2), True), [normal(2, 2, 3)]),
    ("norm over dims", lambda x: ops.norm(x, 2, (0, 2)), [normal(2, 2, 3)]),
    ("gather", lambda x: ops.gather(grown(x), 0, INDEX), [normal(3, 3)]),
    ("gather, some of it", lambda x: ops.gather(grown(x), 1, INDEX[:, :1]), [normal(3, 4)]),
    ("take_along_dim", lambda x: ops.take_along_dim(grown(x), INDEX, 1), [normal(1, 3)]),
    ("take_along_dim of all", lambda x: ops.take_along_dim(grown(x), INDEX), [normal(1, 3)]),
    ("index_select", lambda x: ops.index_select(grown(x), 1, [2, 0, 2]), [normal(2, 3)]),
    (
        "scatter_add",
        lambda x, s: grown(ops.scatter_add(x, 1, INDEX, s)),
        [normal(2, 3), normal(2, 4)],
    ),
    (
        "index_add",
        lambda x, s: grown(ops.index_add(x, 0, [1, 1, 0], s, alpha=0.5)),
        [normal(2, 3), normal(3, 3)],
    ),
    (
        "index_put",
        lambda x, v: grown(ops.index_put(x, (np.array([2, 0]),), v)),
        [normal(3, 2), normal(2)],
    ),
    (
        "index_put, added",
        lambda x, v: grown(ops.index_put(x, ([2, 0, 2], [1, 1, 1]), v, accumulate=True)),
        [normal(3, 2), normal(3)],
    ),
    (
        "masked_fill",
        lambda x, v: grown(ops.masked_fill(x, CONDITION, v)),
        [normal(2, 3), normal()],
    ),
    ("outer", ops.outer, [normal(2), normal(3)]),
    ("dot", ops.dot, [normal(3), normal(3)]),
    ("bmm", ops.bmm, [normal(2, 2, 3), normal(2, 3, 1)]),
    *(
        (
            f"einsum {equation}",
            lambda *x, e=equation: ops.einsum(e, *x),
            [normal(*s) for s in shapes],
        )
        for equation, *shapes in [
            ("ij,jk->ik", (2, 3), (3, 2)),
            ("...ij,...jk->...ik", (2, 1, 2, 3), (2, 3, 2)),
            ("ii,i->i", (3, 3), (3,)),
            ("bij,bj,b->bi", (2, 2, 3), (2, 3), (2,)),
            ("ij,ij", (2, 3), (1, 3)),
            ("i,j->ji", (2,), (0,)),
        ]
    ),
    *(
        (f"cross_entropy, {how}, weighted and smoothed", weighted_loss(how), [normal(4, 3)])
        for how in ("mean", "sum", "none")
    ),
    (
        "cross_entropy of probabilities",
        lambda x, t: ops.cross_entropy(x, t, label_smoothing=0.1, weight=WEIGHT),
        [normal(2, 3), positive(2, 3)],
    ),
    ("cross_entropy of none", lambda x: ops.cross_entropy(x, [], reduction="sum"), [normal(0, 3)]),
    (
        "cross_entropy, no classes",
        lambda x: ops.cross_entropy(x, [-100, -100], reduction="sum"),
        [normal(2, 0)],
    ),
    ("nll_loss", lambda x: ops.nll_loss(grown(x), TARGETS, WEIGHT), [normal(4, 3)]),
    (
        "binary_cross_entropy_with_logits",
        lambda x, t, p: ops.binary_cross_entropy_with_logits(x, t, WEIGHT, "sum", p),
        [normal(2, 3), positive(2, 3), positive(3)],
    ),
    ("mse_loss", ops.mse_loss, [normal(2, 3), normal(2, 3)]),
    ("l1_loss", lambda a, b: grown(ops.l1_loss(a, b)), [apart(2, 3), apart(2, 3) * 0.37]),
    (
        "huber_loss",
        lambda a, b: ops.huber_loss(a, b, "none", 0.2),
        [apart(2, 3), apart(2, 3) * 0.37],
    ),
    ("kl_div", lambda x, t: ops.kl_div(grown(x), t, "batchmean"), [normal(2, 3), positive(2, 3)]),
    (
        "kl_div of logarithms",
        lambda x, t: ops.kl_div(x, t, log_target=True),
        [normal(2, 3), normal(2, 3)],
    ),
    (
        "layer_norm",
        lambda x, w, b: ops.layer_norm(x, 4, w, b),
        [normal(2, 3, 4), normal(4), normal(4)],
    ),
    *(
        (
            f"linear, {name}",
            lambda x, w, b, name=name: ops.linear(x, w, b, name),
            [normal(2, 3, 4), normal(2, 4), normal(2)],
        )
        for name in ("gelu", "gelu_tanh")
    ),
    (
        "linear, gelu, no bias",
        lambda x, w: ops.linear(x, w, None, "gelu"),
        [normal(4), normal(2, 4)],
    ),
    ("layer_norm, plain, two dims", lambda x: ops.layer_norm(x, (3, 2)), [normal(2, 3, 2)]),
    ("layer_norm of a constant", lambda x: ops.layer_norm(x, 3, eps=0.5), [np.ones((2, 3))]),
    ("layer_norm, no rows", lambda x, w: ops.layer_norm(x, 3, w), [normal(0, 3), normal(3)]),
    ("rms_norm", lambda x, w: ops.rms_norm(x, 4, w, 0.1), [normal(3, 4), normal(4)]),
    (
        "add_layer_norm",
        lambda x, r, w, b: both_of(ops.add_layer_norm(x, r, w, b)),
        [normal(3, 4), normal(3, 4), normal(4), normal(4)],
    ),
    (
        "add_layer_norm, the sum alone",
        lambda x, r: grown(ops.add_layer_norm(x, r)[1]),
        [normal(3, 4), normal(3, 4)],
    ),
    (
        "add_rms_norm",
        lambda x, r, w: both_of(ops.add_rms_norm(x, r, w)),
        [normal(3, 4), normal(3, 4), normal(4)],
    ),
]

ALL = {"norm": True, "mask": True, "zone": (2, 3), "lengths": [2, 3], "reverse": True, "T": 3}

CASES += [
    recurrent("lstm", "lstm"),
    recurrent("lstm, no bias", "lstm", B=1, H=3, bias=False),
    recurrent("lstm, peephole", "lstm", peephole=True),
    recurrent("lstm, projected", "lstm", P=1, H=3),
    recurrent("lstm, layer norm", "lstm", norm=True),
    recurrent("lstm, in pieces", "lstm", T=5, every=2, B=1),
    recurrent("lstm, everything", "lstm", peephole=True, P=3, **ALL),
    recurrent("lstm, no steps", "lstm", T=0),
    recurrent("lstm, no rows", "lstm", B=0),
    recurrent("lstm, only padding", "lstm", lengths=[0, 0]),
    both("lstm, both directions", "lstm", peephole=True, lengths=[1, 2]),
    both("gru, both directions", "gru", bias=False, every=1),
    recurrent("gru", "gru"),
    recurrent("gru, no bias", "gru", bias=False, norm=True),
    recurrent("gru, everything", "gru", **ALL),
    recurrent("gru, reset before", "gru_before"),
    recurrent("gru, reset before, everything", "gru_before", every=2, **ALL),
    recurrent("gru, no steps", "gru", T=0),
    recurrent("rnn", "rnn_tanh"),
    recurrent("rnn, everything", "rnn_tanh", every=1, **ALL),
    recurrent("rnn, relu", "rnn_relu", D=2, H=3),
    recurrent("rnn, relu, everything", "rnn_relu", D=2, H=3, **ALL),
    recurrent("rnn, only padding", "rnn_relu", lengths=[0, 0]),
]

SEEN = np.array([[True, False, True], [False, False, False]])
SLOPES = [0.5, 0.125]

CASES += [
    attention(""),
    attention(", causal", is_causal=True, M=2),
    attention(", more queries than keys", T=3, S=2, is_causal=True),
    attention(", seen by a mask", attn_mask=SEEN, scale=0.3),
    attention(", a mask of floats", mask=normal(2, 1, 2, 3)),
    attention(", a mask of keys", mask=normal(3), dv=1),
    attention(", a mask of queries", mask=normal(2, 2, 1), is_causal=True),
    attention(", lengths", lengths=[2, 0], M=2),
    attention(", window", window=1, start=[0, 2]),
    attention(", slopes", alibi_slopes=SLOPES, d=1),
    attention(", softcap", softcap=0.7),
    attention(", dropout", dropout_p=0.4),
    attention(
        ", everything", T=3, S=4, N=4, M=2, d=1, dv=3, mask=normal(4, 1, 4), is_causal=True,
        lengths=[4, 2], window=3, alibi_slopes=[0.5, 0.25, 1.0, 2.0], softcap=1.5, dropout_p=0.3,
        start=[1, 2], scale=0.8,
    ),
    attention(", no queries", T=0, is_causal=True),
    attention(", no keys", S=0, softcap=1.0),
    attention(", no rows", B=0, dropout_p=0.5, mask=normal(2, 3)),
    packed(""),
    packed(", a mask of floats", mask=normal(2, 1, 3), M=2, window=2),
    packed(
        ", everything", N=4, M=2, d=1, mask=normal(3, 1), is_causal=True, lengths=[3, 1], window=2,
        alibi_slopes=[0.5, 0.25, 1.0, 2.0], softcap=1.5, dropout_p=0.3, start=[1, 0], scale=0.8,
    ),
    packed(", no steps", T=0),
]  # fmt: skip
