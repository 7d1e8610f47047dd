"""Optimizers and clipping beside PyTorch's over 20 steps."""

import numpy as np
import pytest

import tinyseq as ts
from tinyseq import nn, optim

torch = pytest.importorskip("torch", reason="PyTorch is not installed")

CASES = [
    ("SGD", {"lr": 0.1}),
    ("SGD", {"lr": 0.1, "weight_decay": 0.1}),
    ("SGD", {"lr": 0.1, "momentum": 0.9}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "dampening": 0.3, "weight_decay": 0.01}),
    ("SGD", {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.01}),
    ("Adam", {"lr": 0.01}),
    ("Adam", {"lr": 0.01, "betas": (0.8, 0.95), "eps": 1e-4, "weight_decay": 0.1}),
    ("AdamW", {"lr": 0.01}),
    ("AdamW", {"lr": 0.01, "betas": (0.8, 0.95), "eps": 1e-4, "weight_decay": 0.3}),
    ("RMSprop", {"lr": 0.01}),
    ("RMSprop", {"lr": 0.01, "alpha": 0.9, "eps": 1e-3, "weight_decay": 0.1, "momentum": 0.8}),
    ("RMSprop", {"lr": 0.01, "centered": True, "momentum": 0.5, "eps": 1e-2}),
    ("Adagrad", {"lr": 0.1}),
    ("Adagrad", {"lr": 0.1, "lr_decay": 0.1, "weight_decay": 0.1, "eps": 1e-3}),
    ("Adagrad", {"lr": 0.1, "initial_accumulator_value": 0.5}),
]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("name", "settings"), CASES)
@pytest.mark.parametrize("clip", [None, 0.5])
def test_twenty_steps(name, settings, dtype, clip):
    rng = np.random.default_rng(0)
    shapes = [(3, 5), (7,), (1, 1, 33)]
    values = [rng.normal(size=shape).astype(dtype) for shape in shapes]
    ours = [nn.Parameter(v.copy()) for v in values]
    theirs = [torch.nn.Parameter(torch.tensor(v)) for v in values]
    # The second of two groups has a rate of its own.
    groups, groups_t = (
        [{"params": ps[:2]}, {"params": ps[2:], "lr": settings["lr"] / 3}] for ps in (ours, theirs)
    )
    optimizer = getattr(optim, name)(groups, **settings)
    optimizer_t = getattr(torch.optim, name)(groups_t, **settings)
    tolerance = 2e-6 if dtype == np.float32 else 1e-12
    for step in range(20):
        for i, (p, pt) in enumerate(zip(ours, theirs, strict=True)):
            gradient = rng.normal(size=p.shape).astype(dtype) * 10.0 ** rng.integers(-3, 2)
            # The last parameter joins late and skips a step, so that step counts differ.
            skipped = i == 2 and step in (0, 1, 7)
            p.grad = None if skipped else ts.tensor(gradient.astype(dtype))
            pt.grad = None if skipped else torch.tensor(gradient.astype(dtype))
        if clip is not None:
            norm = nn.utils.clip_grad_norm_(ours, clip)
            norm_t = torch.nn.utils.clip_grad_norm_(theirs, clip)
            assert norm == pytest.approx(norm_t.item(), rel=1e-6)
        if step == 10:
            optimizer.lr = settings["lr"] / 2
            for group in optimizer_t.param_groups:
                group["lr"] = settings["lr"] / 2
        if step == 13:  # go on from the state
            state = optimizer.state_dict()
            optimizer = getattr(optim, name)([{"params": ours[:2]}, {"params": ours[2:]}], lr=9.0)
            optimizer.load_state_dict(state)
        optimizer.step()
        optimizer_t.step()
        for p, pt in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(p.data, pt.detach().numpy(), rtol=tolerance, atol=tolerance)
