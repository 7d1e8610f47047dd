import numpy as np
import pytest

import tinyseq as ts
from tinyseq import init


def test_draws_have_their_range_and_moments():
    ts.manual_seed(0)
    t = ts.zeros(100_000)
    assert init.uniform_(t, -1.0, 3.0) is t
    assert -1 <= t.data.min() < -0.99 and 2.99 < t.data.max() <= 3
    init.normal_(t, 2.0, 3.0)
    assert t.data.mean() == pytest.approx(2.0, abs=0.05)
    assert t.data.std() == pytest.approx(3.0, abs=0.05)
    assert (init.constant_(t, 4.0).data == 4).all()


def test_xavier_range():
    t = init.xavier_uniform_(ts.zeros(100, 50), gain=2.0)
    assert np.abs(t.data).max() == pytest.approx(2 * (6 / 150) ** 0.5, rel=0.01)


@pytest.mark.parametrize("shape", [(3, 7), (7, 3), (5, 5)])
def test_orthogonal_rows_or_columns(shape):
    w = init.orthogonal_(ts.zeros(*shape), gain=2.0).data
    product = w @ w.T if shape[0] <= shape[1] else w.T @ w
    np.testing.assert_allclose(product, 4 * np.eye(min(shape)), atol=1e-5)


def test_matrices_only():
    for function in (init.xavier_uniform_, init.orthogonal_):
        with pytest.raises(ValueError, match="matrix"):
            function(ts.zeros(3))
