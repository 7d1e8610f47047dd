"""Learning rates, and what optimizers do with them, beside PyTorch's."""

import json
import warnings

import numpy as np
import pytest

import tinyseq as ts
from tinyseq import nn, optim

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

STEPS = 40
CASES = {
    "lambda": lambda s, o: s.LambdaLR(o, lambda t: 0.9**t),
    "lambdas": lambda s, o: s.LambdaLR(o, [lambda t: 0.9**t, lambda t: 1 / (1 + t)]),
    "constant": lambda s, o: s.ConstantLR(o),
    "constant 7": lambda s, o: s.ConstantLR(o, 0.2, 7),
    "linear": lambda s, o: s.LinearLR(o),
    "linear down": lambda s, o: s.LinearLR(o, 1.0, 0.0, 30),
    "step": lambda s, o: s.StepLR(o, 7),
    "step 1": lambda s, o: s.StepLR(o, 1, 0.97),
    "cosine": lambda s, o: s.CosineAnnealingLR(o, 39),
    "cosine up again": lambda s, o: s.CosineAnnealingLR(o, 9, 1e-3),
    "one cycle": lambda s, o: s.OneCycleLR(o, 0.5, STEPS),
    "one cycle linear": lambda s, o: s.OneCycleLR(
        o, [0.5, 0.1], 45, pct_start=0.5, anneal_strategy="linear", div_factor=7,
        final_div_factor=30, base_momentum=0.7, max_momentum=0.9,
    ),
    "one cycle, momentum kept": lambda s, o: s.OneCycleLR(o, 0.5, STEPS, cycle_momentum=False),
    "one cycle, all up": lambda s, o: s.OneCycleLR(o, 0.5, STEPS, pct_start=1.0),
    "warm-up and cosine": lambda s, o: s.SequentialLR(
        o, [s.LinearLR(o, 0.01, 1.0, 10), s.CosineAnnealingLR(o, 30)], [10]
    ),
    "three": lambda s, o: s.SequentialLR(
        o, [s.ConstantLR(o, 0.1, 3), s.StepLR(o, 4, 0.5), s.LinearLR(o, 1.0, 0.1, 5)], [5, 20]
    ),
}  # fmt: skip
OPTIMIZERS = {
    "SGD": {"momentum": 0.9},
    "Adam": {"betas": (0.8, 0.99)},
    "RMSprop": {"momentum": 0.5},
}
SEEN = ("lr", "momentum", "betas")


def pair(name):
    """Ours and PyTorch's, with two groups of one parameter each."""
    rng = np.random.default_rng(1)
    values = [rng.normal(size=shape) for shape in ((3, 2), (4,))]
    ours = [nn.Parameter(v.copy()) for v in values]
    theirs = [torch.nn.Parameter(torch.tensor(v)) for v in values]
    made = []
    for module, (a, b) in ((optim, ours), (torch.optim, theirs)):
        groups = [{"params": [a]}, {"params": [b], "lr": 0.03}]
        made.append(getattr(module, name)(groups, lr=0.2, **OPTIMIZERS[name]))
    return ours, theirs, *made


def compare(optimizer, optimizer_t):
    for group, group_t in zip(optimizer.param_groups, optimizer_t.param_groups, strict=True):
        for key in SEEN:
            if key in group:
                np.testing.assert_allclose(group[key], group_t[key], rtol=1e-10, atol=1e-14)


def restarted(maker, ours, name, optimizer, scheduler):
    """Both made anew from their states, which go through JSON as a checkpoint's do."""
    groups = [{"params": [p]} for p in ours]
    fresh = getattr(optim, name)(groups, lr=7.0, **OPTIMIZERS[name])
    again = maker(optim.lr_scheduler, fresh)
    fresh.load_state_dict(optimizer.state_dict())
    again.load_state_dict(json.loads(json.dumps(scheduler.state_dict())))
    return fresh, again


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("case", CASES)
def test_rates_and_values_also_after_a_reload(case, name):
    maker = CASES[case]
    ours, theirs, optimizer, optimizer_t = pair(name)
    scheduler, scheduler_t = maker(optim.lr_scheduler, optimizer), None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # PyTorch's SequentialLR calls what it deprecates
        scheduler_t = maker(torch.optim.lr_scheduler, optimizer_t)
        rng = np.random.default_rng(2)
        for step in range(STEPS - 1):
            compare(optimizer, optimizer_t)
            for p, pt in zip(ours, theirs, strict=True):
                gradient = rng.normal(size=p.shape)
                p.grad, pt.grad = ts.tensor(gradient), torch.tensor(gradient)
            optimizer.step()
            optimizer_t.step()
            scheduler.step()
            scheduler_t.step()
            if step == 17:
                optimizer, scheduler = restarted(maker, ours, name, optimizer, scheduler)
    for p, pt in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(p.data, pt.detach().numpy(), rtol=1e-9, atol=1e-12)


PLATEAUS = [
    {},
    {"patience": 2, "factor": 0.5},
    {"patience": 1, "cooldown": 3, "min_lr": 0.02},
    {"mode": "max", "patience": 2, "threshold": 0.05},
    {"mode": "max", "patience": 0, "threshold": 0.1, "threshold_mode": "abs"},
    {"patience": 2, "threshold": 0.1, "threshold_mode": "abs", "eps": 1e-2},
]


@pytest.mark.parametrize("settings", PLATEAUS)
@pytest.mark.parametrize("sign", [1, -1])
def test_reduce_on_plateau(settings, sign):
    _, _, optimizer, optimizer_t = pair("SGD")
    scheduler = optim.lr_scheduler.ReduceLROnPlateau(optimizer, **settings)
    scheduler_t = torch.optim.lr_scheduler.ReduceLROnPlateau(optimizer_t, **settings)
    rng = np.random.default_rng(3)
    seen = set()
    for step in range(60):
        measure = sign * (1 / (1 + step / 5) + 0.05 * rng.normal())
        measure = float("nan") if step == 11 else measure
        scheduler.step(measure)
        scheduler_t.step(measure)
        compare(optimizer, optimizer_t)
        seen.add(optimizer.lr)
        if step == 20:
            state = json.loads(json.dumps(scheduler.state_dict()))
            scheduler = optim.lr_scheduler.ReduceLROnPlateau(optimizer, **settings)
            scheduler.load_state_dict(state)
    assert len(seen) > 1
