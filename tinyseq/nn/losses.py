"""Losses as modules: settings first, then called on output and target.

What a loss computes is said by the function of `nn.functional` that it calls.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from tinyseq.autograd import Tensor
from tinyseq.nn import functional as F
from tinyseq.nn.module import Module
from tinyseq.ops.creation import as_tensor
from tinyseq.ops.lengths import check_lengths
from tinyseq.ops.masking import masked_fill


class Loss(Module):
    """A function of output and target with some of its arguments given beforehand."""

    function: ClassVar[Callable[..., Tensor]]
    reductions: ClassVar[tuple[str, ...]] = ("mean", "sum", "none")

    def __init__(self, **settings: Any) -> None:
        if settings["reduction"] not in self.reductions:
            raise ValueError(
                f"{type(self).__name__}: reduction must be one of {', '.join(self.reductions)}, "
                f"got {settings['reduction']!r}"
            )
        self.settings = settings

    def forward(self, input: Any, target: Any) -> Tensor:
        """The loss; shapes and errors are those of the function."""
        return type(self).function(input, target, **self.settings)

    def extra_repr(self) -> str:
        return ", ".join(f"{key}={value!r}" for key, value in self.settings.items())


class StepwiseLoss(Loss):
    """A loss of each element, which leaves out what lies past a row's length."""

    def forward(self, input: Any, target: Any, lengths: Any = None) -> Tensor:
        """The loss of input and target, both of one shape.

        Args:
            input, target: (B,T,...) where there are steps.
            lengths: the steps of each row that are real, B whole numbers from 0 to T; padding then
                counts for nothing. Not looked at when input has fewer than three axes: its rows
                are sequences as a whole.

        Raises ValueError when a length is out of range, TypeError when it is no whole number.
        """
        input = as_tensor(input)
        if lengths is None or input.ndim < 3:
            return super().forward(input, target)
        B, T = input.shape[:2]
        ends = check_lengths(type(self).__name__, lengths, B, T)
        padding = np.arange(T) >= ends[:, None]
        padding = padding.reshape(B, T, *[1] * (input.ndim - 2))
        # What stands in the padding may be NaN, whose gradient no zero behind it would undo.
        target = masked_fill(target, padding, 0.0)
        losses = type(self).function(input, target, **{**self.settings, "reduction": "none"})
        losses = masked_fill(losses, padding, 0.0)
        reduction = self.settings["reduction"]
        if reduction == "none":
            return losses
        total: Tensor = losses.sum()
        if reduction == "sum":
            return total
        return total / int(ends.sum() * np.prod(input.shape[2:]))


class MSELoss(StepwiseLoss):
    """The mean of (input - target)²; see `nn.functional.mse_loss` and, of lengths, `forward`."""

    function = F.mse_loss

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)


class L1Loss(StepwiseLoss):
    """The mean of |input - target|; see `nn.functional.l1_loss` and, of lengths, `forward`."""

    function = F.l1_loss

    def __init__(self, reduction: str = "mean") -> None:
        super().__init__(reduction=reduction)


class HuberLoss(StepwiseLoss):
    """A parabola near 0, straight beyond; see `nn.functional.huber_loss`, of lengths `forward`."""

    function = F.huber_loss

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction=reduction, delta=delta)


class BCEWithLogitsLoss(StepwiseLoss):
    """See `nn.functional.binary_cross_entropy_with_logits` and, of lengths, `forward`."""

    function = F.binary_cross_entropy_with_logits

    def __init__(self, weight: Any = None, reduction: str = "mean", pos_weight: Any = None) -> None:
        super().__init__(weight=weight, reduction=reduction, pos_weight=pos_weight)


class CrossEntropyLoss(Loss):
    """See `nn.functional.cross_entropy`; classes lie on axis 1, as in PyTorch.

    For logits (B,T,V) of sequences there is `training.sequence_cross_entropy`.
    """

    function = F.cross_entropy

    def __init__(
        self,
        weight: Any = None,
        ignore_index: int = -100,
        reduction: str = "mean",
        label_smoothing: float = 0.0,
    ) -> None:
        super().__init__(
            weight=weight,
            ignore_index=ignore_index,
            reduction=reduction,
            label_smoothing=label_smoothing,
        )


class NLLLoss(Loss):
    """See `nn.functional.nll_loss`; classes lie on axis 1, as in PyTorch."""

    function = F.nll_loss

    def __init__(
        self, weight: Any = None, ignore_index: int = -100, reduction: str = "mean"
    ) -> None:
        super().__init__(weight=weight, ignore_index=ignore_index, reduction=reduction)


class KLDivLoss(Loss):
    """See `nn.functional.kl_div`."""

    function = F.kl_div
    reductions = (*Loss.reductions, "batchmean")

    def __init__(self, reduction: str = "mean", log_target: bool = False) -> None:
        super().__init__(reduction=reduction, log_target=log_target)
