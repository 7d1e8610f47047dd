import numpy as np
import pytest

import tinyseq as ts
from tinyseq import nn


def parameters(*gradients):
    made = []
    for gradient in gradients:
        p = nn.Parameter(np.zeros(np.shape(gradient), np.float32))
        p.grad = ts.tensor(np.array(gradient, np.float32))
        made.append(p)
    return made


def test_clip_scales_all_gradients_together():
    ps = [*parameters([3.0, 0.0], [[4.0]]), nn.Parameter(np.zeros(2, np.float32))]
    assert nn.utils.clip_grad_norm_(ps, 1.0) == pytest.approx(5.0)
    assert ps[0].grad.data[0] == pytest.approx(0.6, rel=1e-5)
    assert ps[1].grad.data[0, 0] == pytest.approx(0.8, rel=1e-5)
    assert ps[2].grad is None


def test_clip_leaves_small_and_broken_gradients_alone():
    ps = parameters([3.0, 4.0])
    nn.utils.clip_grad_norm_(ps, 6.0)
    assert ps[0].grad.data.tolist() == [3.0, 4.0]
    ps = parameters([np.inf, 1.0])
    assert nn.utils.clip_grad_norm_(ps, 1.0) == np.inf
    assert ps[0].grad.data.tolist() == [np.inf, 1.0]
    assert nn.utils.clip_grad_norm_([], 1.0) == 0.0


def test_the_norm_does_not_overflow_float32():
    ps = parameters([1e30, 1e30])
    assert nn.utils.clip_grad_norm_(ps, 1.0) == pytest.approx(2**0.5 * 1e30)


def test_clip_needs_a_norm_above_zero():
    for norm in (0.0, -1.0, float("nan")):
        with pytest.raises(ValueError, match="max_norm"):
            nn.utils.clip_grad_norm_([], norm)


def test_clip_takes_one_tensor():
    (p,) = parameters([3.0, 4.0])
    assert nn.utils.clip_grad_norm_(p, 1.0) == pytest.approx(5.0)
    np.testing.assert_allclose(p.grad.data, [0.6, 0.8], rtol=1e-5)
