import numpy as np
import pytest

import tinyseq as ts
from tinyseq import nn, optim

MAKERS = {
    "sgd": lambda ps: optim.SGD(ps, lr=0.1),
    "momentum": lambda ps: optim.SGD(ps, lr=0.05, momentum=0.9, weight_decay=0.01),
    "nesterov": lambda ps: optim.SGD(ps, lr=0.05, momentum=0.9, nesterov=True),
    "adam": lambda ps: optim.Adam(ps, lr=0.1),
    "adamw": lambda ps: optim.AdamW(ps, lr=0.1),
}


def parameters():
    return [nn.Parameter(np.array([3.0, -2.0])), nn.Parameter(np.array([[1.0]]))]


def descend(optimizer, ps, steps):
    for _ in range(steps):
        optimizer.zero_grad()
        sum((p * p).sum() for p in ps).backward()
        optimizer.step()


@pytest.mark.parametrize("kind", MAKERS)
def test_it_finds_the_bottom_of_a_bowl(kind):
    ps = parameters()
    descend(MAKERS[kind](ps), ps, 300)
    assert max(np.abs(p.data).max() for p in ps) < 1e-2


def test_adam_and_adamw_by_hand():
    for decoupled, kind in ((False, optim.Adam), (True, optim.AdamW)):
        p = nn.Parameter(np.array([2.0]))
        optimizer = kind([p], lr=0.1, betas=(0.8, 0.9), eps=1e-3, weight_decay=0.5)
        value, m, v = 2.0, 0.0, 0.0
        for t, gradient in enumerate((1.0, -3.0, 0.5), start=1):
            p.grad = ts.tensor(np.array([gradient]))
            optimizer.step()
            if decoupled:
                value -= 0.1 * 0.5 * value
            else:
                gradient += 0.5 * value
            m = 0.8 * m + 0.2 * gradient
            v = 0.9 * v + 0.1 * gradient**2
            value -= 0.1 * (m / (1 - 0.8**t)) / ((v / (1 - 0.9**t)) ** 0.5 + 1e-3)
            assert p.data[0] == pytest.approx(value, rel=1e-12)


def test_parameters_without_a_gradient_stay_and_start_later_from_step_one():
    a, b = parameters()
    optimizer = optim.Adam([a, b], lr=0.1)
    a.grad = ts.tensor(np.array([1.0, 1.0]))
    optimizer.step()
    assert b.data[0, 0] == 1.0
    b.grad = ts.tensor(np.array([[7.0]]))
    optimizer.step()
    assert b.data[0, 0] == pytest.approx(0.9)  # Adam's first step is lr whatever the gradient


@pytest.mark.parametrize("kind", MAKERS)
def test_state_dict_goes_on_where_it_was_taken(kind):
    whole, cut = parameters(), parameters()
    descend(MAKERS[kind](whole), whole, 7)
    first = MAKERS[kind](cut)
    descend(first, cut, 3)
    second = MAKERS[kind](cut)
    second.load_state_dict(first.state_dict())
    descend(second, cut, 4)
    for a, b in zip(whole, cut, strict=True):
        np.testing.assert_array_equal(a.data, b.data)


def test_a_foreign_state_dict_is_refused_whole():
    ps = parameters()
    optimizer = optim.Adam(ps)
    descend(optimizer, ps, 1)
    before = optimizer.state_dict()
    other = optim.Adam(ps[:1])
    with pytest.raises(ValueError, match="expected 2 parameters, got 1"):
        optimizer.load_state_dict(other.state_dict())
    swapped = optim.Adam(ps[::-1])
    descend(swapped, ps, 1)
    with pytest.raises(ValueError, match=r"parameter 0 of shape \(2,\) cannot take exp_avg"):
        optimizer.load_state_dict(swapped.state_dict())
    with pytest.raises(ValueError, match="cannot take exp_avg"):
        optim.SGD(ps).load_state_dict(before)
    np.testing.assert_array_equal(
        optimizer.state_dict()["state"][0]["exp_avg"], before["state"][0]["exp_avg"]
    )


def test_bad_settings_are_named():
    ps = parameters()
    for make, message in (
        (lambda: optim.SGD([]), "SGD: expected parameters, got none"),
        (lambda: optim.SGD(ps, lr=-1), "SGD: lr must not be negative"),
        (lambda: optim.SGD(ps, momentum=-1), "momentum"),
        (lambda: optim.SGD(ps, nesterov=True), "nesterov needs"),
        (lambda: optim.Adam(ps, betas=(0.9, 1.0)), "betas"),
        (lambda: optim.AdamW(ps, weight_decay=-1), "AdamW: weight_decay"),
        (lambda: optim.Adam(ps, lr=float("nan")), "lr"),
    ):
        with pytest.raises(ValueError, match=message):
            make()
    with pytest.raises(TypeError, match="expected Tensors, got int"):
        optim.SGD([1])


@pytest.mark.parametrize("kind", MAKERS)
def test_tensors_that_no_gradient_would_reach_are_refused(kind):
    p = nn.Parameter(np.ones((2, 3), np.float32))
    with pytest.raises(TypeError, match="expected several Tensors, got one"):
        MAKERS[kind](p)
    with pytest.raises(ValueError, match="expected leaves, got a Tensor that an operation made"):
        MAKERS[kind]([p * 2])


@pytest.mark.parametrize("kind", ["momentum", "adam", "adamw"])
def test_shapes_that_differ_are_named_before_anything_changes(kind):
    ps = [nn.Parameter(np.ones(n, np.float32)) for n in (3, 4)]
    optimizer = MAKERS[kind](ps)
    for p in ps:
        p.grad = ts.ones(p.shape)
    optimizer.step()
    after = [p.data.copy() for p in ps]
    ps[1].grad = ts.ones(1)
    with pytest.raises(ValueError, match=r"parameter 1 is \(4,\), its grad \(1,\)"):
        optimizer.step()
    ps[1].data, ps[1].grad = np.ones(5000, np.float32), ts.ones(5000)
    with pytest.raises(ValueError, match=r"parameter 1 is \(5000,\), its \w+ \(4,\)"):
        optimizer.step()
    np.testing.assert_array_equal(ps[0].data, after[0])
