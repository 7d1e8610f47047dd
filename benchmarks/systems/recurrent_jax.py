"""The cases in JAX: jit over lax.scan, in whichever way is faster.

The weights are held as JAX's own layers hold them, (D, G H) and (H, G H).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.cases.recurrent import Case
from benchmarks.harness import Results, quickest


def lstm(state: Any, from_x: Any, w: Any, b: Any) -> Any:
    h, c = state
    i, f, g, o = jnp.split(from_x + h @ w + b, 4, 1)
    c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
    return jax.nn.sigmoid(o) * jnp.tanh(c), c


def gru(state: Any, from_x: Any, w: Any, b: Any) -> Any:
    (h,) = state
    (x_r, x_z, x_n), (h_r, h_z, h_n) = jnp.split(from_x, 3, 1), jnp.split(h @ w + b, 3, 1)
    z = jax.nn.sigmoid(x_z + h_z)
    n = jnp.tanh(x_n + jax.nn.sigmoid(x_r + h_r) * h_n)
    return ((1 - z) * n + z * h,)


def rnn(state: Any, from_x: Any, w: Any, b: Any) -> Any:
    return (jnp.tanh(from_x + state[0] @ w + b),)


CELLS = {"lstm": lstm, "gru": gru, "rnn": rnn}


def work(case: Case) -> Callable[[], Results]:
    """A function that does the case's work once and returns its results."""
    inputs = {name: jnp.asarray(array) for name, array in case.inputs().items()}
    if case.kind == "matmul":
        product = jax.jit(jnp.matmul)
        return lambda: [np.asarray(product(inputs["a"], inputs["b"]))]
    # The input product of all steps at once, or in each step: which is faster depends on the shape.
    return quickest([build(case, inputs, at_once) for at_once in (True, False)])


def build(case: Case, inputs: dict[str, Any], at_once: bool) -> Callable[[], Results]:
    """One way of doing it."""
    cell = CELLS[case.cell]
    states = tuple(inputs[name] for name in ("h0", "c0") if name in inputs)
    weights = inputs["w_ih"].T, inputs["w_hh"].T, inputs["b_ih"], inputs["b_hh"]
    x, dy = inputs["x"], inputs["dy"]

    # The states are arguments: XLA would see through zeros that are not.
    def along(states: Any, x: Any, w_x: Any, w_h: Any, b_x: Any, b_h: Any) -> Any:
        def step(state: Any, part: Any) -> Any:
            state = cell(state, part if at_once else part @ w_x + b_x, w_h, b_h)
            return state, state[0]

        parts = jnp.swapaxes(x @ w_x + b_x if at_once else x, 0, 1)
        return jnp.swapaxes(jax.lax.scan(step, states, parts)[1], 0, 1)

    @jax.jit
    def trained(dy: Any, states: Any, *inputs: Any) -> Any:
        y, back = jax.vjp(partial(along, states), *inputs)
        return y, *back(dy)

    def train() -> Results:
        y, dx, dw_x, dw_h, db_x, db_h = (np.asarray(a) for a in trained(dy, states, x, *weights))
        return [y, dx, dw_x.T, dw_h.T, db_x, db_h]

    @jax.jit
    def stepped(states: Any, x: Any, w_x: Any, w_h: Any, b_x: Any, b_h: Any) -> Any:
        return cell(states, x @ w_x + b_x, w_h, b_h)

    forward, x_t = jax.jit(along), x[:, 0]
    if case.asked == "train":
        return train
    if case.asked == "step":
        return lambda: [np.asarray(stepped(states, x_t, *weights)[0])]
    return lambda: [np.asarray(forward(states, x, *weights))]
