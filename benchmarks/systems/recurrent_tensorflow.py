"""The cases in TensorFlow: a tf.function with a tf.while_loop, in whichever way is faster.

The weights are held as Keras holds them, (D, G H) and (H, G H).
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import Any

import tensorflow as tf

from benchmarks.cases.recurrent import Case
from benchmarks.harness import Results, quickest


def lstm(state: Any, from_x: Any, w: Any, b: Any) -> Any:
    h, c = state
    i, f, g, o = tf.split(from_x + h @ w + b, 4, 1)
    c = tf.sigmoid(f) * c + tf.sigmoid(i) * tf.tanh(g)
    return tf.sigmoid(o) * tf.tanh(c), c


def gru(state: Any, from_x: Any, w: Any, b: Any) -> Any:
    (h,) = state
    (x_r, x_z, x_n), (h_r, h_z, h_n) = tf.split(from_x, 3, 1), tf.split(h @ w + b, 3, 1)
    z = tf.sigmoid(x_z + h_z)
    n = tf.tanh(x_n + tf.sigmoid(x_r + h_r) * h_n)
    return ((1 - z) * n + z * h,)


def rnn(state: Any, from_x: Any, w: Any, b: Any) -> Any:
    return (tf.tanh(from_x + state[0] @ w + b),)


CELLS = {"lstm": lstm, "gru": gru, "rnn": rnn}


def work(case: Case) -> Callable[[], Results]:
    """A function that does the case's work once and returns its results."""
    inputs = {name: tf.constant(array) for name, array in case.inputs().items()}
    if case.kind == "matmul":
        multiply = tf.function(tf.matmul)
        return lambda: [multiply(inputs["a"], inputs["b"]).numpy()]
    # XLA or not; the input product of all steps at once or in each step. Which is faster depends
    # on the shape.
    ways = [build(case, inputs, *way) for way in product((False, True), repeat=2)]
    return quickest(ways)


def build(
    case: Case, inputs: dict[str, Any], compiled: bool, at_once: bool
) -> Callable[[], Results]:
    """One way of doing it."""
    cell, (T, B, D, H) = CELLS[case.cell], case.shape
    states = tuple(inputs[name] for name in ("h0", "c0") if name in inputs)
    w_ih, w_hh = tf.transpose(inputs["w_ih"]), tf.transpose(inputs["w_hh"])
    weights = w_ih, w_hh, inputs["b_ih"], inputs["b_hh"]
    x, dy = inputs["x"], inputs["dy"]

    def along(x: Any, w_x: Any, w_h: Any, b_x: Any, b_h: Any) -> Any:
        if at_once:
            x = tf.reshape(tf.reshape(x, (B * T, D)) @ w_x + b_x, (B, T, w_x.shape[1]))
        parts = tf.TensorArray(tf.float32, T).unstack(tf.transpose(x, (1, 0, 2)))

        def step(t: Any, ys: Any, *state: Any) -> Any:
            part = parts.read(t)
            state = cell(state, part if at_once else part @ w_x + b_x, w_h, b_h)
            return t + 1, ys.write(t, state[0]), *state

        ys = tf.TensorArray(tf.float32, T, element_shape=(B, H))
        start = (tf.constant(0), ys, *states)
        _, ys, *_ = tf.while_loop(lambda t, *_: t < T, step, start, maximum_iterations=T)
        return tf.transpose(ys.stack(), (1, 0, 2))

    forward = tf.function(along, jit_compile=compiled)

    @tf.function(jit_compile=compiled)
    def trained(dy: Any, *inputs: Any) -> Any:
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            y = along(*inputs)
        return y, *tape.gradient(y, inputs, output_gradients=dy)

    def train() -> Results:
        y, dx, dw_x, dw_h, db_x, db_h = (a.numpy() for a in trained(dy, x, *weights))
        return [y, dx, dw_x.T, dw_h.T, db_x, db_h]

    @tf.function(jit_compile=compiled)
    def stepped(states: Any, x: Any, w_x: Any, w_h: Any, b_x: Any, b_h: Any) -> Any:
        return cell(states, x @ w_x + b_x, w_h, b_h)

    if case.asked == "train":
        return train
    if case.asked == "step":
        x_t = x[:, 0]
        return lambda: [stepped(states, x_t, *weights)[0].numpy()]
    return lambda: [forward(x, *weights).numpy()]
