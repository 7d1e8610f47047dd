"""What the recurrent ops share: the checks at the door, the calls of the kernels, and Trace."""

from typing import Any, NamedTuple

import numpy as np

from tinyseq import backend
from tinyseq.autograd import Array, FusedOp, Tensor, is_grad_enabled
from tinyseq.backend.recurrent import GATES, Run, Saved, Wanted, Weights, steps_of
from tinyseq.ops.lengths import check_lengths

FIELDS = ("h0", "c0", *Weights._fields)
LETTERS = {"lstm": "ifgo", "gru": "rzn", "gru_before": "rzn"}


class Trace:
    """What a recurrent op did inside, filled in by the op it is given to.

    gates: every gate by its letter, (B, T, H), 0 past a row's length; none of the plain network.
    cells: c_t of an LSTM, (B, T, H), else None.
    gradient_norm: after a backward walk (not a recorded one) the Euclidean norm of the whole
        gradient that reached each h_t, (B, T), 0 past a row's length; None before.
    """

    def __init__(self) -> None:
        self.gates: dict[str, Array] = {}
        self.cells: Array | None = None
        self.gradient_norm: Array | None = None


class Call(NamedTuple):
    """A call of a recurrent op with everything checked: its inputs are x, h0, c0 or None, and the
    weights, its params cell, run, keep (whether Saved is wanted), wanted (of the backward pass)
    and trace."""

    op: FusedOp
    inputs: tuple[Tensor | None, ...]
    params: dict[str, Any]


def forward(*inputs: Any, **params: Any) -> tuple[Any, ...]:
    """The forward kernel as FusedOp calls it: y, the last states, and what is saved."""
    outcome = backend.recurrent_forward(*to_kernel(*inputs, **params))
    results, saved = from_kernel(outcome, inputs[0], **params)
    return *results, *saved


def backward(
    gradients: list[Any], kept: tuple[Any, ...], *inputs: Any, **params: Any
) -> tuple[Any, ...]:
    """The backward kernel as FusedOp calls it: one gradient for each input."""
    n = len(gradients)
    given = to_kernel_back(gradients, kept[:n], kept[n:], *inputs, **params)
    return from_kernel_back(backend.recurrent_backward(*given), **params)


# Between an op's inputs and results and the kernels' own.


def to_kernel(
    x: Array, h0: Array, c0: Array | None, *weights: Array | None,
    cell: str, run: Run, keep: bool, **_: Any,
) -> Any:  # fmt: skip
    """The arguments of recurrent_forward."""
    return cell, x, h0, c0, Weights(*weights), run, keep


def from_kernel(
    outcome: Any, x: Array, *, cell: str, run: Run, trace: Trace | None, **_: Any
) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """From what it returns: y and the last states; and what is saved."""
    y, h, c, saved = outcome
    if trace is not None and saved is not None:
        _fill(trace, cell, saved, run, x.shape)
    return ((y, h) if c is None else (y, h, c)), saved or ()


def to_kernel_back(
    gradients: Any, results: Any, saved: Any, x: Array, h0: Array, c0: Array | None,
    *weights: Array | None, cell: str, run: Run, wanted: Wanted, **_: Any,
) -> Any:  # fmt: skip
    """The arguments of recurrent_backward."""
    dy, dh, *dc = (
        np.zeros_like(result) if g is None else g
        for g, result in zip(gradients, results, strict=True)
    )
    return (
        cell, dy, dh, dc[0] if dc else None, x, h0, c0, Weights(*weights), run, results[0],
        Saved(*saved), wanted,
    )  # fmt: skip


def from_kernel_back(shares: Any, *, trace: Trace | None, **_: Any) -> tuple[Any, ...]:
    """From what it returns: one gradient for each input."""
    dx, dh0, dc0, dweights, norm = shares
    if trace is not None:
        trace.gradient_norm = norm
    return dx, dh0, dc0, *dweights


def _fill(trace: Trace, cell: str, saved: Saved, run: Run, shape: tuple[int, ...]) -> None:
    """Write the gates and cells at their place in time."""
    B, T, _ = shape
    steps = steps_of(run.lengths, run.reverse, B, T)

    def in_time(compact: Array) -> Array:
        whole = np.zeros((B, T, compact.shape[1]), compact.dtype)
        whole[steps.rows, steps.times] = compact
        return whole

    letters = LETTERS.get(cell, "")
    gates = np.split(saved.gates, GATES[cell], 1)
    trace.gates = {letter: in_time(gate) for letter, gate in zip(letters, gates, strict=False)}
    trace.cells = None if saved.cells is None else in_time(saved.cells)
    trace.gradient_norm = None


def prepare(
    op: FusedOp, name: str, cell: str, x: Tensor, h0: Tensor, c0: Tensor | None, weights: Weights,
    *, lengths: Any, reverse: bool, mask: Any = None, zone_h: Any = None, zone_c: Any = None,
    checkpoint_every: int, trace: Trace | None,
) -> Call:  # fmt: skip
    """A Call, once everything is checked."""
    inputs = (x, h0, c0, *weights)
    first, arrays = arrays_of((x, h0, c0)), Weights(*arrays_of(weights))
    B, T, R, H = check_shapes(name, cell, first[0], first[1], first[2], arrays)
    if isinstance(checkpoint_every, bool) or not isinstance(checkpoint_every, (int, np.integer)):
        raise TypeError(f"{name}: checkpoint_every must be an int, got {checkpoint_every!r}")
    if checkpoint_every < 0:
        raise ValueError(f"{name}: checkpoint_every must be 0 or more, got {checkpoint_every}")
    if trace is not None and checkpoint_every:
        raise ValueError(f"{name}: trace looks at every step, so checkpoint_every must be 0")
    how = Run(
        None if lengths is None else check_lengths(name, lengths, B, T),
        bool(reverse),
        None if mask is None else _constant(name, "mask", mask, ((B,), (R,)), x),
        None if zone_h is None else _constant(name, "zone_h", zone_h, ((B, 1), (T, 1), (R,)), x),
        None if zone_c is None else _constant(name, "zone_c", zone_c, ((B, 1), (T, 1), (H,)), x),
        checkpoint_every,
    )
    differentiable = [t is not None and t.requires_grad for t in inputs]
    keep = (is_grad_enabled() and any(differentiable)) or trace is not None
    wanted = Wanted(differentiable[0], any(differentiable[1:3]), trace is not None)
    params = {"cell": cell, "run": how, "keep": keep, "wanted": wanted, "trace": trace}
    return Call(op, inputs, params)


def run(call: Call) -> tuple[Tensor, ...]:
    """y, and the last states; by the kernel alone if nobody will look back."""
    if call.params["keep"]:
        return call.op.run(*call.inputs, **call.params)
    outcome = backend.recurrent_forward(*to_kernel(*arrays_of(call.inputs), **call.params))
    return as_constants(outcome)


def arrays_of(inputs: tuple[Tensor | None, ...]) -> list[Any]:
    """Their arrays, None for what is left out."""
    return [None if t is None else t.data for t in inputs]


def as_constants(outcome: Any) -> tuple[Tensor, ...]:
    """y and the last states that a kernel returns, as Tensors."""
    return tuple(Tensor(a) for a in outcome[:3] if a is not None)


def check_shapes(
    name: str, cell: str, x: Array, h0: Array, c0: Array | None, w: Weights
) -> tuple[int, int, int, int]:
    """B, T, R and H, if every shape and dtype of x, h0, c0 and the weights fits."""
    dtype, w_hh, w_hr = x.dtype, w.w_hh, w.w_hr
    if x.ndim != 3 or dtype.kind != "f":
        raise ValueError(f"{name}: x must be floats of (B, T, D), got {dtype} {x.shape}")
    if w_hh.ndim != 2 or (w_hr is not None and w_hr.ndim != 2):
        got = w_hh.shape if w_hr is None else f"{w_hh.shape} and {w_hr.shape}"
        raise ValueError(f"{name}: w_hh must be (G H, R) and w_hr (P, H), got {got}")
    (B, T, D), R = x.shape, w_hh.shape[1]
    H = R if w_hr is None else w_hr.shape[1]
    rows = GATES[cell] * H
    _check_together(name, cell, w)
    vector = (rows,)
    shapes = (
        (B, R), (B, H),
        (rows, D), (rows, R), vector, vector, (3 * H,), (R, H), vector, vector, (H,), (H,),
    )  # fmt: skip
    for field, given, shape in zip(FIELDS, (h0, c0, *w), shapes, strict=True):
        if given is None or (given.shape == shape and given.dtype == dtype):
            continue
        if given.shape != shape:
            raise ValueError(f"{name}: {field} must be {shape}, got {given.shape}")
        raise TypeError(f"{name}: {field} must be {dtype} as x is, got {given.dtype}")
    return B, T, R, H


def _check_together(name: str, cell: str, w: Weights) -> None:
    """Raise ValueError, naming both, when of two weights that belong together one is missing."""
    if (w.b_ih is None) != (w.b_hh is None):
        apart = "b_ih and b_hh"
    elif (w.norm_ih is None) != (w.norm_hh is None):
        apart = "norm_ih and norm_hh"
    elif (w.norm_c is None) != (w.norm_c_bias is None):
        apart = "norm_c and norm_c_bias"
    elif cell == "lstm" and (w.norm_ih is None) != (w.norm_c is None):
        apart = "norm_ih and norm_c"
    else:
        return
    raise ValueError(f"{name}: {apart} must be given both or neither")


def _constant(
    name: str, field: str, given: Any, sizes: tuple[tuple[int, ...], ...], x: Tensor
) -> Array:
    """An array that no gradient flows to, checked; sizes has what each dimension may be."""
    array = np.asarray(given)
    fits = array.ndim == len(sizes) and all(
        n in allowed for n, allowed in zip(array.shape, sizes, strict=True)
    )
    if not fits:
        wanted = ", ".join(" or ".join(map(str, dict.fromkeys(allowed))) for allowed in sizes)
        raise ValueError(f"{name}: {field} must be ({wanted}), got {array.shape}")
    if array.dtype != x.dtype:
        raise TypeError(f"{name}: {field} must be {x.dtype} as x is, got {array.dtype}")
    return array
