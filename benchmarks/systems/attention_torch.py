"""The cases of attention in PyTorch, each in the fastest of several honest ways to write it."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch.nn import functional as F

from benchmarks.cases.attention import DROPPED, AttentionCase, V
from benchmarks.harness import NOTES, Here, Results, quickest
from benchmarks.systems.gpt_torch import TorchGPT
from benchmarks.systems.steps import CLIP, DECAY, LEARNING_RATE, recorded, updated


def work(case: AttentionCase) -> Callable[[], Results]:
    """A function that does the case's work once and returns its results."""
    inputs: dict[str, Any] = {name: torch.from_numpy(a) for name, a in case.inputs().items()}
    if case.kind == "gpt":
        return steps(case, inputs) if case.asked == "step" else tokens(case, inputs)
    if case.kind == "adam":
        return adam(inputs)
    gradients = [inputs.pop(name) for name in ("g", "g_sum") if name in inputs]
    constants = {"target": inputs.pop("target")} if "target" in inputs else {}
    mask = inputs.pop("mask", None)
    if case.kind == "attention" and case.variant != "full" and mask is None:
        mask = torch.from_numpy(case.seen)
    train = case.asked == "train"
    leaves = {name: x.requires_grad_(train) for name, x in inputs.items()}

    def written(forward: Callable[..., list[torch.Tensor]]) -> Callable[[], Results]:
        def once() -> Results:
            with torch.no_grad():
                return [y.numpy() for y in forward(**leaves, **constants)]

        def trained() -> Results:
            results = forward(**leaves, **constants)
            found = torch.autograd.grad(results, list(leaves.values()), gradients or None)
            return [y.detach().numpy() for y in (*results, *found)]

        return trained if train else once

    return quickest([written(forward) for forward in ways(case, mask)])


def ways(case: AttentionCase, mask: torch.Tensor | None) -> list[Callable[..., list[torch.Tensor]]]:
    """How the case can be written."""
    if case.kind != "attention":
        return [FORWARD[case.kind]]
    told = {"causal": {"is_causal": True}, "grouped": {"is_causal": True, "enable_gqa": True}}
    scale = case.shape[3] ** -0.5
    added = mask  # what hides keys as 0 and -inf, made once: quicker than to fill in each time
    if mask is not None and mask.dtype == torch.bool:
        added = torch.zeros(mask.shape).masked_fill_(~mask, -torch.inf)

    def fused(q: Any, k: Any, v: Any) -> list[torch.Tensor]:
        options = told.get(case.variant, {"attn_mask": mask})
        return [F.scaled_dot_product_attention(q, k, v, **options)]

    def plain(q: Any, k: Any, v: Any) -> list[torch.Tensor]:
        if case.variant == "grouped":
            k, v = (a.repeat_interleave(q.shape[1] // k.shape[1], 1) for a in (k, v))
        scores = (q * scale) @ k.mT
        return [(scores if added is None else scores + added).softmax(-1) @ v]

    return [fused] if case.shape[2] > 2048 else [fused, plain]


def add_layer_norm(x: Any, residual: Any, w: Any, b: Any) -> list[torch.Tensor]:
    s = x + residual
    return [F.layer_norm(s, s.shape[-1:], w, b), s]


FORWARD: dict[str, Callable[..., list[torch.Tensor]]] = {
    "layer_norm": lambda x, w, b: [F.layer_norm(x, x.shape[-1:], w, b)],
    "rms_norm": lambda x, w: [F.rms_norm(x, x.shape[-1:], w, 1e-5)],
    "add_layer_norm": add_layer_norm,
    "linear_gelu": lambda x, w, b: [F.gelu(F.linear(x, w, b))],
    "cross_entropy": lambda x, target: [F.cross_entropy(x, target)],
    "linear_cross_entropy": lambda x, w, target: [F.cross_entropy(F.linear(x, w), target)],
    "dropout": lambda x: [F.dropout(x, DROPPED)],
}


def adam(inputs: dict[str, Any]) -> Callable[[], Results]:
    """One step over all parameters, in whichever of PyTorch's two ways is faster."""

    def build(**how: bool) -> Callable[[], Results]:
        parameters = [a.clone().requires_grad_() for name, a in inputs.items() if name[0] == "p"]
        for i, parameter in enumerate(parameters):
            parameter.grad = inputs[f"g{i}"]
        optimizer = torch.optim.Adam(parameters, LEARNING_RATE, **how)
        return updated(optimizer.step, lambda: parameters[0].detach().numpy().copy())

    return quickest([build(fused=True), build(foreach=True)])


def model_of(case: AttentionCase, weights: dict[str, torch.Tensor]) -> TorchGPT:
    """With the case's weights."""
    L, N, E, T, _ = case.shape
    model = TorchGPT(V, T, L, N, E)
    model.load_state_dict(weights)
    return model


def compiled_if_faster(
    eager: Callable[[], Results], build: Callable[[], Callable[[], Results]]
) -> Callable[[], Results]:
    """The faster of the two; what compiling took, and came to, is noted."""
    torch._inductor.config.compile_threads = 1
    begin = time.perf_counter()
    try:
        compiled = build()
        compiled()
    except Exception as error:  # whatever a machine lacks that the compiler wants
        NOTES.append(f"PyTorch could not compile it: {str(error).splitlines()[0]}")
        return eager
    taken = time.perf_counter() - begin
    seconds = []
    for way in (eager, compiled):
        here = Here(way)
        here.results(None)
        seconds.append(min(here.once, *(here.repeat(1) for _ in range(3))))
    NOTES.append(
        f"PyTorch compiled: {seconds[1] / seconds[0]:.2f} of eager's time; "
        f"{taken:.0f} s to compile and begin, not counted"
    )
    return compiled if seconds[1] < seconds[0] else eager


def steps(case: AttentionCase, inputs: dict[str, Any]) -> Callable[[], Results]:
    """Whole steps of training."""
    ids, targets = inputs.pop("ids"), inputs.pop("targets")

    def build(compiled: bool = True) -> Callable[[], Results]:
        model = model_of(case, inputs)
        optimizer = torch.optim.AdamW(
            model.parameters(), LEARNING_RATE, weight_decay=DECAY, fused=True
        )
        loss_of = torch.compile(model.loss) if compiled else model.loss

        def step() -> float:
            optimizer.zero_grad()
            loss = loss_of(ids, targets)
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), CLIP)
            optimizer.step()
            return float(loss.item())

        return recorded(step)

    eager = build(compiled=False)
    return eager if case.variant == "eager" else compiled_if_faster(eager, build)


def tokens(case: AttentionCase, inputs: dict[str, Any]) -> Callable[[], Results]:
    """One symbol after another, with a cache for which room was made beforehand."""
    ids, _ = inputs.pop("ids"), inputs.pop("targets")
    model = model_of(case, inputs).eval()

    def build(forward: Any = None) -> Callable[[], Results]:
        forward = forward or torch.compile(model, dynamic=True)

        @torch.inference_mode()
        def once() -> Results:
            cache, logits = model.cache(1), []
            for t in range(ids.shape[1]):
                y = forward(ids[:, t : t + 1], cache, t)[:, -1]
                int(y[0].argmax())
                logits.append(y.numpy())
            return [np.stack(logits)]

        return once

    eager = build(model)
    return eager if case.variant == "eager" else compiled_if_faster(eager, build)
