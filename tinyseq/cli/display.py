"""What a training run shows of itself while it goes on."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

from tinyseq.training import Callback

if TYPE_CHECKING:
    from tinyseq.training import Trainer


class Display(Callback):
    """Progress on stderr: a tqdm bar on a terminal, elsewhere a line per evaluation.

    Args:
        unit: what a token is called.
        tokens: in a step.
        steps: of the whole run.
    """

    def __init__(self, unit: str, tokens: int, steps: int) -> None:
        self.unit, self.tokens, self.steps = unit, tokens, steps
        self._bar: Any = None
        self._began = (0.0, 0)  # when, and at which step

    def on_train_begin(self, trainer: Trainer) -> None:
        """Show how far it is."""
        from tqdm import tqdm

        self._began = time.perf_counter(), trainer.step
        self._bar = tqdm(
            total=self.steps * self.tokens,
            initial=trainer.step * self.tokens,
            unit=self.unit[:4],
            unit_scale=True,
            disable=None,
            dynamic_ncols=True,
            file=sys.stderr,
        )

    def on_step_end(self, trainer: Trainer) -> None:
        """Show a step."""
        if not self._bar.disable:
            rows = trainer.history.rows
            bits = f"{rows[-1]['val_bits']:.3f}" if rows else "–"
            loss = trainer.means.compute().get("loss", trainer.last["loss"])
            self._bar.set_postfix_str(f"loss {loss:.3f}, held-out {bits} bits", refresh=False)
            self._bar.update(self.tokens)

    def on_evaluate_end(self, trainer: Trainer) -> None:
        """Show what was measured, and the loss and the rate since then or the start."""
        if self._bar.disable:
            row, (began, step) = trainer.history.rows[-1], self._began
            rate = (trainer.step - step) * self.tokens / (time.perf_counter() - began)
            print(
                f"step {trainer.step}/{self.steps}: loss {row['loss']:.3f}, held-out "
                f"{row['val_bits']:.3f} bits per {self.unit}, {rate:,.0f} {self.unit}s per second",
                file=sys.stderr,
                flush=True,
            )

    def on_train_end(self, trainer: Trainer) -> None:
        """Leave it as it is."""
        if self._bar is not None:
            self._bar.close()
