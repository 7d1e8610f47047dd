"""The C kernels, on every instruction set there is, against NumPy in float64."""

import math
import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tinyseq.backend import numpy_kernels

c = pytest.importorskip("tinyseq.backend.c_kernels", reason="the C extension is not built")
cross_entropy = pytest.importorskip("tinyseq.backend.c_cross_entropy")

FUSED = [isa for isa in c.isas() if isa != "scalar"]  # those with a fused multiply-add


def normal(*shape, seed=0):
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


def on_threads(function, *counts):
    """What function() gives on each number of threads."""
    results = []
    for count in counts:
        c.set_num_threads(count)
        results.append(function())
    return results


def same_bits(a, b):
    a, b = (x if isinstance(x, tuple) else (x,) for x in (a, b))
    return all(
        p is q or (p.shape == q.shape and p.tobytes() == q.tobytes())
        for p, q in zip(a, b, strict=True)
    )


# exp, tanh, sigmoid


def true_sigmoid(x):
    e = np.exp(-np.abs(x))
    return np.where(x < 0, e, 1) / (1 + e)


def true_erf(x):
    return np.array([math.erf(a) for a in x])


@pytest.mark.parametrize("name", ["exp", "tanh", "sigmoid", "erf"])
def test_at_most_two_units_in_the_last_place_from_float64_over_the_whole_range(isa, name):
    truth = {"exp": np.exp, "tanh": np.tanh, "sigmoid": true_sigmoid, "erf": true_erf}[name]
    # Every 1009th of all floats (a prime, so that all bits vary), and the ends of every binade.
    bits = np.arange(0, 1 << 32, 1009, dtype=np.uint64)
    edges = (np.arange(0, 512, dtype=np.uint64)[:, None] << 23) + np.array(
        [0, 1, (1 << 23) - 1], np.uint64
    )
    x = np.concatenate([bits, edges.reshape(-1)]).astype(np.uint32).view(np.float32)
    y = getattr(c, name)(x)
    nan = np.isnan(x)
    assert np.isnan(y[nan]).all()
    x, y = x[~nan], y[~nan].astype(np.float64)
    with np.errstate(over="ignore", under="ignore"):
        t = truth(x.astype(np.float64))
        # 3e38 lies in the highest binade, and has a next float.
        nearest = np.minimum(np.abs(t.astype(np.float32)), np.float32(3e38))
    # Infinity counts as the number that would come next after the largest.
    y, t = np.clip(y, -(2.0**128), 2.0**128), np.clip(t, -(2.0**128), 2.0**128)
    assert (np.abs(y - t) / np.spacing(nearest)).max() <= 2.0


@pytest.mark.parametrize("n", [0, 1, 15, 16, 17, 1000])
def test_elementwise_on_every_length(isa, n):
    x = normal(n)
    for name in ("exp", "tanh", "sigmoid"):
        expected = getattr(numpy_kernels, name)(x.astype(np.float64))
        np.testing.assert_allclose(getattr(c, name)(x), expected, rtol=1e-6)


def test_elementwise_has_the_same_bits_in_every_layout_and_leaves_its_input_alone(isa):
    """Short and scattered arrays are copied and overwritten, long ones read where they lie."""
    x = normal(40, 60)
    before = x.copy()
    for name in ("exp", "tanh", "sigmoid"):
        whole = getattr(c, name)(x)
        for cut in (np.s_[:5], np.s_[::-1, ::2], np.s_[3], np.s_[3, 4], np.s_[:0]):
            y = getattr(c, name)(np.asarray(x[cut]))
            np.testing.assert_array_equal(y, whole[cut])
            assert y.flags.c_contiguous
        np.testing.assert_array_equal(getattr(c, name)(x.T), whole.T)
    np.testing.assert_array_equal(x, before)


# matmul and linear

SHAPES = [
    (1, 1, 1), (7, 5, 3), (1, 100, 129), (100, 1, 300), (3, 129, 7), (20, 64, 600),
    (129, 100, 333), (33, 2100, 40), (200, 17, 257), (1, 1030, 1205),
    (1050, 1, 1205), (15, 40, 1100),
]  # fmt: skip


@pytest.mark.parametrize("m, n, k", SHAPES)
@pytest.mark.parametrize("turned", [(False, False), (False, True), (True, False), (True, True)])
def test_matmul_in_all_four_transpose_cases(isa, m, n, k, turned):
    a, b = normal(m, k), normal(k, n, seed=1)
    expected = a.astype(np.float64) @ b
    if turned[0]:
        a = np.ascontiguousarray(a.T).T
    if turned[1]:
        b = np.ascontiguousarray(b.T).T
    one, two, five = on_threads(lambda: c.matmul(a, b), 1, 2, 5)
    np.testing.assert_allclose(one, expected, rtol=1e-5, atol=2e-6 * np.sqrt(k))
    assert same_bits(one, two) and same_bits(one, five)


@pytest.mark.parametrize("m, n, k", [(0, 3, 2), (3, 0, 2), (3, 2, 0)])
def test_matmul_of_nothing(isa, m, n, k):
    np.testing.assert_array_equal(c.matmul(normal(m, k), normal(k, n)), np.zeros((m, n)))


def test_matmul_broadcasts_batches(isa):
    a, b = normal(3, 1, 5, 7), normal(2, 7, 4, seed=1)
    expected = np.matmul(a.astype(np.float64), b)
    np.testing.assert_allclose(c.matmul(a, b), expected, rtol=1e-5, atol=1e-5)
    assert c.matmul(normal(0, 5, 7), normal(7, 4)).shape == (0, 5, 4)


def test_matmul_reads_any_layout(isa):
    big, b = normal(40, 90), normal(30, 8, seed=1)
    read_only = big[::2, ::3].copy()
    read_only.flags.writeable = False
    misaligned = np.frombuffer(b"x" + big[:20, :30].tobytes(), np.uint8)[1:].view(np.float32)
    for a in (big[::2, ::3], big[::-2, 60:], big[:20, 60:], read_only, misaligned.reshape(20, 30),
              np.broadcast_to(big[0, :30], (20, 30))):  # fmt: skip
        expected = a.astype(np.float64) @ b
        np.testing.assert_allclose(c.matmul(a, b), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("turned", [False, True])
def test_a_part_of_a_product_does_not_depend_on_the_rest(isa, turned, threads):
    c.set_num_threads(threads)
    a, b, bias = normal(200, 700), normal(700, 90, seed=1), normal(90, seed=2)
    a[3, 5], a[7, 600], b[0, 4], a[9] = np.nan, np.inf, 0.0, -0.0
    weight = np.ascontiguousarray(b.T)
    if turned:
        a, b = np.ascontiguousarray(a.T).T, weight.T
    whole, layer = c.matmul(a, b), c.linear(a, weight, bias, "tanh")
    for rows in map(slice, (0, 3, 2, 0, 7, 5, 100, 199), (1, 4, 4, 3, 11, 10, 131, 200)):
        assert same_bits(c.matmul(a[rows], b), whole[rows])
        assert same_bits(c.linear(a[rows], weight, bias, "tanh"), layer[rows])
        for columns in (slice(4, 5), slice(20, 41), slice(89, 90)):
            part = c.matmul(a[rows], b[:, columns])
            assert same_bits(part, whole[rows, columns])
            part = c.linear(a[rows], weight[columns], bias[columns], "tanh")
            assert same_bits(part, layer[rows, columns])


@pytest.mark.parametrize("columns", [17, 18, 20, 21, 65])
@pytest.mark.parametrize("k", [0, 1, 40, 700])
def test_columns_past_the_last_panel_have_the_bits_of_any_others(isa, columns, k):
    x, weight, bias = normal(300, k), normal(96, k, seed=1), normal(96, seed=2)
    for b, activation in ((None, "none"), (bias, "none"), (bias, "tanh")):
        whole = c.linear(x, weight, b, activation)
        for part in (slice(0, columns), slice(96 - columns, 96)):
            some = None if b is None else b[part]
            assert same_bits(c.linear(x, weight[part], some, activation), whole[:, part])


@pytest.mark.parametrize("activation", ["none", "relu", "tanh", "sigmoid"])
@pytest.mark.parametrize("bias", [True, False])
def test_linear(isa, activation, bias):
    x, w, b = normal(2, 9, 300), normal(37, 300, seed=1) / 10, normal(37, seed=2) if bias else None
    wide = [None if a is None else a.astype(np.float64) for a in (x, w, b)]
    expected = numpy_kernels.linear(*wide, activation)
    np.testing.assert_allclose(c.linear(x, w, b, activation), expected, rtol=2e-5, atol=2e-6)


@pytest.mark.skipif(len(FUSED) < 2, reason="one instruction set with fused multiply-add here")
def test_all_instruction_sets_with_fused_multiply_add_give_the_same_bits():
    logits, targets, g = normal(30, 37) * 9, np.arange(30) % 37, normal(30, seed=1)
    row, column, wide = normal(1, 700), normal(60, 1, seed=2), normal(700, 60)
    results = []
    for name in FUSED:
        c.use_isa(name)
        losses, lse = cross_entropy.cross_entropy_forward(logits, targets, -100)
        state = [[normal(37, seed=s)] for s in range(3)] + [[normal(37, seed=3) ** 2]]
        settings = {"lr": 0.01, "beta1": 0.9, "beta2": 0.99, "eps": 1e-8, "weight_decay": 0.1}
        c.adam_(*state, **settings, decoupled=True, step=3)
        results.append(
            (
                *(
                    c.matmul(a, b)
                    for a, b in ((normal(50, 700), wide), (row, wide), (wide, column))
                ),
                *(f(normal(1000) * 20) for f in (c.exp, c.tanh, c.sigmoid)),
                *(losses, lse, cross_entropy.cross_entropy_backward(g, logits, lse, targets, -100)),
                *(array for group in state for array in group),
                np.array(c.sum_of_squares([wide, logits])),
            )
        )
    c.use_isa(c.isas()[0])
    assert all(same_bits(results[0], other) for other in results[1:])


def test_the_floating_point_mode_is_unchanged_and_denormals_survive_outside_the_kernels(isa):
    on_threads(lambda: c.matmul(normal(200, 64), normal(64, 200)), 2)
    tiny = np.array([1e-40], np.float32)
    assert (tiny * np.float32(0.5))[0] > 0
    assert c.tanh(tiny)[0] == tiny[0]


# embedding, the optimisers' kernels


def test_embedding_and_its_scatter(isa):
    weight, index = normal(11, 5), np.array([[3, 0, 3], [10, 3, 0]])
    np.testing.assert_array_equal(c.embedding(weight, index), weight[index])
    g = normal(2, 3, 5, seed=1)
    one, two = on_threads(lambda: c.embedding_scatter(g, index, 11), 1, 2)
    np.testing.assert_allclose(one, numpy_kernels.embedding_scatter(g, index, 11), rtol=1e-6)
    assert same_bits(one, two)


def test_sum_of_squares_is_accumulated_in_double(isa):
    arrays = [normal(n, seed=n) for n in (0, 1, 17, 4096, 100001)] + [np.full(3, 1e19, np.float32)]
    one, two = on_threads(lambda: c.sum_of_squares(arrays), 1, 2)
    assert one == two
    exact = sum(float((a.astype(np.float64) ** 2).sum()) for a in arrays)
    assert one == pytest.approx(exact, rel=1e-14)


def test_scale(isa):
    arrays = [normal(n) for n in (0, 1, 33)]
    expected = [a * np.float32(0.3) for a in arrays]
    c.scale_(arrays, 0.3)
    for got, want in zip(arrays, expected, strict=True):
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("decoupled", [True, False])
@pytest.mark.parametrize("weight_decay", [0.0, 0.1])
def test_adam(isa, decoupled, weight_decay):
    sizes = (1, 16, 37)
    state = [[normal(n, seed=s) for n in sizes] for s in range(3)]
    state.append([np.abs(normal(n, seed=3)) for n in sizes])
    wide = [[a.astype(np.float64) for a in group] for group in state]
    settings = {"lr": 0.01, "beta1": 0.9, "beta2": 0.99, "eps": 1e-8, "weight_decay": weight_decay,
                "decoupled": decoupled}  # fmt: skip
    for step in range(1, 6):
        c.adam_(*state, **settings, step=step)
        numpy_kernels.adam_(*wide, **settings, step=step)
    for group, wanted in zip(state, wide, strict=True):
        for got, want in zip(group, wanted, strict=True):
            np.testing.assert_allclose(got, want, rtol=1e-5, atol=1e-6)


# around the kernels


def test_float64_is_served_in_float64():
    x = normal(3, 4).astype(np.float64)
    assert c.matmul(x, x.T).dtype == c.exp(x).dtype == np.float64


def test_an_unknown_instruction_set_is_an_error_that_names_those_there_are():
    with pytest.raises(RuntimeError, match=r"this machine has .*scalar.*not 'mmx'"):
        c.use_isa("mmx")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_forked_child_runs_on_one_thread_and_does_not_hang():
    a = normal(300, 300)
    c.set_num_threads(2)
    expected = c.matmul(a, a)
    child = os.fork()
    if child == 0:
        same = same_bits(c.matmul(a, a), expected) and c.get_num_threads() == 1
        os._exit(0 if same else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_threads_of_python_that_call_at_once_get_the_same_bits():
    a, b = normal(200, 300), normal(300, 200, seed=1)
    expected = c.matmul(a, b)
    before = c.get_num_threads()
    c.set_num_threads(3)
    try:
        with ThreadPoolExecutor(4) as pool:
            results = list(pool.map(lambda _: c.matmul(a, b), range(200)))
    finally:
        c.set_num_threads(before)
    assert all(same_bits(r, expected) for r in results)
