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


def test_dropout_follows_the_seed():
    ts.manual_seed(5)
    first = F.dropout(ts.ones(64)).data
    second = F.dropout(ts.ones(64)).data
    ts.manual_seed(5)
    np.testing.assert_array_equal(F.dropout(ts.ones(64)).data, first)
    assert (first != second).any()
