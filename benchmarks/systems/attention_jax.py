"""The cases of attention in JAX: jit, and attention in whichever of two ways is faster."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.cases.attention import DROPPED, AttentionCase
from benchmarks.harness import Results, quickest
from benchmarks.systems.steps import LEARNING_RATE, updated


def work(case: AttentionCase) -> Callable[[], Results]:
    """A function that does the case's work once and returns its results."""
    inputs = {name: jnp.asarray(a) for name, a in case.inputs().items()}
    if case.kind == "adam":
        return adam(inputs)
    gradients = [inputs.pop(name) for name in ("g", "g_sum") if name in inputs]
    constants = {name: inputs.pop(name) for name in ("mask", "target") if name in inputs}
    if case.kind == "attention" and case.variant not in ("full", "bool mask", "float mask"):
        constants["mask"] = jnp.asarray(case.seen)
    if case.kind == "dropout":
        constants["key"] = jax.random.key(0)
    names, leaves = list(inputs), list(inputs.values())

    def written(forward: Callable[..., list[Any]]) -> Callable[[], Results]:
        def results(leaves: list[Any], constants: dict[str, Any]) -> list[Any]:
            return forward(**dict(zip(names, leaves, strict=True)), **constants)

        @jax.jit
        def trained(leaves: list[Any], gradients: list[Any], constants: dict[str, Any]) -> Any:
            y, back = jax.vjp(lambda leaves: results(leaves, constants), leaves)
            return y + back(gradients or [jnp.ones_like(part) for part in y])[0]

        once = jax.jit(results)
        if case.asked == "train":
            return lambda: [np.asarray(a) for a in trained(leaves, gradients, constants)]
        return lambda: [np.asarray(a) for a in once(leaves, constants)]

    if case.kind != "attention":
        return written(FORWARD[case.kind])
    return quickest([written(way) for way in ways(case)])


def ways(case: AttentionCase) -> list[Callable[..., list[Any]]]:
    """How attention can be written."""
    causal = case.variant in ("causal", "grouped")
    scale = case.shape[3] ** -0.5

    def library(q: Any, k: Any, v: Any, mask: Any = None) -> list[Any]:
        told = {"bias" if case.variant == "float mask" else "mask": None if causal else mask}
        q, k, v = (jnp.swapaxes(a, 1, 2) for a in (q, k, v))
        return [jnp.swapaxes(jax.nn.dot_product_attention(q, k, v, is_causal=causal, **told), 1, 2)]

    def plain(q: Any, k: Any, v: Any, mask: Any = None) -> list[Any]:
        k, v = (jnp.repeat(a, q.shape[1] // k.shape[1], 1) for a in (k, v))
        scores = jnp.einsum("bnid,bnjd->bnij", q * scale, k)
        if mask is not None:
            scores = scores + mask if mask.dtype != bool else jnp.where(mask, scores, -jnp.inf)
        return [jnp.einsum("bnij,bnjd->bnid", jax.nn.softmax(scores, -1), v)]

    return [library, plain]


def adam(inputs: dict[str, Any]) -> Callable[[], Results]:
    """One step over all parameters, which are overwritten."""
    count = len(inputs) // 2
    gradients = [inputs[f"g{i}"] for i in range(count)]

    @partial(jax.jit, donate_argnums=0)
    def step(state: list[Any], gradients: list[Any]) -> list[Any]:
        number = state[0] + 1
        after = [number]
        for (p, m, v), g in zip(state[1:], gradients, strict=True):
            m, v = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
            size = LEARNING_RATE / (1 - 0.9**number)
            root = jnp.sqrt(v) / jnp.sqrt(1 - 0.999**number)
            after.append((p - size * m / (root + 1e-8), m, v))
        return after

    state: list[Any] = [jnp.zeros(())]
    for i in range(count):
        p = inputs[f"p{i}"]
        state.append((p, jnp.zeros_like(p), jnp.zeros_like(p)))

    def once() -> None:
        nonlocal state
        state = jax.block_until_ready(step(state, gradients))

    return updated(once, lambda: np.array(state[1][0]))


def layer_norm(x: Any, w: Any, b: Any) -> list[Any]:
    gap = x - x.mean(-1, keepdims=True)
    return [gap * jax.lax.rsqrt((gap * gap).mean(-1, keepdims=True) + 1e-5) * w + b]


def rms_norm(x: Any, w: Any) -> list[Any]:
    return [x * jax.lax.rsqrt((x * x).mean(-1, keepdims=True) + 1e-5) * w]


def add_layer_norm(x: Any, residual: Any, w: Any, b: Any) -> list[Any]:
    s = x + residual
    return [*layer_norm(s, w, b), s]


def linear_gelu(x: Any, w: Any, b: Any) -> list[Any]:
    return [jax.nn.gelu(x @ w.T + b, approximate=False)]


def cross_entropy(x: Any, target: Any) -> list[Any]:
    picked = jnp.take_along_axis(x, target[:, None], 1)[:, 0]
    return [(jax.nn.logsumexp(x, -1) - picked).mean()]


def linear_cross_entropy(x: Any, w: Any, target: Any) -> list[Any]:
    return cross_entropy(x @ w.T, target)


def dropout(x: Any, key: Any) -> list[Any]:
    kept = jax.random.bernoulli(key, 1 - DROPPED, x.shape)
    return [jnp.where(kept, x / (1 - DROPPED), 0)]


FORWARD: dict[str, Callable[..., list[Any]]] = {
    function.__name__: function
    for function in (
        layer_norm, rms_norm, add_layer_norm, dropout, linear_gelu, cross_entropy,
        linear_cross_entropy,
    )
}  # fmt: skip
