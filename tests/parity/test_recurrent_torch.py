"""Recurrent layers and cells beside PyTorch's under its own weights: values and every gradient."""

from itertools import product

import numpy as np
import pytest

import tinyseq as ts
from tinyseq import nn

torch = pytest.importorskip("torch", reason="PyTorch is not installed")
rnn_utils = pytest.importorskip("torch.nn.utils.rnn")

# By backend and dtype: how close, relative to the largest number of an array.
WORLDS = {"c": np.float32, "numpy": np.float32, "float64": np.float64}
CLOSE = {np.float32: 2e-5, np.float64: 1e-11}
SHAPES = [(3, 9, 5, 7), (1, 6, 3, 2), (3, 4, 2, 33), (1, 1, 4, 7), (3, 1, 1, 2)]  # B, T, D, H
KINDS = {
    "rnn": ("RNN", {}),
    "rnn, relu": ("RNN", {"nonlinearity": "relu"}),
    "lstm": ("LSTM", {}),
    "lstm, projection": ("LSTM", {}),
    "gru": ("GRU", {}),
}


@pytest.fixture(params=WORLDS)
def dtype(request):
    """A dtype, on the backend that goes with it."""
    before = str(ts.backend.info()["backend"])
    if request.param == "c":
        pytest.importorskip("tinyseq.backend.c_kernels", reason="the C extension is not built")
    ts.backend.use("c" if request.param == "c" else "numpy")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # on so little work its threads mostly wait for each other
    yield WORLDS[request.param]
    torch.set_num_threads(threads)
    ts.backend.use(before)


def close(ours, theirs, dtype):
    ours, theirs = ours.data, theirs.detach().numpy()
    assert ours.shape == theirs.shape and ours.dtype == theirs.dtype == dtype
    scale = max(1.0, np.abs(theirs).max(initial=0.0))
    np.testing.assert_allclose(ours, theirs, rtol=CLOSE[dtype], atol=CLOSE[dtype] * scale)


def both(rng, dtype, *shape):
    array = rng.normal(size=shape).astype(dtype)
    return ts.tensor(array, requires_grad=True), torch.tensor(array, requires_grad=True)


def loaded(name, dtype, *args, **options):
    """PyTorch's layer, and ours with its weights."""
    torch.manual_seed(0)
    more = {} if name.endswith("Cell") else {"batch_first": True}
    other = getattr(torch.nn, name)(*args, **options, **more).to(
        getattr(torch, np.dtype(dtype).name)
    )
    layer = getattr(nn, name)(*args, **options).to(dtype)
    layer.load_state_dict(other.state_dict())
    assert list(layer.state_dict()) == list(other.state_dict())
    return layer, other


def compare_gradients(outputs, others, pairs, rng, dtype):
    """Of the outputs, each element weighted, by each pair of ours and theirs."""
    loss = loss_t = 0.0
    for y, z in zip(outputs, others, strict=True):
        close(y, z, dtype)
        weight = rng.normal(size=y.shape).astype(dtype)
        loss, loss_t = (
            loss + (y * ts.tensor(weight)).sum(),
            loss_t + (z * torch.tensor(weight)).sum(),
        )
    got = ts.grad(loss, [ours for ours, _ in pairs])
    wanted = torch.autograd.grad(loss_t, [theirs for _, theirs in pairs])
    for ours, theirs in zip(got, wanted, strict=True):
        close(ours, theirs, dtype)


def flat(y, after):
    return (y, *after) if isinstance(after, tuple) else (y, after)


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("kind", KINDS)
def test_layers(kind, bias, bidirectional, layers, dtype):
    name, own = KINDS[kind]
    for (B, T, D, H), with_state, with_lengths in product(SHAPES, [False, True], [False, True]):
        rng = np.random.default_rng(layers)
        if "projection" in kind:
            own = {"proj_size": H // 2}
        ours, theirs = loaded(
            name, dtype, D, H, num_layers=layers, bias=bias, bidirectional=bidirectional, **own
        )
        pairs = [both(rng, dtype, B, T, D)]
        (x, xt), state, state_t = pairs[0], None, None
        if with_state:
            runs = layers * (1 + bidirectional)
            sizes = [own.get("proj_size", H), H][: 2 if name == "LSTM" else 1]
            firsts = [both(rng, dtype, runs, B, size) for size in sizes]
            pairs += firsts
            state, state_t = ([pair[i] for pair in firsts] for i in (0, 1))
            if name != "LSTM":
                state, state_t = state[0], state_t[0]
        if with_lengths:
            lengths = rng.integers(1, T + 1, B)
            packed = rnn_utils.pack_padded_sequence(
                xt, torch.tensor(lengths), batch_first=True, enforce_sorted=False
            )
            z, after_t = theirs(packed, state_t)
            z, _ = rnn_utils.pad_packed_sequence(z, batch_first=True, total_length=T)
            y, after = ours(x, state, lengths=lengths)
        else:
            (y, after), (z, after_t) = ours(x, state), theirs(xt, state_t)
        pairs += zip(ours.parameters(), theirs.parameters(), strict=True)
        compare_gradients(flat(y, after), flat(z, after_t), pairs, rng, dtype)


@pytest.mark.parametrize("hidden", [1, 7, 33])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "lstm, projection"])
def test_any_number_of_units(kind, hidden, dtype):
    name, own = KINDS[kind]
    for B, T in product([1, 3], [1, 20]):
        rng = np.random.default_rng(hidden)
        ours, theirs = loaded(name, dtype, 5, hidden, **own)
        x, xt = both(rng, dtype, B, T, 5)
        pairs = [(x, xt), *zip(ours.parameters(), theirs.parameters(), strict=True)]
        compare_gradients(flat(*ours(x)), flat(*theirs(xt)), pairs, rng, dtype)


@pytest.mark.parametrize("B", [None, 1, 3])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "lstm, projection"])
def test_cells(kind, bias, B, dtype):
    name, own = KINDS[kind]
    for hidden, with_state in product([1, 7, 33], [True, False]):
        rng = np.random.default_rng(hidden)
        ours, theirs = loaded(f"{name}Cell", dtype, 5, hidden, bias=bias, **own)
        rows = () if B is None else (B,)
        pairs = [both(rng, dtype, *rows, 5)]
        if with_state:
            pairs += [both(rng, dtype, *rows, hidden) for _ in range(1 + (name == "LSTM"))]
        (x, xt), *states = pairs
        state, state_t = (tuple(pair[i] for pair in states) or None for i in (0, 1))
        if with_state and name != "LSTM":
            (state,), (state_t,) = state, state_t
        after, after_t = ours(x, state), theirs(xt, state_t)
        listed = [s if isinstance(s, tuple) else (s,) for s in (after, after_t)]
        pairs += zip(ours.parameters(), theirs.parameters(), strict=True)
        compare_gradients(*listed, pairs, rng, dtype)


class LayerNormLSTM(torch.nn.Module):
    """Ba, Kiros and Hinton 2016, equations 20 to 22 of the supplement, from PyTorch's LayerNorm."""

    def __init__(self, D, H):
        super().__init__()
        self.from_x, self.from_h = (torch.nn.Linear(n, 4 * H, bias=False) for n in (D, H))
        self.norm_x, self.norm_h = torch.nn.LayerNorm(4 * H), torch.nn.LayerNorm(4 * H)
        self.norm_c = torch.nn.LayerNorm(H)
        for p in self.parameters():
            torch.nn.init.normal_(p, std=0.5)

    def forward(self, x, h, c):
        hs = []
        for x_t in x.unbind(1):
            i, f, g, o = (self.norm_h(self.from_h(h)) + self.norm_x(self.from_x(x_t))).chunk(4, 1)
            c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
            h = torch.sigmoid(o) * torch.tanh(self.norm_c(c))
            hs.append(h)
        return torch.stack(hs, 1), h, c

    def under_our_names(self):
        return {
            "weight_ih_l0": self.from_x.weight,
            "weight_hh_l0": self.from_h.weight,
            "bias_ih_l0": self.norm_x.bias,
            "bias_hh_l0": self.norm_h.bias,
            "norm_ih_l0": self.norm_x.weight,
            "norm_hh_l0": self.norm_h.weight,
            "norm_c_l0": self.norm_c.weight,
            "norm_c_bias_l0": self.norm_c.bias,
        }


@pytest.mark.parametrize("B", [1, 3])
@pytest.mark.parametrize("hidden", [7, 33])
def test_layer_norm_lstm(hidden, B, dtype):
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    theirs = LayerNormLSTM(5, hidden).to(getattr(torch, np.dtype(dtype).name))
    ours = nn.LSTM(5, hidden, layer_norm=True).to(dtype)
    named = theirs.under_our_names()
    ours.load_state_dict({name: p.detach() for name, p in named.items()})
    (x, xt), (h, ht), (c, ct) = (
        both(rng, dtype, *s) for s in ((B, 9, 5), (1, B, hidden), (1, B, hidden))
    )
    y, (h_last, c_last) = ours(x, (h, c))
    z, h_last_t, c_last_t = theirs(xt, ht[0], ct[0])
    pairs = [(x, xt), (h, ht), (c, ct), *((p, named[name]) for name, p in ours.named_parameters())]
    compare_gradients((y, h_last[0], c_last[0]), (z, h_last_t, c_last_t), pairs, rng, dtype)
