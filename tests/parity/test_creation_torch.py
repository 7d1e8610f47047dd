"""Tensors from nothing beside PyTorch's: values and dtypes."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

import tinyseq as ts  # noqa: E402


@pytest.mark.parametrize(
    "make",
    [
        lambda m: m.tensor([[1, 2], [3, 4]]),
        lambda m: m.tensor([1.5, 2]),
        lambda m: m.tensor([True, False]),
        lambda m: m.zeros(2, 3),
        lambda m: m.zeros((2, 0)),
        lambda m: m.ones(()),
        lambda m: m.full((2, 3), 7),
        lambda m: m.full((2,), 0.1),
        lambda m: m.full((), True),
        lambda m: m.eye(3),
        lambda m: m.eye(2, 4),
        lambda m: m.arange(5),
        lambda m: m.arange(2, 9, 3),
        lambda m: m.arange(5, 0, -2),
        lambda m: m.arange(0.0, 1.0, 0.1),
        lambda m: m.arange(3, 3),
        lambda m: m.linspace(-1, 2, 7),
        lambda m: m.linspace(5, 5, 1),
        lambda m: m.linspace(0, 1, 0),
        lambda m: m.zeros_like(m.arange(3)),
        lambda m: m.ones_like(m.zeros(2, 1)),
        lambda m: m.full_like(m.zeros(2, 1), 3),
        lambda m: m.full_like(m.arange(2), 3),
    ],
)
def test_the_same(make):
    ours, theirs = make(ts), make(torch).numpy()
    assert ours.dtype == theirs.dtype and ours.shape == theirs.shape
    np.testing.assert_allclose(ours.data, theirs, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize(
    "draw",
    [
        lambda m: m.rand(2, 3),
        lambda m: m.rand((2, 0)),
        lambda m: m.randn(2, 3),
        lambda m: m.randint(9, (2, 3)),
        lambda m: m.randint(-2, 9, (4,)),
        lambda m: m.rand_like(m.zeros(2, 3)),
        lambda m: m.randn_like(m.zeros(2, 3)),
        lambda m: m.randint_like(m.zeros(2, 3), 5),
        lambda m: m.randint_like(m.arange(3), 2, 5),
        lambda m: m.bernoulli(m.full((2, 3), 0.5)),
    ],
)
def test_what_is_drawn_has_the_same_form(draw):
    ours, theirs = draw(ts), draw(torch).numpy()
    assert ours.dtype == theirs.dtype and ours.shape == theirs.shape
