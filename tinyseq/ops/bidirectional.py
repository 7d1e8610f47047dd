"""Both directions of a recurrent layer as one op, so that its kernels can go side by side."""

from collections.abc import Callable
from typing import Any

from tinyseq import backend
from tinyseq.autograd import FusedOp, Tensor
from tinyseq.ops.recurrent import (
    Call,
    arrays_of,
    as_constants,
    from_kernel,
    from_kernel_back,
    to_kernel,
    to_kernel_back,
)

__all__ = ["run_both"]

Params = tuple[dict[str, Any], dict[str, Any]]


def _halves(both: Any) -> tuple[Any, Any]:
    n = len(both) // 2
    return both[:n], both[n:]


def _forward(*inputs: Any, params: Params, **_: Any) -> tuple[Any, ...]:
    one, two = _halves(inputs)
    given = to_kernel(*one, **params[0]), to_kernel(*two, **params[1])
    outcomes = backend.recurrent_forward_pair(*given)
    results, saved = from_kernel(outcomes[0], one[0], **params[0])
    more_results, more_saved = from_kernel(outcomes[1], two[0], **params[1])
    return *results, *more_results, *saved, *more_saved


def _backward(
    gradients: list[Any], kept: tuple[Any, ...], *inputs: Any, params: Params, **_: Any
) -> tuple[Any, ...]:
    n = len(gradients)
    parts = zip(_halves(gradients), _halves(kept[:n]), _halves(kept[n:]), strict=True)
    given = [
        to_kernel_back(*part, *side, **how)
        for part, side, how in zip(parts, _halves(inputs), params, strict=True)
    ]
    one, two = backend.recurrent_backward_pair(*given)
    return *from_kernel_back(one, **params[0]), *from_kernel_back(two, **params[1])


def _reference(
    *inputs: Any, params: Params, reference: Callable[..., tuple[Tensor, ...]]
) -> tuple[Tensor, ...]:
    one, two = _halves(inputs)
    return *reference(*one, **params[0]), *reference(*two, **params[1])


def _lstm_both(*inputs: Any, **params: Any) -> tuple[Any, ...]:
    return _forward(*inputs, **params)


def _recurrent_both(*inputs: Any, **params: Any) -> tuple[Any, ...]:
    return _forward(*inputs, **params)


BOTH = {  # by the number of results in one direction
    3: FusedOp(_lstm_both, _backward, _reference, results=6),
    2: FusedOp(_recurrent_both, _backward, _reference, results=4),
}


def run_both(first: Call, second: Call) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
    """Two calls of one op on the same x, of the same sizes and lengths: y and the last states of
    each; by the kernels alone if nobody will look back."""
    if not (first.params["keep"] or second.params["keep"]):
        given = [to_kernel(*arrays_of(call.inputs), **call.params) for call in (first, second)]
        outcomes = backend.recurrent_forward_pair(*given)
        return as_constants(outcomes[0]), as_constants(outcomes[1])
    one, two = _halves(
        BOTH[first.op.results].run(
            *first.inputs, *second.inputs, params=(first.params, second.params),
            reference=first.op.reference,
        )
    )  # fmt: skip
    return one, two
