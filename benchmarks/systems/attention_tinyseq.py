"""The cases of attention in tinyseq, through its public interface, as a user's program would."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import tinyseq as ts
from benchmarks.cases.attention import DROPPED, AttentionCase, V
from benchmarks.harness import Results
from benchmarks.systems.steps import CLIP, DECAY, LEARNING_RATE, recorded, updated
from tinyseq.models import GPT
from tinyseq.nn import functional as F

CONSTANTS = ("mask", "target")  # not learnt


def work(case: AttentionCase) -> Callable[[], Results]:
    """A function that does the case's work once and returns its results."""
    inputs: dict[str, Any] = case.inputs()
    if case.kind == "gpt":
        return steps(case, inputs) if case.asked == "step" else tokens(case, inputs)
    if case.kind == "adam":
        return adam(inputs)
    gradients = [inputs.pop(name) for name in ("g", "g_sum") if name in inputs]
    constants = {name: inputs.pop(name) for name in CONSTANTS if name in inputs}
    if case.kind == "attention":
        constants["is_causal"] = case.variant != "full" and "mask" not in constants
        constants |= {"lengths": case.lengths, "window": case.window or None}
    leaves = {name: ts.Tensor(a, requires_grad=True) for name, a in inputs.items()}
    forward = FORWARD[case.kind]

    def once() -> Results:
        with ts.no_grad():
            return [y.data for y in forward(**leaves, **constants)]

    def train() -> Results:
        results = forward(**leaves, **constants)
        found = ts.autograd.grad(results, list(leaves.values()), gradients or None)
        return [y.data for y in (*results, *found)]

    return train if case.asked == "train" else once


def attention(q: Any, k: Any, v: Any, mask: Any = None, **options: Any) -> list[ts.Tensor]:
    return [F.scaled_dot_product_attention(q, k, v, mask, **options)]


FORWARD: dict[str, Callable[..., list[ts.Tensor]]] = {
    "attention": attention,
    "layer_norm": lambda x, w, b: [F.layer_norm(x, x.shape[-1], w, b)],
    "rms_norm": lambda x, w: [F.rms_norm(x, x.shape[-1], w, 1e-5)],
    "add_layer_norm": lambda x, residual, w, b: list(F.add_layer_norm(x, residual, w, b)),
    "linear_gelu": lambda x, w, b: [F.linear(x, w, b, activation="gelu")],
    "cross_entropy": lambda x, target: [F.cross_entropy(x, target)],
    "linear_cross_entropy": lambda x, w, target: [F.linear_cross_entropy(x, w, None, target)],
    "dropout": lambda x: [F.dropout(x, DROPPED)],
}


def adam(inputs: dict[str, Any]) -> Callable[[], Results]:
    """One step over all parameters."""
    parameters = [ts.nn.Parameter(a) for name, a in inputs.items() if name[0] == "p"]
    for i, parameter in enumerate(parameters):
        parameter.grad = ts.Tensor(inputs[f"g{i}"])
    optimizer = ts.optim.Adam(parameters, LEARNING_RATE)
    return updated(optimizer.step, lambda: parameters[0].data.copy())


def model_of(case: AttentionCase, weights: dict[str, Any]) -> GPT:
    """With the case's weights."""
    L, N, E, T, _ = case.shape
    model = GPT(V, T, L, N, E)
    model.load_state_dict(weights)
    return model


def steps(case: AttentionCase, inputs: dict[str, Any]) -> Callable[[], Results]:
    """Whole steps of training."""
    ids, targets = inputs.pop("ids"), inputs.pop("targets")
    model = model_of(case, inputs)
    optimizer = ts.optim.AdamW(model.parameters(), LEARNING_RATE, weight_decay=DECAY)

    def step() -> float:
        optimizer.zero_grad()
        loss = model.loss(ids, targets)
        loss.backward()
        ts.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
        optimizer.step()
        return float(loss.item())

    return recorded(step)


def tokens(case: AttentionCase, inputs: dict[str, Any]) -> Callable[[], Results]:
    """One symbol after another, with a cache."""
    ids, _ = inputs.pop("ids"), inputs.pop("targets")
    model = model_of(case, inputs)
    model.eval()

    def once() -> Results:
        cache, logits = model.cache(), []
        for t in range(ids.shape[1]):
            y = model.step(ids[:, t], cache).data
            int(y[0].argmax())  # what a program that writes would go on with
            logits.append(y)
        return [np.stack(logits)]

    return once
