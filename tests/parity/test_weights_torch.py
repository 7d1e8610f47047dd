"""PyTorch's own safetensors files load by name, and ours into PyTorch."""

import numpy as np
import pytest

import tinyseq as ts
from tinyseq import nn
from tinyseq.saving import load_weights, save_weights

torch = pytest.importorskip("torch")
from safetensors.torch import load_file, save_file  # noqa: E402  # needs torch

LAYERS = {
    "LSTM": (lambda n, kw: n.LSTM(5, 7, 2, bidirectional=True, **kw), {}),
    "projected LSTM": (lambda n, kw: n.LSTM(5, 7, proj_size=3, **kw), {}),
    "GRU": (lambda n, kw: n.GRU(5, 7, 2, **kw), {}),
    "encoder layer": (lambda n, kw: n.TransformerEncoderLayer(6, 2, 16, 0.0, **kw), {}),
    "Transformer": (lambda n, kw: n.Transformer(6, 2, 1, 1, 16, 0.0, **kw), {"two": True}),
}


@pytest.mark.filterwarnings("ignore:LSTM with projections is not supported with oneDNN")
@pytest.mark.parametrize("kind", LAYERS)
def test_weights_go_both_ways_and_mean_the_same(tmp_path, kind):
    make, options = LAYERS[kind]
    theirs, ours = make(torch.nn, {"batch_first": True}).eval(), make(nn, {}).eval()
    size = 5 if kind.endswith(("LSTM", "GRU")) else 6
    x = np.random.default_rng(0).normal(size=(2, 4, size)).astype(np.float32)
    inputs = (x, x[:, ::-1].copy()) if options else (x,)

    def results():
        y = ours(*map(ts.tensor, inputs))
        with torch.no_grad():
            z = theirs(*map(torch.from_numpy, inputs))
        return (y[0] if isinstance(y, tuple) else y).data, (z[0] if isinstance(z, tuple) else z)

    save_file(theirs.state_dict(), tmp_path / "theirs")
    ours.load_state_dict(load_weights(tmp_path / "theirs"))
    np.testing.assert_allclose(*results(), rtol=1e-5, atol=1e-6)
    for parameter in ours.parameters():
        parameter.data += 0.1
    save_weights(tmp_path / "ours", ours.state_dict())
    theirs.load_state_dict(load_file(tmp_path / "ours"))
    np.testing.assert_allclose(*results(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    "kind",
    [
        *("float64", "float32", "float16", "bfloat16", "bool"),
        *("int64", "int32", "int16", "int8", "uint64", "uint32", "uint16", "uint8"),
    ],
)
def test_every_kind_of_number_is_read(tmp_path, kind):
    numbers = torch.tensor([[0.0, 1.0, 2.5], [100.25, 3.0, 1.0]]).to(getattr(torch, kind))
    state = {"w": numbers, "empty": numbers[:0].clone(), "scalar": numbers[0, 1].clone()}
    save_file(state, tmp_path / "w")
    found = load_weights(tmp_path / "w")
    wanted = numbers.float().numpy() if kind == "bfloat16" else numbers.numpy()
    np.testing.assert_array_equal(found["w"], wanted)
    assert found["w"].dtype == wanted.dtype and found["w"].flags.writeable
    assert found["empty"].shape == (0, 3) and found["scalar"].shape == ()


def test_numbers_of_eight_bits_are_refused_by_name(tmp_path):
    save_file({"w": torch.ones(2).to(torch.float8_e4m3fn)}, tmp_path / "w")
    with pytest.raises(ValueError, match=r"w has numbers of the unknown kind F8_E4M3"):
        load_weights(tmp_path / "w")
