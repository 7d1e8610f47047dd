from copy import deepcopy

import numpy as np
import pytest

from tinyseq import nn, optim
from tinyseq.optim import lr_scheduler as schedulers


def optimizer(lr=1.0):
    return optim.SGD([nn.Parameter(np.ones(2, np.float32))], lr=lr, momentum=0.5)


def rates(scheduler, steps):
    found = [scheduler.optimizer.lr]
    for _ in range(steps):
        scheduler.step()
        found.append(scheduler.optimizer.lr)
    return found


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (lambda o: schedulers.LambdaLR(o, lambda t: 1 / (1 + t)), [1, 1 / 2, 1 / 3, 1 / 4]),
        (lambda o: schedulers.ConstantLR(o, 0.5, 2), [0.5, 0.5, 1, 1]),
        (lambda o: schedulers.LinearLR(o, 0.25, 1.0, 3), [0.25, 0.5, 0.75, 1, 1]),
        (lambda o: schedulers.StepLR(o, 2, 0.5), [1, 1, 0.5, 0.5, 0.25]),
        (lambda o: schedulers.CosineAnnealingLR(o, 2, 0.2), [1, 0.6, 0.2, 0.6]),
        (
            lambda o: schedulers.OneCycleLR(
                o, 8, 5, pct_start=0.6, anneal_strategy="linear", div_factor=4, final_div_factor=2
            ),
            [2, 5, 8, 4.5, 1, 1],
        ),
        (
            lambda o: schedulers.SequentialLR(
                o, [schedulers.LinearLR(o, 0.5, 1.0, 2), schedulers.CosineAnnealingLR(o, 2)], [2]
            ),
            [0.5, 0.75, 1, 0.5, 0],
        ),
    ],
)
def test_rates_by_hand(make, expected):
    np.testing.assert_allclose(rates(make(optimizer()), len(expected) - 1), expected, atol=1e-15)


def test_one_cycle_takes_the_momentum_the_other_way_and_ends():
    o = optimizer()
    scheduler = schedulers.OneCycleLR(o, 1.0, 5, pct_start=0.6, anneal_strategy="linear")
    momenta = [o.param_groups[0]["momentum"]]
    for _ in range(5):
        scheduler.step()
        momenta.append(o.param_groups[0]["momentum"])
    np.testing.assert_allclose(momenta, [0.95, 0.9, 0.85, 0.9, 0.95, 0.95])
    before = o.state_dict(), scheduler.state_dict()
    with pytest.raises(ValueError, match="is over after 5 steps"):
        scheduler.step()
    assert (o.state_dict(), scheduler.state_dict()) == before


def test_plateau_by_hand():
    o = optimizer()
    scheduler = schedulers.ReduceLROnPlateau(o, factor=0.5, patience=1, threshold=0.1)
    found = []
    for loss in (10, 9.5, 8, 8, 8, 7, 7, float("nan"), float("inf")):
        scheduler.step(loss)
        found.append(o.lr)
    assert found == [1, 1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25]


KINDS = {
    "cosine": lambda o: schedulers.CosineAnnealingLR(o, 9),
    "one cycle": lambda o: schedulers.OneCycleLR(o, 1.0, 20),
    "plateau": lambda o: schedulers.ReduceLROnPlateau(o),
    "sequence": lambda o: schedulers.SequentialLR(
        o, [schedulers.ConstantLR(o), schedulers.StepLR(o, 3)], [4]
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_damaged_states_are_refused_and_change_nothing(kind):
    scheduler = KINDS[kind](optimizer())
    for loss in (1.0, 2.0, 0.5):
        scheduler.step(*[loss] * (kind == "plateau"))
    state = scheduler.state_dict()
    damaged = [None, {}, [], {**state, "more": 1}, {**state, "last_epoch": None}]
    for value in (-1, 1.0, "1", True, 10**400, [0]):
        damaged.append({**state, "last_epoch": value})
    for key in state:
        damaged.append({k: v for k, v in state.items() if k != key})
    if kind == "plateau":
        damaged += [{**state, "best": value} for value in (float("nan"), "1", [1], True)]
    else:
        for value in (None, [], [1.0, 1.0], [-1.0], ["1"], [float("inf")], 1.0, [10**400]):
            damaged.append({**state, "base_lrs": value})
    if kind == "sequence":
        late = deepcopy(state)
        late["schedulers"][0]["last_epoch"] = 7
        late["schedulers"][1]["base_lrs"] = [-1.0]
        damaged += [late, {**late, "schedulers": late["schedulers"][:1]}, {**late, "schedulers": 3}]
    for bad in damaged:
        with pytest.raises(ValueError, match=r"load_state_dict: "):
            scheduler.load_state_dict(bad)
        assert scheduler.state_dict() == state


def test_bad_settings_are_named():
    o = optimizer()
    s = schedulers
    other = s.ConstantLR(optimizer())
    for make, message in (
        (lambda: s.LambdaLR(o, [abs, abs]), "LambdaLR: expected 1 functions, got 2"),
        (lambda: s.ConstantLR(o, 1.5), "ConstantLR: factor must be from 0 to 1"),
        (lambda: s.ConstantLR(o, total_iters=-1), "ConstantLR: total_iters"),
        (lambda: s.LinearLR(o, 0.0), "LinearLR: start_factor must be above 0"),
        (lambda: s.LinearLR(o, total_iters=0), "LinearLR: total_iters"),
        (lambda: s.StepLR(o, 0), "StepLR: step_size must be a whole number from 1"),
        (lambda: s.StepLR(o, 1, float("nan")), "StepLR: gamma must be a finite number"),
        (lambda: s.CosineAnnealingLR(o, 2.5), "CosineAnnealingLR: T_max"),
        (lambda: s.OneCycleLR(o, [1.0, 2.0], 9), "OneCycleLR: expected 1 rates, got 2"),
        (lambda: s.OneCycleLR(o, 1.0, 0), "OneCycleLR: total_steps"),
        (lambda: s.OneCycleLR(o, 1.0, 9, pct_start=2), "pct_start must be from 0 to 1"),
        (lambda: s.OneCycleLR(o, 1.0, 9, anneal_strategy="exp"), "cos or linear, got 'exp'"),
        (lambda: s.OneCycleLR(o, 1.0, 9, div_factor=0), "div_factor must be above 0"),
        (lambda: s.OneCycleLR(optim.SGD(o.parameters), 1.0, 9), "has no momentum"),
        (lambda: s.ReduceLROnPlateau(o, mode="less"), "mode must be min or max"),
        (lambda: s.ReduceLROnPlateau(o, factor=1), "factor must be below 1"),
        (lambda: s.ReduceLROnPlateau(o, threshold_mode="x"), "must be rel or abs"),
        (lambda: s.SequentialLR(o, [], []), "one milestone fewer"),
        (lambda: s.SequentialLR(o, [other], []), "schedulers of its own optimizer"),
        (lambda: s.SequentialLR(o, [s.ReduceLROnPlateau(o)], []), "cannot take a Reduce"),
        (lambda: s.SequentialLR(o, [s.ConstantLR(o)] * 3, [3, 3]), "must rise"),
    ):
        before = optimizer().state_dict()["param_groups"][0]["momentum"]
        with pytest.raises(ValueError, match=message):
            make()
        assert o.param_groups[0]["momentum"] == before
    for kind in (s.ConstantLR, s.ReduceLROnPlateau):
        with pytest.raises(TypeError, match="expected an Optimizer, got int"):
            kind(3)


def test_a_scheduler_of_two_groups_and_what_it_says():
    a, b = (nn.Parameter(np.ones(1, np.float32)) for _ in range(2))
    o = optim.Adam([{"params": a}, {"params": b, "lr": 0.1}], lr=1.0)
    scheduler = schedulers.StepLR(o, 1, 0.5)
    scheduler.step()
    assert scheduler.get_last_lr() == [0.5, 0.05] == [g["lr"] for g in o.param_groups]
