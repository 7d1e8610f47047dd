"""Hooks, retain_grad and the recording modes do as PyTorch's do."""

import numpy as np
import pytest

import tinyseq as ts

torch = pytest.importorskip("torch")


def leaf(system, *values):
    if system is ts:
        return ts.tensor(np.array(values), requires_grad=True)
    return torch.tensor(values, dtype=torch.float64, requires_grad=True)


def scenario_order(system, log):
    x = leaf(system, 2.0, 3.0)
    y = x * x
    z = y * y + y
    for t, name in ((z, "z"), (y, "y"), (x, "x")):
        for i in range(2):
            t.register_hook(lambda g, name=name, i=i: log.append((name, i, g.tolist())))
    z.sum().backward()
    log.append(x.grad.tolist())


def scenario_replace(system, log):
    x = leaf(system, 2.0, 3.0)
    y = x * 5.0
    y.retain_grad()
    y.register_hook(lambda g: g * 2.0)
    x.register_hook(lambda g: g + 1.0)
    x.register_hook(lambda g: log.append(g.tolist()))
    (y * y).sum().backward()
    log.append((y.grad.tolist(), x.grad.tolist()))


def scenario_grad_sees_hooks(system, log):
    grad = ts.grad if system is ts else torch.autograd.grad
    x = leaf(system, 2.0, 3.0)
    y = x * 5.0
    y.register_hook(lambda g: g * 2.0)
    x.register_hook(lambda g: g * 3.0)
    z = (y * y).sum()
    for by in (x, y):
        log.append([g.tolist() for g in grad(z, [by], retain_graph=True)])
    log.append(x.grad)


def scenario_removal(system, log):
    x = leaf(system, 2.0)
    first = x.register_hook(lambda g: log.append("first"))
    x.register_hook(lambda g: (log.append("second"), first.remove())[0])
    for _ in range(2):
        (x * 2.0).sum().backward()
    first.remove()
    log.append(x.grad.tolist())


def scenario_retain_twice(system, log):
    x = leaf(system, 2.0)
    y = x * x
    y.retain_grad()
    z = y * 3.0
    z.sum().backward(retain_graph=True)
    z.sum().backward()
    log.append((y.grad.tolist(), x.grad.tolist(), x.is_leaf, y.is_leaf))
    x.retain_grad()  # a leaf has its gradient already
    log.append(x.grad.tolist())


def scenario_second_order(system, log):
    grad = ts.grad if system is ts else torch.autograd.grad
    x = leaf(system, 2.0)
    y = x * x * x
    y.register_hook(lambda g: g * x)
    (g,) = grad(y.sum(), x, create_graph=True)
    log.append(g.tolist())
    log.append([h.tolist() for h in grad(g.sum(), x)])


def scenario_errors(system, log):
    constant = leaf(system, 1.0).detach()
    for call in (constant.retain_grad, lambda: constant.register_hook(print)):
        with pytest.raises(RuntimeError):
            call()
    x = leaf(system, 1.0, 2.0)
    x.register_hook(lambda g: g[:1])
    with pytest.raises((RuntimeError, ValueError)):
        x.sum().backward()
    log.append(x.grad)


def scenario_generators(system, log):
    @system.no_grad()
    def numbers(n):
        for _ in range(n):
            try:
                got = yield system.is_grad_enabled()
                log.append((got, system.is_grad_enabled()))
            except KeyError:
                log.append("thrown in")
                yield "after"
        return "end"

    steps = numbers(3)
    log.append(next(steps))
    log.append(system.is_grad_enabled())
    log.append(steps.send(5))
    log.append(steps.throw(KeyError("x")))
    log.append(list(steps))
    steps = numbers(1)
    next(steps)
    steps.close()
    with pytest.raises(StopIteration):
        next(steps)
    steps = numbers(1)
    next(steps)
    with pytest.raises(StopIteration) as end:
        next(steps)
    log.append(end.value.value)

    @system.no_grad
    def bare():
        return system.is_grad_enabled()

    @system.enable_grad
    def on():
        return system.is_grad_enabled()

    log.append((bare(), system.no_grad(on)(), system.is_grad_enabled()))


SCENARIOS = [v for name, v in sorted(globals().items()) if name.startswith("scenario_")]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda s: s.__name__)
def test_as_pytorch(scenario):
    ours, theirs = [], []
    scenario(ts, ours)
    scenario(torch, theirs)
    assert ours == theirs
