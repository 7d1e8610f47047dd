"""The Transformer's layers and stacks beside PyTorch's: values and every gradient."""

import warnings

import numpy as np
import pytest

import tinyseq as ts
from tinyseq import nn
from tinyseq.nn import functional as F

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

CLOSE = {np.float32: 1e-4, np.float64: 1e-10}
B, T, S, E, N, W = 3, 5, 7, 12, 3, 20
ACTIVATIONS = {
    "relu": ("relu", "relu"),
    "gelu": ("gelu", "gelu"),
    "function": (ts.tanh, torch.tanh),
    "F.relu": (F.relu, torch.nn.functional.relu),
}


def close(ours, theirs, dtype):
    theirs = theirs.detach().numpy()
    assert ours.shape == theirs.shape and ours.dtype == theirs.dtype == dtype
    scale = max(1.0, np.abs(theirs).max(initial=0.0))
    np.testing.assert_allclose(ours.data, theirs, rtol=CLOSE[dtype], atol=CLOSE[dtype] * scale)


def both(rng, dtype, *shape):
    array = rng.normal(size=shape).astype(dtype)
    return ts.tensor(array, requires_grad=True), torch.tensor(array, requires_grad=True)


def torch_of(given):
    return torch.tensor(given) if isinstance(given, np.ndarray) else given


def with_its_weights(ours, theirs, dtype):
    for p in theirs.parameters():
        torch.nn.init.normal_(p, std=0.3)
    theirs.to(getattr(torch, np.dtype(dtype).name))
    ours.to(dtype).load_state_dict(theirs.state_dict())
    return ours, theirs


def layers(kind, dtype, activation="relu", **options):
    """Our layer and PyTorch's, with its weights."""
    torch.manual_seed(0)
    mine, others = ACTIVATIONS[activation]
    name, sizes = f"Transformer{kind}Layer", (E, N, W, 0.0)
    theirs = getattr(torch.nn, name)(*sizes, others, 1e-4, batch_first=True, **options)
    ours = getattr(nn, name)(*sizes, mine, 1e-4, **options)
    return with_its_weights(ours, theirs, dtype)


def compare(ours, theirs, inputs, options, dtype, shown=np.s_[:]):
    """Values, and gradients by the inputs and every parameter, where results are to be shown."""
    theirs.train()  # without its way around in evaluation
    xs, others = zip(*inputs, strict=True)
    y = ours(*xs, **options)
    yt = theirs(*others, **{name: torch_of(given) for name, given in options.items()})
    assert y.shape == tuple(yt.shape)
    y, yt = y[shown], yt[shown]
    close(y, yt, dtype)
    (y * y).sum().backward()
    (yt * yt).sum().backward()
    for x, o in zip(xs, others, strict=True):
        close(x.grad, o.grad, dtype)
    gradients = {name: p.grad for name, p in theirs.named_parameters()}
    assert {name for name, _ in ours.named_parameters()} == set(gradients)
    for name, p in ours.named_parameters():
        close(p.grad, gradients[name], dtype)


def masks(dtype, T, S):
    """Of every kind; no step is without one that it sees, of which PyTorch makes NaN."""
    rng = np.random.default_rng(1)
    hidden, each = rng.random((T, S)) < 0.4, rng.random((B * N, T, S)) < 0.4
    hidden[:, 0] = each[..., 0] = False
    return [None, hidden, each, rng.normal(size=(T, S)).astype(dtype)]


def ends(size):
    return np.arange(size) >= np.array([size, 2, size - 1])[:, None]


OPTIONS = pytest.mark.parametrize(
    "options",
    [
        {"norm_first": first, "bias": bias, "activation": activation}
        for first in (False, True)
        for bias in (True, False)
        for activation in ACTIVATIONS
    ],
    ids=lambda o: " ".join(f"{name}={value}" for name, value in o.items()),
)
DTYPES = pytest.mark.parametrize("dtype", CLOSE, ids=["float32", "float64"])


@DTYPES
@OPTIONS
def test_encoder_layer(options, dtype):
    ours, theirs = layers("Encoder", dtype, **options)
    rng = np.random.default_rng(0)
    for mask in masks(dtype, T, T):
        for padding in (None, ends(T)):
            if mask is not None and mask.dtype != bool and padding is not None:
                padding = np.where(padding, -np.inf, 0.5).astype(dtype)
            ours.zero_grad()
            theirs.zero_grad()
            given = {"src_mask": mask, "src_key_padding_mask": padding}
            compare(ours, theirs, [both(rng, dtype, B, T, E)], given, dtype)


@DTYPES
@OPTIONS
def test_decoder_layer(options, dtype):
    ours, theirs = layers("Decoder", dtype, **options)
    rng = np.random.default_rng(0)
    causal = ~np.tri(T, dtype=bool)
    for mask, memory_mask in zip([causal, *masks(dtype, T, T)], masks(dtype, T, S), strict=False):
        for padded in (False, True):
            bools = all(m is None or m.dtype == bool for m in (mask, memory_mask))
            if padded and not bools:
                continue  # PyTorch frowns on both kinds
            ours.zero_grad()
            theirs.zero_grad()
            given = {
                "tgt_mask": mask,
                "memory_mask": memory_mask,
                "tgt_key_padding_mask": ends(T) if padded else None,
                "memory_key_padding_mask": ends(S) if padded else None,
            }
            inputs = [both(rng, dtype, B, T, E), both(rng, dtype, B, S, E)]
            compare(ours, theirs, inputs, given, dtype)


@DTYPES
@pytest.mark.parametrize("norm_first", [False, True])
@pytest.mark.parametrize("norm", [False, True])
def test_stacks(norm, norm_first, dtype):
    rng = np.random.default_rng(0)
    causal = np.where(np.tri(T, dtype=bool), 0, -np.inf).astype(dtype)
    memory = np.where(ends(S), -np.inf, 0).astype(dtype)
    for kind in ("Encoder", "Decoder"):
        layer, other = layers(kind, dtype, norm_first=norm_first)
        name = f"Transformer{kind}"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a way around that it cannot take
            stack = getattr(torch.nn, name)(other, 3, torch.nn.LayerNorm(E) if norm else None)
        ours = getattr(nn, name)(layer, 3, nn.LayerNorm(E) if norm else None)
        assert list(ours.state_dict().keys() ^ stack.state_dict().keys()) == []
        ours, theirs = with_its_weights(ours, stack, dtype)
        inputs = [both(rng, dtype, B, T, E), both(rng, dtype, B, S, E)]
        given = {"tgt_mask": causal, "memory_key_padding_mask": memory}
        if kind == "Encoder":
            inputs, given = inputs[:1], {"mask": causal}
        compare(ours, theirs, inputs, given, dtype)


def transformers(dtype, **options):
    torch.manual_seed(0)
    sizes = (E, N, 2, 1, W, 0.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a way around that it cannot take
        theirs = torch.nn.Transformer(*sizes, batch_first=True, **options)
    return with_its_weights(nn.Transformer(*sizes, **options), theirs, dtype)


@DTYPES
@pytest.mark.parametrize("norm_first", [False, True])
@pytest.mark.parametrize("bias", [False, True])
def test_transformer(bias, norm_first, dtype):
    ours, theirs = transformers(dtype, bias=bias, norm_first=norm_first)
    rng = np.random.default_rng(0)
    causal = torch.nn.Transformer.generate_square_subsequent_mask(T)
    made = nn.Transformer.generate_square_subsequent_mask(T)
    np.testing.assert_array_equal(made.data, causal.numpy())
    for given in (
        {},
        {"tgt_mask": causal.numpy() < 0, "tgt_is_causal": True},
        {
            "src_mask": masks(dtype, S, S)[1],
            "memory_mask": masks(dtype, T, S)[1],
            "src_key_padding_mask": ends(S),
            "memory_key_padding_mask": ends(S),
            "tgt_key_padding_mask": ends(T),
        },
    ):
        ours.zero_grad()
        theirs.zero_grad()
        inputs = [both(rng, dtype, B, S, E), both(rng, dtype, B, T, E)]
        compare(ours, theirs, inputs, given, dtype)


@DTYPES
def test_lengths_are_padding_masks(dtype):
    ours, theirs = transformers(dtype)
    rng = np.random.default_rng(0)
    inputs = [both(rng, dtype, B, S, E), both(rng, dtype, B, T, E)]
    (src, src_t), (tgt, tgt_t) = inputs
    real = ~ends(T)
    y = ours(src, tgt, tgt_is_causal=True, src_lengths=[S, 2, S - 1], tgt_lengths=[T, 2, T - 1])
    yt = theirs(
        src_t, tgt_t,
        tgt_mask=torch.tensor(~np.tri(T, dtype=bool)),
        src_key_padding_mask=torch.tensor(ends(S)),
        memory_key_padding_mask=torch.tensor(ends(S)),
        tgt_key_padding_mask=torch.tensor(ends(T)),
    )  # fmt: skip
    close(y[real], yt[torch.tensor(real)], dtype)
    assert (y.data[~real] == 0).all()
    (y * y).sum().backward()
    (yt[torch.tensor(real)] ** 2).sum().backward()
    for x, o in inputs:
        close(x.grad, o.grad, dtype)
    gradients = {name: p.grad for name, p in theirs.named_parameters()}
    for name, p in ours.named_parameters():
        close(p.grad, gradients[name], dtype)


def test_first_values_are_spread_as_in_pytorch():
    theirs = torch.nn.Transformer(96, 4, 1, 1, 64, batch_first=True).state_dict()
    ours = nn.Transformer(96, 4, 1, 1, 64).state_dict()
    assert ours.keys() == theirs.keys()
    for name, p in theirs.items():
        p = p.numpy()
        assert np.abs(ours[name].data).max() == pytest.approx(np.abs(p).max(), rel=0.1)
        assert ours[name].data.std() == pytest.approx(p.std(), rel=0.2)
