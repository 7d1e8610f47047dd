"""Cross-entropy in C, alone and behind a linear layer, on every instruction set."""

import numpy as np
import pytest

from tinyseq.backend import numpy_kernels

c = pytest.importorskip("tinyseq.backend.c_kernels", reason="the C extension is not built")
ce = pytest.importorskip("tinyseq.backend.c_cross_entropy")


@pytest.mark.parametrize("rows, classes", [(1, 1), (5, 3), (7, 16), (64, 100), (300, 129), (0, 4)])
def test_cross_entropy(isa, rows, classes):
    logits = np.random.default_rng(0).standard_normal((rows, classes), np.float32) * 10
    targets = np.random.default_rng(1).integers(0, classes, rows)
    targets[::4] = -100
    g = np.random.default_rng(2).standard_normal(rows, np.float32)
    c.set_num_threads(2)
    losses, lse = ce.cross_entropy_forward(logits, targets, -100)
    wide = logits.astype(np.float64)
    expected, wide_lse = numpy_kernels.cross_entropy_forward(wide, targets, -100)
    np.testing.assert_allclose(losses, expected, rtol=1e-5, atol=5e-6)
    np.testing.assert_allclose(
        ce.cross_entropy_backward(g, logits, lse, targets, -100),
        numpy_kernels.cross_entropy_backward(g, wide, wide_lse, targets, -100),
        rtol=1e-5,
        atol=2e-6,
    )


def test_cross_entropy_at_infinities_and_nan(isa):
    logits = np.array(
        [[np.inf, 0, 1], [-np.inf, 0, 0], [np.nan, 0, 1], [3e38, -3e38, 0]], np.float32
    )
    losses, lse = ce.cross_entropy_forward(logits, np.array([1, 1, 1, 0]), -100)
    np.testing.assert_allclose(losses, [np.inf, np.log(2), np.nan, 0], rtol=1e-6)
    np.testing.assert_allclose(lse, [np.inf, np.log(2), np.nan, 3e38], rtol=1e-6)


def problem(rows, width, classes, bias, dtype=np.float32):
    r = np.random.default_rng(0)
    x, weight, b, g = (r.standard_normal(shape) for shape in
                       ((rows, width), (classes, width), classes, rows))  # fmt: skip
    targets = r.integers(0, max(classes, 1), rows)
    targets[::4] = -100
    x, weight, b, g = (a.astype(np.float32).astype(dtype) for a in (x, weight, b, g))
    return x, weight, b if bias else None, targets, -100, g


def same_bits(a, b):
    return all(p is q or p.tobytes() == q.tobytes() for p, q in zip(a, b, strict=True))


SHAPES = [
    (1, 1, 1), (5, 3, 2), (40, 17, 33), (129, 8, 65), (513, 9, 16), (1100, 30, 70),
    (513, 40, 1), (1025, 200, 1), (1024, 7, 1), (1030, 3, 2),
]  # fmt: skip


@pytest.mark.parametrize("rows, width, classes", SHAPES)
@pytest.mark.parametrize("bias", [True, False])
def test_the_numbers_of_float64_and_the_same_bits_on_any_threads(isa, rows, width, classes, bias):
    given, wide = (problem(rows, width, classes, bias, t) for t in (np.float32, np.float64))
    results = []
    for threads in (1, 2, 5):
        c.set_num_threads(threads)
        results.append(ce.linear_cross_entropy(*given))
    assert all(same_bits(results[0], other) for other in results[1:])
    expected = numpy_kernels.linear_cross_entropy(*wide)
    for got, wanted in zip(results[0], expected, strict=True):
        if wanted is None:
            assert got is None and not bias
            continue
        assert got.dtype == np.float32
        scale = np.abs(wanted).max(initial=1)
        np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=3e-6 * scale)
    losses, *none = ce.linear_cross_entropy(*given[:-1], None)
    assert none == [None] * 3 and losses.tobytes() == results[0][0].tobytes()


def test_the_bits_of_the_layers_one_after_another(isa):
    x, weight, bias, targets, ignore, g = problem(1100, 30, 70, True)
    losses, dx, dweight, _ = ce.linear_cross_entropy(x, weight, bias, targets, ignore, g)
    logits = c.linear(x, weight, bias, "none")
    expected, logsumexp = ce.cross_entropy_forward(logits, targets, ignore)
    dlogits = ce.cross_entropy_backward(g, logits, logsumexp, targets, ignore)
    parts = (expected, c.matmul(dlogits, weight), c.matmul(dlogits.T, x))
    assert same_bits((losses, dx, dweight), parts)


@pytest.mark.parametrize("shape", [(0, 3, 4), (3, 0, 4), (0, 0, 0), (4, 3, 0)])
def test_nothing(isa, shape):
    given = problem(*shape, True)
    given[3][:] = -100 if shape[2] == 0 else given[3]
    for got, wanted in zip(
        ce.linear_cross_entropy(*given), numpy_kernels.linear_cross_entropy(*given), strict=True
    ):
        np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-6)


def test_what_an_ignored_row_holds_reaches_no_loss_and_no_other_gradient(isa):
    x, weight, bias, targets, ignore, g = problem(10, 3, 5, True)
    x[targets == ignore], g[targets == ignore] = np.nan, np.inf
    losses, dx, _, dbias = ce.linear_cross_entropy(x, weight, bias, targets, ignore, g)
    assert (losses[targets == ignore] == 0).all() and (dx[targets == ignore] == 0).all()
    x[targets == ignore] = 0
    clean = ce.linear_cross_entropy(x, weight, bias, targets, ignore, g)
    assert np.isfinite(dbias).all() and same_bits(clean[:2] + clean[3:], (losses, dx, dbias))
