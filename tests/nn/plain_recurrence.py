"""RNN, LSTM and GRU in plain NumPy, one row and one step at a time, from the equations alone."""

import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def hat(v):
    return (v - v.mean()) / np.sqrt(v.var() + 1e-5)


def normed(v, gain, groups):
    """Layer norm over each group of gates; without a gain v itself."""
    if gain is None:
        return v
    ends = np.cumsum(groups)[:-1]
    return gain * np.concatenate([hat(part) for part in np.split(v, ends)])


def rnn_step(layer, w, x, h, c, dropped):
    from_x = normed(w["weight_ih"] @ x, w.get("norm_ih"), [len(h)]) + w.get("bias_ih", 0)
    from_h = normed(w["weight_hh"] @ dropped, w.get("norm_hh"), [len(h)]) + w.get("bias_hh", 0)
    return {"tanh": np.tanh, "relu": lambda a: np.maximum(a, 0)}[layer.nonlinearity](
        from_x + from_h
    ), c


def lstm_step(layer, w, x, h, c, dropped):
    H = len(c)
    a = normed(w["weight_ih"] @ x, w.get("norm_ih"), [4 * H]) + w.get("bias_ih", 0)
    a = a + normed(w["weight_hh"] @ dropped, w.get("norm_hh"), [4 * H]) + w.get("bias_hh", 0)
    i, f, g, o = np.split(a, 4)
    p_i, p_f, p_o = np.split(w.get("weight_peephole", np.zeros(3 * H)), 3)
    c = sigmoid(f + p_f * c) * c + sigmoid(i + p_i * c) * np.tanh(g)
    seen = w["norm_c"] * hat(c) + w["norm_c_bias"] if "norm_c" in w else c
    m = sigmoid(o + p_o * c) * np.tanh(seen)
    return (w["weight_hr"] @ m if "weight_hr" in w else m), c


def gru_step(layer, w, x, h, c, dropped):
    H = len(h)
    groups = [2 * H, H]
    x_r, x_z, x_n = np.split(
        normed(w["weight_ih"] @ x, w.get("norm_ih"), groups) + w.get("bias_ih", np.zeros(3 * H)), 3
    )
    bias = w.get("bias_hh", np.zeros(3 * H))
    h_r, h_z, h_n = np.split(normed(w["weight_hh"] @ dropped, w.get("norm_hh"), groups) + bias, 3)
    r, z = sigmoid(x_r + h_r), sigmoid(x_z + h_z)
    if layer.reset_after:
        n = np.tanh(x_n + r * h_n)
    else:
        gain = w["norm_hh"][2 * H :] if "norm_hh" in w else None
        inner = normed(w["weight_hh"][2 * H :] @ (r * dropped), gain, [H]) + bias[2 * H :]
        n = np.tanh(x_n + inner)
    return (1 - z) * n + z * h, c


STEPS = {"RNN": rnn_step, "LSTM": lstm_step, "GRU": gru_step}


def weights_of(layer, suffix):
    """By kind, the parameters whose names end so."""
    found = {name: p.data for name, p in layer.named_parameters() if name.endswith(suffix)}
    return {name.removesuffix(suffix): array for name, array in found.items()}


def zoned(share, old, new):
    return share * old + (1 - share) * new


def run_plain(layer, x, h0, c0, lengths, noise):
    """What the layer should give: y, h and c.

    noise holds for each layer and direction a dict of "mask" (B,R), "zone_h" and "zone_c" (B,T,·).
    """
    step, sides = STEPS[type(layer).__name__], ["", "_reverse"][: 2 if layer.bidirectional else 1]
    h_last, c_last = h0.copy(), c0.copy()
    for k in range(layer.num_layers):
        B, T, _ = x.shape
        ys = []
        for side, suffix in enumerate(sides):
            run = k * len(sides) + side
            w, given = weights_of(layer, f"_l{k}{suffix}"), noise[run]
            y = np.zeros((B, T, h0.shape[2]))
            for row in range(B):
                times = range(lengths[row])
                h, c = h0[run, row], c0[run, row]
                mask = given["mask"][row] if "mask" in given else 1.0
                for t in reversed(times) if layer.reverse or side else times:
                    new_h, new_c = step(layer, w, x[row, t], h, c, mask * h)
                    h = zoned(given["zone_h"][row, t], h, new_h) if "zone_h" in given else new_h
                    c = zoned(given["zone_c"][row, t], c, new_c) if "zone_c" in given else new_c
                    y[row, t] = h
                h_last[run, row], c_last[run, row] = h, c
            ys.append(y)
        x = np.concatenate(ys, 2)
    return x, h_last, c_last
