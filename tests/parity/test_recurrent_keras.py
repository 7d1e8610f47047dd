"""The outputs that Keras's own tests expect of its recurrent layers.

They are in keras/src/layers/rnn/*_test.py, of Keras 3. There the input counts up, all of W is 0.01,
of U 0.02, of the biases 0.03. Keras has no second bias but in the GRU that resets after the
product, and its LSTM begins with 1 in the forget gate's.
"""

import numpy as np
import pytest

import tinyseq as ts
from tinyseq import nn

# Kind, its options, the input's shape, H, whether there is a first state, and each row's last h:
# one number where all units agree.
CASES = [
    ("RNN", {}, (2, 3, 4), 4, False, [0.405432, 0.73605347]),
    ("RNN", {"reverse": True}, (2, 3, 4), 4, False, [0.11144729, 0.5528889]),
    ("RNN", {}, (2, 4, 3), 4, True, [0.33621645, 0.6262637]),
    ("RNN", {"reverse": True}, (2, 4, 3), 4, True, [0.07344437, 0.43043602]),
    ("GRU", {}, (3, 6, 4), 3, False, [0.5217289, 0.6371659, 0.39384964]),
    ("GRU", {"reverse": True}, (3, 6, 4), 3, False, [0.24406259, 0.611516, 0.3928808]),
    ("GRU", {"reset_after": False}, (3, 6, 4), 3, False, [0.51447755, 0.6426879, 0.40208298]),
    ("GRU", {"bias": False}, (3, 6, 4), 3, False, [0.49988455, 0.64701194, 0.4103359]),
    ("GRU", {}, (2, 4, 3), 2, True, [[0.23774096, 0.33508456], [0.83659905, 1.0227708]]),
    (
        "GRU",
        {"reverse": True},
        (2, 4, 3),
        2,
        True,
        [[0.13486053, 0.23261218], [0.78257304, 0.9691353]],
    ),
    ("LSTM", {}, (3, 6, 4), 3, False, [0.6288687, 0.86899155, 0.9460773]),
    ("LSTM", {"reverse": True}, (3, 6, 4), 3, False, [0.35622165, 0.74789524, 0.8872726]),
    ("LSTM", {"forget_bias": 0.03}, (3, 6, 4), 3, False, [0.57019705, 0.8661914, 0.9459622]),
    ("LSTM", {"bias": False}, (3, 6, 4), 3, False, [0.54986924, 0.86226785, 0.9443936]),
    ("LSTM", {}, (2, 4, 3), 2, True, [[0.20574439, 0.3558822], [0.64930826, 0.66276]]),
    (
        "LSTM",
        {"reverse": True},
        (2, 4, 3),
        2,
        True,
        [[0.13281618, 0.2790356], [0.5839337, 0.5992567]],
    ),
]


def build(kind, D, H, **options):
    forget = options.get("forget_bias", 1.0)
    layer = getattr(nn, kind)(D, H, **options)
    one_bias = kind != "GRU" or not layer.reset_after
    values = {"weight_ih_l0": 0.01, "weight_hh_l0": 0.02, "bias_ih_l0": 0.03}
    values["bias_hh_l0"] = 0.0 if one_bias else 0.03
    for name, p in layer.named_parameters():
        p.data[...] = values[name]
    if kind == "LSTM" and layer.bias:
        layer.bias_ih_l0.data[H : 2 * H] = forget
    return layer


def counting(*shape):
    return ts.arange(float(np.prod(shape))).reshape(shape)


@pytest.mark.parametrize(("kind", "options", "shape", "H", "with_state", "expected"), CASES)
def test_the_last_output(kind, options, shape, H, with_state, expected):
    first = None
    if with_state:
        h = counting(1, shape[0], H)
        first = (h, h) if kind == "LSTM" else h
    _, after = build(kind, shape[2], H, **options)(counting(*shape), first)
    expected = np.array(expected)
    wanted = expected if expected.ndim == 2 else np.repeat(expected[:, None], H, 1)
    last = after[0] if kind == "LSTM" else after
    np.testing.assert_allclose(last.data[0], wanted, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("RNN", [0.405592560, 0.7361247]),
        ("GRU", [0.29542392, 0.5885018]),
        ("LSTM", [0.3124785, 0.6863672]),
    ],
)
def test_the_same_input_again_with_the_state_of_the_first_run(kind, expected):
    layer, x = build(kind, 4, 4), counting(2, 3, 4)
    _, state = layer(x)
    y, _ = layer(x, state)
    np.testing.assert_allclose(y.data[:, -1], np.repeat([expected], 4, 0).T, rtol=1e-5)


def test_rows_that_end_earlier():
    y, (h, _) = build("LSTM", 3, 2)(counting(2, 4, 3), lengths=[3, 2])
    outputs = [[0.01588910, 0.05552048, 0.11755939, 0], [0.14185596, 0.28556206, 0, 0]]
    for unit in range(2):
        np.testing.assert_allclose(y.data[:, :, unit], outputs, rtol=1e-5)
        np.testing.assert_allclose(h.data[0, :, unit], [0.11755939, 0.28556206], rtol=1e-5)
