import numpy as np
import pytest

import tinyseq as ts
from tinyseq import nn


def test_the_forget_bias_is_where_it_begins():
    layer = nn.LSTM(3, 4, 2, bidirectional=True, forget_bias=1.5)
    for name, p in layer.named_parameters():
        if name.startswith("bias"):
            assert (p.data[4:8] == (1.5 if name.startswith("bias_ih") else 0)).all()
            others = np.concatenate([p.data[:4], p.data[8:]])
            assert (others != 0).all() and (np.abs(others) <= 0.5).all()


def test_a_projection_makes_h_smaller_but_not_c():
    layer = nn.LSTM(3, 7, 2, proj_size=2, bidirectional=True)
    shapes = {name: p.shape for name, p in layer.named_parameters()}
    assert shapes["weight_hh_l0"] == (28, 2) and shapes["weight_ih_l1"] == (28, 4)
    assert shapes["weight_hr_l1_reverse"] == (2, 7)
    y, (h, c) = layer(ts.zeros(5, 6, 3))
    assert y.shape == (5, 6, 4) and h.shape == (4, 5, 2) and c.shape == (4, 5, 7)


def test_zoneout_of_h_alone_and_of_c_alone():
    x, first = ts.randn(2, 3, 4), (ts.randn(1, 2, 5), ts.randn(1, 2, 5))
    _, (h, c) = nn.LSTM(4, 5, zoneout=(1.0, 0.0))(x, first)
    np.testing.assert_array_equal(h.data, first[0].data)
    assert (c.data != first[1].data).all()
    _, (h, c) = nn.LSTM(4, 5, zoneout=(0.0, 1.0))(x, first)
    np.testing.assert_array_equal(c.data, first[1].data)
    assert (h.data != first[0].data).all()


def test_bad_arguments_are_named():
    for match, options in [
        ("proj_size must be below hidden_size 5, got 5", {"proj_size": 5}),
        ("proj_size must be a whole number from 0 up, got -1", {"proj_size": -1}),
        ("forget_bias needs bias=True", {"forget_bias": 1.0, "bias": False}),
        ("forget_bias must be a finite number, got 'big'", {"forget_bias": "big"}),
        ("forget_bias must be a finite number, got inf", {"forget_bias": float("inf")}),
        ("forget_bias must be a finite number, got True", {"forget_bias": True}),
        (r"zoneout must be one rate, or two, of h and c, got \(0.1,\)", {"zoneout": (0.1,)}),
        ("zoneout must be a number from 0 to 1, got 2", {"zoneout": (0.1, 2)}),
    ]:
        ts.manual_seed(0)
        with pytest.raises(ValueError, match=f"^LSTM: {match}"):
            nn.LSTM(4, 5, **options)
        after = ts.randn(3)
        ts.manual_seed(0)
        np.testing.assert_array_equal(after.data, ts.randn(3).data)  # nothing has been drawn


def test_a_bad_state_is_named():
    layer, x, h = nn.LSTM(4, 5), ts.zeros(2, 3, 4), ts.zeros(1, 2, 5)
    for got, state in (("3 of them", (h, h, h)), ("1 of them", (h,)), ("Tensor", h)):
        with pytest.raises(TypeError, match=rf"LSTM: state must be a pair \(h0, c0\), got {got}"):
            layer(x, state)
    with pytest.raises(ValueError, match=r"LSTM: c0 must be \(1, 2, 5\), got \(1, 2, 2\)"):
        nn.LSTM(4, 5, proj_size=2)(x, (ts.zeros(1, 2, 2), ts.zeros(1, 2, 2)))
