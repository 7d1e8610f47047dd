"""What a training run shows of itself while it goes on."""

from __future__ import annotations

import sys
import time
from types import TracebackType

from tinyseq.training import Progress


class Display:
    """Progress on stderr: a tqdm bar on a terminal, elsewhere a line per evaluation."""

    def __init__(self) -> None:
        from tqdm import tqdm

        self._bar = tqdm(
            total=None,
            unit="char",
            unit_scale=True,
            disable=None,
            dynamic_ncols=True,
            file=sys.stderr,
        )
        self._smooth = 0.0
        self._bits = "–"
        self._began = time.perf_counter()
        self._characters = 0

    def __enter__(self) -> Display:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.close()

    def update(self, progress: Progress) -> None:
        """Show a step."""
        weight = max(0.02, 1 / progress.step)  # a plain mean at first, then the last 50 steps or so
        self._smooth += weight * (progress.loss - self._smooth)
        self._characters += progress.characters
        if progress.held_out_bits is not None:
            self._bits = f"{progress.held_out_bits:.3f}"
        if not self._bar.disable:
            self._bar.total = progress.steps * progress.characters
            self._bar.set_postfix_str(
                f"loss {self._smooth:.3f}, held-out {self._bits} bits", refresh=False
            )
            self._bar.update(progress.characters)
        elif progress.held_out_bits is not None:
            rate = self._characters / (time.perf_counter() - self._began)
            print(
                f"step {progress.step}/{progress.steps}: loss {self._smooth:.3f}, "
                f"held-out {self._bits} bits per character, {rate:,.0f} characters per second",
                file=sys.stderr,
                flush=True,
            )
