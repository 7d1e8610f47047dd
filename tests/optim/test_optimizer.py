import json
from copy import deepcopy

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
    "rmsprop": lambda ps: optim.RMSprop(ps, lr=1e-3),
    "rmsprop centered": lambda ps: optim.RMSprop(ps, lr=1e-3, momentum=0.9, centered=True),
    "adagrad": lambda ps: optim.Adagrad(ps, lr=1.0),
}


def parameters():
    return [nn.Parameter(np.array([3.0, -2.0])), nn.Parameter(np.array([[1.0]]))]


def descend(optimizer, ps, steps):
    for _ in range(steps):
        optimizer.zero_grad()
        sum((p * p).sum() for p in ps).backward()
        optimizer.step()


@pytest.mark.parametrize("kind", MAKERS)
def test_it_goes_down_a_bowl(kind):
    ps = parameters()
    before = sum((p.data**2).sum() for p in ps)
    descend(MAKERS[kind](ps), ps, 300)
    after = sum((p.data**2).sum() for p in ps)
    assert after < 0.9 * before if kind.startswith("rmsprop") else after < 1e-3


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


def same(a, b):
    """Whether two states are equal, arrays bit for bit."""
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and a.dtype == b.dtype and np.array_equal(a, b)
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b


def test_a_foreign_state_dict_is_refused_whole():
    ps = parameters()
    optimizer = optim.Adam(ps)
    descend(optimizer, ps, 1)
    before = optimizer.state_dict()
    other = optim.Adam(ps[:1])
    with pytest.raises(ValueError, match="expected group 0 to have 2 parameters"):
        optimizer.load_state_dict(other.state_dict())
    split = optim.Adam([{"params": ps[:1]}, {"params": ps[1:]}])
    with pytest.raises(ValueError, match="expected 1 groups, got 2"):
        optimizer.load_state_dict(split.state_dict())
    swapped = optim.Adam(ps[::-1])
    descend(swapped, ps, 1)
    with pytest.raises(ValueError, match=r"parameter 0 of shape \(2,\) cannot take exp_avg"):
        optimizer.load_state_dict(swapped.state_dict())
    with pytest.raises(ValueError, match="group 0 lacks or does not know betas"):
        optim.SGD(ps).load_state_dict(before)
    assert same(optimizer.state_dict(), before)


def damages(state):
    """States that look like it but for one thing, each with a word of the complaint."""

    def changed(word, *path, to):
        copy = deepcopy(state)
        place = copy
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = to
        return word, copy

    yield "state", {}
    yield "state", None
    yield "param_groups", {"state": state["state"]}
    yield changed("param_groups", "param_groups", to={"0": 1})
    yield changed("group 0", "param_groups", 0, to=3)
    yield changed("group 0", "param_groups", 0, "params", to=[0, 0])
    yield changed("surprise", "param_groups", 0, "surprise", to=1)
    for value in (-1.0, float("nan"), float("inf"), "0.1", None, True, [1.0], 10**400):
        yield changed("lr", "param_groups", 0, "lr", to=value)
        yield changed("initial_lr", "param_groups", 0, "initial_lr", to=value)
    for value in (0.9, [0.9], [0.9, 1.0], ["a", "b"], {}):
        yield changed("betas", "param_groups", 0, "betas", to=value)
    yield changed("2 parameters", "state", to=state["state"][:1])
    yield changed("parameter 1", "state", 1, to=7)
    for value in (0, -3, 2.0, "3", None, True, 10**400):
        yield changed("step", "state", 1, "step", to=value)
    for value in (None, [[1.0]], np.ones(1), np.ones((1, 1), int), np.array([["x"]])):
        yield changed("exp_avg", "state", 1, "exp_avg", to=value)
    yield changed("momentum", "state", 1, "momentum", to=np.ones((1, 1)))
    lacking = deepcopy(state)
    del lacking["state"][1]["exp_avg_sq"]
    yield "lacks exp_avg_sq", lacking
    lacking = deepcopy(state)
    del lacking["param_groups"][0]["eps"]
    yield "eps", lacking


def test_damaged_states_are_refused_and_change_nothing():
    ps = parameters()
    optimizer = optim.Adam(ps)
    descend(optimizer, ps, 2)
    before = optimizer.state_dict()
    for word, state in damages(before):
        with pytest.raises(ValueError, match=rf"^Adam.*: .*{word}"):
            optimizer.load_state_dict(state)
        assert same(optimizer.state_dict(), before)


@pytest.mark.parametrize("kind", MAKERS)
def test_a_state_is_json_and_arrays_of_its_own(kind):
    ps = parameters()
    optimizer = MAKERS[kind](ps)
    optimizer.lr = np.float32(0.5)
    descend(optimizer, ps, 2)
    state = optimizer.state_dict()
    arrays = {(i, k): v for i, m in enumerate(state["state"]) for k, v in m.items() if k != "step"}
    for (i, key), array in arrays.items():
        state["state"][i][key] = None
        assert not np.shares_memory(array, optimizer.state[ps[i]][key])
    state = json.loads(json.dumps(state))
    for (i, key), array in arrays.items():
        state["state"][i][key] = array
    other = MAKERS[kind](ps)
    other.load_state_dict(state)
    assert same(other.state_dict(), optimizer.state_dict())
    assert other.lr == 0.5
    for (i, key), array in arrays.items():
        assert not np.shares_memory(array, other.state[ps[i]][key])


def test_groups_have_settings_of_their_own():
    a, b = parameters()
    optimizer = optim.SGD([{"params": a}, {"params": [b], "lr": 0.01, "momentum": 0.5}], lr=0.1)
    assert [g["lr"] for g in optimizer.param_groups] == [0.1, 0.01]
    assert optimizer.lr == 0.1
    for p in (a, b):
        p.grad = ts.ones(p.shape, dtype=p.dtype)
    optimizer.step()
    optimizer.step()
    np.testing.assert_allclose(a.data, [2.8, -2.2])
    np.testing.assert_allclose(b.data, [[1 - 0.01 - 0.015]])
    optimizer.lr = 0.5
    assert [g["lr"] for g in optimizer.param_groups] == [0.5, 0.5]
    assert optimizer.parameters[0] is a and optimizer.parameters[1] is b


def test_a_group_can_join_later_and_a_bad_one_leaves_nothing():
    a, b = parameters()
    optimizer = optim.Adam([a])
    for group, error, message in (
        ({"params": [b, b]}, ValueError, "there twice"),
        ({"params": [b, a]}, ValueError, "there twice"),
        ({"params": [b], "rate": 1}, ValueError, "no setting 'rate'"),
        ({"params": [b], "lr": -1}, ValueError, "lr must not be negative"),
        ({"params": [b, 3]}, TypeError, "expected Tensors, got int"),
        ({"lr": 1}, TypeError, "expected a dictionary with 'params'"),
        (b, TypeError, "expected a dictionary with 'params'"),
    ):
        with pytest.raises(error, match=message):
            optimizer.add_param_group(group)
        assert len(optimizer.param_groups) == 1
    optimizer.add_param_group({"params": [b], "lr": 1.0})
    assert [len(g["params"]) for g in optimizer.param_groups] == [1, 1]


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
        (lambda: optim.Adam(ps, betas=0.9), "betas must be two numbers"),
        (lambda: optim.SGD(ps, nesterov=1, momentum=0.9), "nesterov must be True or False"),
        (lambda: optim.RMSprop(ps, alpha=-1), "RMSprop: alpha must not be negative"),
        (lambda: optim.Adagrad(ps, lr_decay=-1), "Adagrad: lr_decay must not be negative"),
        (lambda: optim.SGD([*ps, ps[0]]), "there twice"),
    ):
        with pytest.raises(ValueError, match=message):
            make()
    with pytest.raises(TypeError, match="expected Tensors, got int"):
        optim.SGD([1])


@pytest.mark.parametrize("kind", MAKERS)
def test_tensors_that_no_gradient_would_reach_are_refused(kind):
    p = nn.Parameter(np.ones((2, 3), np.float32))
    with pytest.raises(TypeError, match=r"expected Tensors, model.parameters\(\), got Linear"):
        MAKERS[kind](nn.Linear(2, 2))
    with pytest.raises(TypeError, match="expected several Tensors, got one"):
        MAKERS[kind](p)
    with pytest.raises(ValueError, match="expected leaves, got a Tensor that an operation made"):
        MAKERS[kind]([p * 2])


@pytest.mark.parametrize("kind", MAKERS)
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
    if kind == "sgd":
        return  # it remembers no array that could be of another shape
    ps[1].data, ps[1].grad = np.ones(5000, np.float32), ts.ones(5000)
    with pytest.raises(ValueError, match=r"parameter 1 is \(5000,\), its \w+ \(4,\)"):
        optimizer.step()
    np.testing.assert_array_equal(ps[0].data, after[0])
