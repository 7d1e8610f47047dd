"""The LSTM language model's training step in TensorFlow: one tf.function, compiled by XLA or not,
whichever is faster."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from benchmarks.cases.charlm import CharLMCase
from benchmarks.harness import Results, quickest
from benchmarks.systems.recurrent_tensorflow import lstm
from benchmarks.systems.steps import CLIP, DECAY, LEARNING_RATE, recorded


def loss_of(weights: dict[str, Any], ids: Any, targets: Any) -> Any:
    """The mean cross-entropy."""
    w_ih, w_hh, b_ih, b_hh = (
        weights[f"recurrent.{name}_l0"] for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    )
    (B, T), H = ids.shape, w_hh.shape[1]
    x = tf.gather(weights["embedding.weight"], tf.reshape(tf.transpose(ids), (-1,)))
    parts = tf.TensorArray(tf.float32, T).unstack(
        tf.reshape(tf.linalg.matmul(x, w_ih, transpose_b=True) + b_ih, (T, B, 4 * H))
    )

    def step(t: Any, ys: Any, *state: Any) -> Any:
        h, c = lstm(state, parts.read(t), tf.transpose(w_hh), b_hh)
        return t + 1, ys.write(t, h), h, c

    ys = tf.TensorArray(tf.float32, T, element_shape=(B, H))
    start = (tf.constant(0), ys, tf.zeros((B, H)), tf.zeros((B, H)))
    _, ys, *_ = tf.while_loop(lambda t, *_: t < T, step, start, maximum_iterations=T)
    hs = tf.reshape(ys.stack(), (T * B, H))
    logits = tf.linalg.matmul(hs, weights["output.weight"], transpose_b=True)
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(
        tf.reshape(tf.transpose(targets), (-1,)), logits + weights["output.bias"]
    )
    return tf.reduce_mean(losses)


def work(case: CharLMCase) -> Callable[[], Results]:
    """A function that takes one step."""
    return quickest([recorded(step_of(case, compiled)) for compiled in (False, True)])


def step_of(case: CharLMCase, compiled: bool = False) -> Callable[[], float]:
    """A function that takes one step and returns its loss."""
    inputs: dict[str, Any] = case.inputs()
    ids, targets = tf.constant(inputs.pop("ids")), tf.constant(inputs.pop("targets"))
    weights = {name: tf.Variable(array) for name, array in inputs.items()}
    ms, vs = ({n: tf.Variable(tf.zeros_like(w)) for n, w in weights.items()} for _ in range(2))
    number = tf.Variable(0.0)

    @tf.function(jit_compile=compiled)
    def update() -> Any:
        with tf.GradientTape() as tape:
            loss = loss_of(weights, ids, targets)
        names = list(weights)
        gradients = tape.gradient(loss, [weights[name] for name in names])
        gradients, _ = tf.clip_by_global_norm([tf.convert_to_tensor(g) for g in gradients], CLIP)
        number.assign_add(1.0)
        size, share = LEARNING_RATE / (1 - 0.9**number), tf.sqrt(1 - 0.999**number)
        for name, g in zip(names, gradients, strict=True):
            w, m, v = weights[name], ms[name], vs[name]
            m.assign(0.9 * m + 0.1 * g)
            v.assign(0.999 * v + 0.001 * g * g)
            w.assign(w * (1 - LEARNING_RATE * DECAY) - size * m / (tf.sqrt(v) / share + 1e-8))
        return loss

    return lambda: float(update())
