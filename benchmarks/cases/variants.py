"""The variants of a recurrent layer: what each adds to the plain inputs, or makes of them."""

from __future__ import annotations

from typing import Any

import numpy as np

GATES = {"lstm": 4, "gru": 3, "rnn": 1}
DROPPED, KEPT = 0.25, 0.1  # the rates of recurrent dropout and of zoneout


def altered(
    inputs: dict[str, Any], cell: str, variant: str, random: np.random.Generator
) -> dict[str, Any]:
    """The inputs of a variant, from those of the plain layer.

    "layer_norm", "peephole", "recurrent_dropout", "zoneout" and "checkpoint_every" are options of
    the layer, given here as the ops take them. "half" has lengths from 0 to T, T / 2 in the mean.
    "decaying" starts with so little that the states fall among the denormal numbers midway, and
    backward the gradients do.
    """
    B, T, H = inputs["dy"].shape
    rows = GATES[cell] * H
    if variant == "layer_norm":
        # With gains of one what float32 rounds off grows from step to step.
        inputs |= {name: np.full(rows, 0.5, np.float32) for name in ("norm_ih", "norm_hh")}
        if cell == "lstm":
            inputs["norm_c"] = np.full(H, 0.5, np.float32)
            inputs["norm_c_bias"] = np.zeros(H, np.float32)
    elif variant == "peephole":
        inputs["peephole"] = random.standard_normal(3 * H, np.float32) / H**0.5
    elif variant == "recurrent_dropout":
        kept = random.random((B, H)) >= DROPPED
        inputs["mask"] = kept.astype(np.float32) / np.float32(1 - DROPPED)
    elif variant == "zoneout":
        for name in ("zone_h", "zone_c")[: 1 + (cell == "lstm")]:
            inputs[name] = (random.random((B, T, H)) < KEPT).astype(np.float32)
    elif variant == "half":
        inputs["lengths"] = random.permutation(np.linspace(0, T, B).round().astype(np.int64))
    elif variant == "checkpoint_every":
        inputs["checkpoint_every"] = round(T**0.5)
    elif variant == "decaying":
        _decay(inputs, cell)
    elif variant:
        raise ValueError(f"there is no variant {variant!r}")
    return inputs


def _decay(inputs: dict[str, Any], cell: str) -> None:
    H = inputs["dy"].shape[2]
    inputs["x"][:, 0] *= np.float32(1e-30)
    inputs["x"][:, 1:] = 0
    inputs["dy"][:, -1] *= np.float32(1e-30)
    inputs["dy"][:, :-1] = 0
    inputs["b_ih"][:] = 0
    inputs["b_hh"][:] = 0
    if cell == "rnn":
        inputs["w_hh"] *= np.float32(0.9)
    else:  # a state keeps σ(2.2) = 0.9 of itself, by f of the LSTM and z of the GRU
        inputs["w_hh"] *= np.float32(0.1)
        inputs["b_ih"][H : 2 * H] = 2.2
