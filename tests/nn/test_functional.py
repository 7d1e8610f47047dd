import numpy as np
import pytest

import tinyseq as ts
from tinyseq.nn import functional as F


def test_dropout_keeps_the_mean_and_scales_its_gradient():
    ts.manual_seed(0)
    x = ts.ones(100_000, requires_grad=True)
    y = F.dropout(x, 0.2)
    assert y.data.mean() == pytest.approx(1.0, abs=0.01)
    assert (y.data == 0).mean() == pytest.approx(0.2, abs=0.01)
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.data, y.data)


def test_dropout_at_its_ends():
    x = ts.ones(10)
    assert F.dropout(x, 0.0) is x
    assert (F.dropout(x, 1.0).data == 0).all()
    assert F.dropout(x, 0.5, training=False) is x
    assert F.dropout(ts.tensor(np.ones(3)), 0.5).dtype == np.float64
    for p in (-0.1, 1.1, float("nan")):
        with pytest.raises(ValueError, match="p must be"):
            F.dropout(x, p)
    with pytest.raises(TypeError, match="dropout: expected floating-point data, got int64"):
        F.dropout(ts.tensor([1, 2]), 0.5)
    for shape in ((), (0, 3)):
        assert F.dropout(ts.ones(*shape), 0.5).shape == shape


def test_dropout_follows_the_seed():
    ts.manual_seed(5)
    first = F.dropout(ts.ones(64)).data
    second = F.dropout(ts.ones(64)).data
    ts.manual_seed(5)
    np.testing.assert_array_equal(F.dropout(ts.ones(64)).data, first)
    assert (first != second).any()


def test_dropout_is_the_same_on_every_backend_and_in_every_dtype():
    x = ts.randn(30, 50)
    before = ts.backend.info()["backend"]
    results = []
    try:
        for name in ("auto", "numpy"):
            ts.backend.use(name)
            for dtype in (np.float32, np.float64):
                ts.manual_seed(4)
                results.append(F.dropout(x.to(dtype), 0.3))
    finally:
        ts.backend.use(before)
    a, wide, b, also_wide = results
    np.testing.assert_array_equal(a.data, b.data)
    np.testing.assert_array_equal(wide.data, also_wide.data)
    np.testing.assert_array_equal(a.data == 0, wide.data == 0)


def test_the_gradient_of_dropout_drops_the_same_to_any_order():
    x = ts.ones(200, requires_grad=True)
    y = F.dropout(x, 0.5)
    (g,) = ts.grad((y * y).sum(), x, create_graph=True)
    (h,) = ts.grad(g.sum(), x)
    np.testing.assert_array_equal(g.data, 2 * y.data * y.data)
    np.testing.assert_array_equal(h.data, g.data)
