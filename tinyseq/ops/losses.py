"""Losses between two Tensors of one shape, and how a loss is reduced to one number."""

import warnings
from typing import Any

from tinyseq.autograd import Tensor
from tinyseq.ops.activation import logsigmoid
from tinyseq.ops.creation import as_tensor
from tinyseq.ops.elementwise import abs, eq, exp, log, square, where
from tinyseq.ops.functions import clamp
from tinyseq.ops.reduce import mean, sum

__all__ = ["binary_cross_entropy_with_logits", "huber_loss", "kl_div", "l1_loss", "mse_loss"]


def reduced(losses: Tensor, reduction: str, where: str) -> Tensor:
    """The mean or the sum of the losses, or all of them.

    Raises:
        ValueError: for another reduction, naming the caller.
    """
    if reduction == "mean":
        return mean(losses)
    if reduction == "sum":
        return sum(losses)
    if reduction == "none":
        return losses
    raise ValueError(f"{where}: reduction must be mean, sum or none, got {reduction!r}")


def _difference(input: Any, target: Any, where: str) -> Tensor:
    """input - target, with PyTorch's warning where that broadcasts: mostly it is a mistake."""
    x, t = as_tensor(input), as_tensor(target)
    if x.shape != t.shape:
        warnings.warn(
            f"{where}: input and target have the shapes {x.shape} and {t.shape}, "
            "which are broadcast; give them one shape",
            stacklevel=3,
        )
    return x - t


def _weighted(losses: Tensor, weight: Any, where: str) -> Tensor:
    """Each loss times its weight, if there are any."""
    if weight is None:
        return losses
    w = as_tensor(weight)
    if w.shape != losses.shape:
        raise ValueError(f"{where}: weight must be {losses.shape}, got {w.shape}")
    return losses * w


def _over_weights(losses: Tensor, weight: Any, reduction: str, where: str) -> Tensor:
    """Weighted and reduced; a mean is over the weights."""
    weighted = _weighted(losses, weight, where)
    if weight is not None and reduction == "mean":
        return sum(weighted) / sum(weight)
    return reduced(weighted, reduction, where)


def mse_loss(input: Any, target: Any, reduction: str = "mean", weight: Any = None) -> Tensor:
    """weight (input - target)², reduced by "mean" (over the weights), "sum" or "none"."""
    losses = square(_difference(input, target, "mse_loss"))
    return _over_weights(losses, weight, reduction, "mse_loss")


def l1_loss(input: Any, target: Any, reduction: str = "mean", weight: Any = None) -> Tensor:
    """weight |input - target|, reduced by "mean" (over the weights), "sum" or "none"."""
    losses = abs(_difference(input, target, "l1_loss"))
    return _over_weights(losses, weight, reduction, "l1_loss")


def huber_loss(
    input: Any, target: Any, reduction: str = "mean", delta: float = 1.0, weight: Any = None
) -> Tensor:
    """½ d² where |d| is at most delta, else delta (|d| - ½ delta), for d = input - target.

    Args:
        input, target: of one shape.
        reduction: "mean", here over the number of elements, "sum" or "none".
        delta: where the parabola ends.
        weight: what each is multiplied by, of the same shape; None for 1.

    Raises:
        ValueError: if delta is not above 0, the weight has another shape, or for another
            reduction.
    """
    if not delta > 0:
        raise ValueError(f"huber_loss: delta must be above 0, got {delta}")
    d = _difference(input, target, "huber_loss")
    near = clamp(d, -delta, delta)
    losses = _weighted(near * (d - 0.5 * near), weight, "huber_loss")
    return reduced(losses, reduction, "huber_loss")


def kl_div(input: Any, target: Any, reduction: str = "mean", log_target: bool = False) -> Tensor:
    """target (log target - input): how far the target is from exp(input).

    Args:
        input: log-probabilities.
        target: probabilities of the same shape; where one is 0 the loss is 0.
        reduction: "mean" over all elements, "batchmean" for the sum over the number of rows,
            "sum" or "none".
        log_target: whether the target is given as log-probabilities too.

    Raises:
        ValueError: for another reduction.
    """
    input, target = as_tensor(input), as_tensor(target)
    if log_target:
        losses = exp(target) * (target - input)
    else:
        # 0 log 0 is 0: a 1 goes into the logarithm there, lest the gradient be infinite.
        losses = target * (log(where(eq(target, 0), 1.0, target)) - input)
    if reduction == "batchmean":
        return sum(losses) / (input.shape[0] if input.ndim else 1)
    return reduced(losses, reduction, "kl_div")


def binary_cross_entropy_with_logits(
    input: Any, target: Any, weight: Any = None, reduction: str = "mean", pos_weight: Any = None
) -> Tensor:
    """The cross-entropy between targets and sigmoid(input), without its overflow::

        loss = -w (p t log sigmoid(x) + (1 - t) log (1 - sigmoid(x)))

    Args:
        input: x, logits of any shape.
        target: t, probabilities of the same shape.
        weight: w, broadcast to them; None for 1.
        reduction: "mean", "sum" or "none".
        pos_weight: p, broadcast to them; None for 1.

    Raises:
        ValueError: if the shapes differ, or for another reduction.
    """
    x, t = as_tensor(input), as_tensor(target)
    if x.shape != t.shape:
        raise ValueError(
            "binary_cross_entropy_with_logits: input and target must have one shape, "
            f"got {x.shape} and {t.shape}"
        )
    # log(1 - sigmoid(x)) = logsigmoid(x) - x
    share = 1.0 if pos_weight is None else (as_tensor(pos_weight) - 1) * t + 1
    losses = (1 - t) * x - share * logsigmoid(x)
    if weight is not None:
        losses = losses * weight
    return reduced(losses, reduction, "binary_cross_entropy_with_logits")
