"""Infinities and NaN are answers: no op warns of them, nor of an overflow (warnings are errors)."""

import threading

import numpy as np
import pytest

from tinyseq import ops
from tinyseq.autograd import Tensor
from tinyseq.backend.quiet import quiet

ENDS = [-np.inf, -3e38, -1e4, -1.0, 0.0, 1.0, 1e4, 3e38, np.inf, np.nan]
ROWS = np.array([ENDS, ENDS[::-1]])
ONE = (
    "neg abs sign exp expm1 log log1p sqrt rsqrt square reciprocal sin cos tan tanh sigmoid erf "
    "relu leaky_relu elu gelu silu softplus logsigmoid floor round sum mean prod var std amax amin "
    "max min logsumexp norm any all"
).split()
TWO = "add sub mul div pow maximum minimum lt le gt ge eq ne mse_loss l1_loss huber_loss".split()
ALONG = "softmax log_softmax cumsum sort normalize argmax argmin".split()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ONE + ALONG + TWO)
def test_no_op_warns(name, dtype):
    x = Tensor(ROWS.astype(dtype) * (1 if dtype == np.float32 else 5e269))
    if name in TWO:
        y = getattr(ops, name)(x, Tensor(x.data.T[..., None]) if name in TWO[:13] else x * -1)
    else:
        y = getattr(ops, name)(x, *([1] if name in ALONG else []))
    assert isinstance(y, Tensor | tuple)


def test_what_an_overflow_gives():
    big = Tensor(np.full(2, 3e38, np.float32))
    for y in (
        big * 10,
        big + big,
        big - -big,
        ops.square(big),
        big.sum(),
        big.cumsum(0)[1],
        big.prod(),
    ):
        assert np.isinf(y.data).all()
    assert np.isinf(ops.reciprocal(Tensor(np.zeros(1, np.float32))).item())


def test_numpy_itself_still_warns():
    ops.mul(Tensor(np.full(2, 1e308)), 10)
    with pytest.warns(RuntimeWarning, match="overflow"):
        np.full(2, 1e308) * 10


def test_each_thread_has_its_own():
    results = []

    def work():
        results.extend(float(quiet.run(np.multiply, np.float64(1e308), 10)) for _ in range(200))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [np.inf] * 800
