"""For the tests of the recurrent ops, kernels and layers: random problems, and the equations read
row by row, step by step, in the order of time, with nothing of what makes the kernels fast."""

import numpy as np

from tinyseq import ops
from tinyseq.backend.recurrent import GATES, Run, Weights
from tinyseq.ops.bidirectional import run_both
from tinyseq.ops.gru import gru_op
from tinyseq.ops.lstm import lstm_op
from tinyseq.ops.recurrent import prepare
from tinyseq.ops.rnn import rnn_op

__all__ = ["CELLS", "as_op", "as_pair", "equations", "problem"]

CELLS = tuple(GATES)


def problem(
    cell, B=3, T=4, D=2, H=3, *, P=0, bias=True, norm=False, peephole=False, lengths=None,
    reverse=False, mask=False, zone=None, every=0, seed=0, dtype=np.float64,
):  # fmt: skip
    """x, h0, c0 or None, Weights and Run. zone: None, or what B and T are in its shape."""
    random = np.random.default_rng(seed)

    def normal(*shape):
        return random.standard_normal(shape).astype(dtype)

    def uniform(size):
        return random.uniform(0, 1, (*zone, size)).astype(dtype)

    lstm, G, R = cell == "lstm", GATES[cell] * H, P or H
    weights = Weights(
        w_ih=normal(G, D),
        w_hh=normal(G, R),
        b_ih=normal(G) if bias else None,
        b_hh=normal(G) if bias else None,
        peephole=normal(3 * H) if peephole else None,
        w_hr=normal(P, H) if P else None,
        norm_ih=normal(G) if norm else None,
        norm_hh=normal(G) if norm else None,
        norm_c=normal(H) if norm and lstm else None,
        norm_c_bias=normal(H) if norm and lstm else None,
    )
    run = Run(
        None if lengths is None else np.array(lengths, np.int64),
        reverse,
        (random.uniform(size=(B, R)) < 0.7).astype(dtype) / dtype(0.7) if mask else None,
        uniform(R) if zone else None,
        uniform(H) if zone and lstm else None,
        every,
    )
    return normal(B, T, D), normal(B, R), normal(B, H) if lstm else None, weights, run


def as_op(problem, cell, **options):
    """The op as a function of the problem's arrays, and these: those that a gradient flows to."""
    x, h0, c0, weights, run = problem
    fields = [f for f, w in zip(Weights._fields, weights, strict=True) if w is not None]
    name, _, kind = cell.partition("_")
    if name == "gru":
        options["reset_after"] = not kind
    elif name == "rnn":
        options["nonlinearity"] = kind
    states = [h0] if c0 is None else [h0, c0]

    def fn(x, *given):
        constants = {"mask": run.mask, "zone_h": run.zone_h}
        if c0 is not None:
            constants["zone_c"] = run.zone_c
        constants = {k: None if a is None else a.astype(x.dtype) for k, a in constants.items()}
        named = dict(zip(fields, given[len(states) :], strict=True))
        return getattr(ops, name)(
            x, *given[: len(states)], **named, **constants, lengths=run.lengths,
            reverse=run.reverse, checkpoint_every=run.every, **options,
        )  # fmt: skip

    return fn, [x, *states, *(w for w in weights if w is not None)]


def as_pair(one, two, cell, traces=(None, None)):
    """Both directions at once as a function of x, and the states and weights of each problem."""
    op = lstm_op if cell == "lstm" else gru_op if cell.startswith("gru") else rnn_op
    sides = [[h0, c0, *weights] for _, h0, c0, weights, _ in (one, two)]
    arrays = [one[0], *(a for side in sides for a in side if a is not None)]

    def fn(x, *given):
        given, calls = iter(given), []
        for side, (*_, run), trace in zip(sides, (one, two), traces, strict=True):
            h0, c0, *weights = [None if a is None else next(given) for a in side]
            constants = {
                name: None if a is None else a.astype(x.dtype)
                for name, a in zip(("mask", "zone_h", "zone_c"), run[2:5], strict=True)
            }
            call = prepare(
                op, "pair", cell, x, h0, c0, Weights(*weights), lengths=run.lengths,
                reverse=run.reverse, checkpoint_every=run.every, trace=trace, **constants,
            )  # fmt: skip
            calls.append(call)
        first, second = run_both(*calls)
        return *first, *second

    return fn, arrays


def sigma(v):
    return 1 / (1 + np.exp(-v))


def hat(v):
    return (v - np.mean(v)) / np.sqrt(np.var(v) + 1e-5)


def part(v, w, gain, bias):
    a = w @ v
    a = a if gain is None else gain * hat(a)
    return a if bias is None else a + bias


def step(cell, x, h, c, w, mask):
    """h~ and c~ of one row after one step."""
    hm = h * mask
    if cell in ("rnn_tanh", "rnn_relu"):
        a = part(x, w.w_ih, w.norm_ih, w.b_ih) + part(hm, w.w_hh, w.norm_hh, w.b_hh)
        return (np.tanh(a) if cell == "rnn_tanh" else np.maximum(a, 0)), None
    if cell == "lstm":
        a = part(x, w.w_ih, w.norm_ih, w.b_ih) + part(hm, w.w_hh, w.norm_hh, w.b_hh)
        i, f, g, o = np.split(a, 4)
        p_i, p_f, p_o = np.zeros((3, 1)) if w.peephole is None else np.split(w.peephole, 3)
        new = sigma(f + p_f * c) * c + sigma(i + p_i * c) * np.tanh(g)
        inside = new if w.norm_c is None else w.norm_c * hat(new) + w.norm_c_bias
        m = sigma(o + p_o * new) * np.tanh(inside)
        return (m if w.w_hr is None else w.w_hr @ m), new
    H = len(h)
    both, new = slice(2 * H), slice(2 * H, None)

    def of_x(rows):
        return part(x, *(None if a is None else a[rows] for a in (w.w_ih, w.norm_ih, w.b_ih)))

    def of_h(v, rows):
        return part(v, *(None if a is None else a[rows] for a in (w.w_hh, w.norm_hh, w.b_hh)))

    r, z = np.split(sigma(of_x(both) + of_h(hm, both)), 2)
    inner = r * of_h(hm, new) if cell == "gru" else of_h(r * hm, new)
    return (1 - z) * np.tanh(of_x(new) + inner) + z * h, None


def equations(cell, x, h0, c0, w, run):
    """y, the last h and the last c or None."""
    (B, T, _), R = x.shape, h0.shape[1]
    y, h_last, c_last = np.zeros((B, T, R), x.dtype), h0.copy(), None if c0 is None else c0.copy()
    for b in range(B):
        length = T if run.lengths is None else run.lengths[b]
        h, c = h0[b], None if c0 is None else c0[b]
        for t in range(length)[::-1] if run.reverse else range(length):
            before = h, c
            h, c = step(cell, x[b, t], h, c, w, 1 if run.mask is None else run.mask[b])
            if run.zone_h is not None:
                k = np.broadcast_to(run.zone_h, (B, T, R))[b, t]
                h = k * before[0] + (1 - k) * h
            if run.zone_c is not None:
                k = np.broadcast_to(run.zone_c, (B, T, len(c)))[b, t]
                c = k * before[1] + (1 - k) * c
            y[b, t] = h
        h_last[b] = h
        if c is not None:
            c_last[b] = c
    return y, h_last, c_last
