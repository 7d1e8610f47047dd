"""The LSTM language model's training step in JAX: one jitted function from weights to weights."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp

from benchmarks.cases.charlm import CharLMCase
from benchmarks.harness import Results
from benchmarks.systems.attention_jax import cross_entropy
from benchmarks.systems.recurrent_jax import lstm
from benchmarks.systems.steps import CLIP, DECAY, LEARNING_RATE, recorded


def loss_of(weights: dict[str, Any], ids: Any, targets: Any) -> Any:
    """The mean cross-entropy."""
    w_ih, w_hh, b_ih, b_hh = (
        weights[f"recurrent.{name}_l0"] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    )
    parts = jnp.swapaxes(weights["embedding.weight"][ids] @ w_ih.T + b_ih, 0, 1)
    zeros = jnp.zeros((ids.shape[0], w_hh.shape[1]))

    def step(state: Any, part: Any) -> Any:
        state = lstm(state, part, w_hh.T, b_hh)
        return state, state[0]

    _, hs = jax.lax.scan(step, (zeros, zeros), parts)
    logits = jnp.swapaxes(hs, 0, 1) @ weights["output.weight"].T + weights["output.bias"]
    return cross_entropy(logits.reshape(-1, logits.shape[-1]), targets.reshape(-1))[0]


@partial(jax.jit, donate_argnums=(0, 1, 2, 3))
def update(weights: Any, m: Any, v: Any, number: Any, ids: Any, targets: Any) -> Any:
    """One step: clipping and AdamW."""
    loss, g = jax.value_and_grad(loss_of)(weights, ids, targets)
    norm = jnp.sqrt(sum(jnp.vdot(a, a) for a in jax.tree.leaves(g)))
    g = jax.tree.map(lambda a: a * jnp.minimum(1.0, CLIP / (norm + 1e-6)), g)
    number = number + 1
    m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
    v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
    size, share = LEARNING_RATE / (1 - 0.9**number), jnp.sqrt(1 - 0.999**number)
    weights = jax.tree.map(
        lambda w, m, v: w * (1 - LEARNING_RATE * DECAY) - size * m / (jnp.sqrt(v) / share + 1e-8),
        weights, m, v,
    )  # fmt: skip
    return weights, m, v, number, loss


def work(case: CharLMCase) -> Callable[[], Results]:
    """A function that takes one step."""
    return recorded(step_of(case))


def step_of(case: CharLMCase) -> Callable[[], float]:
    """A function that takes one step and returns its loss."""
    weights: dict[str, Any] = {name: jnp.asarray(a) for name, a in case.inputs().items()}
    ids, targets = weights.pop("ids"), weights.pop("targets")
    zeros = jax.tree.map(jnp.zeros_like, weights)
    state = (weights, zeros, jax.tree.map(jnp.copy, zeros), jnp.zeros(()))

    def step() -> float:
        nonlocal state
        *after, loss = update(*state, ids, targets)
        state = tuple(after)
        return float(loss)

    return step
