"""The history as a picture."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any


def plot(history: Mapping[str, list[Any]], path: str | os.PathLike[str]) -> None:
    """Each measure in a panel of its own, training beside validation.

    Args:
        history: columns by name, "step" among them.
        path: of the picture; its ending chooses the format.

    Raises ModuleNotFoundError, naming the extra, when matplotlib is not installed.
    """
    try:
        from matplotlib.figure import Figure
    except ModuleNotFoundError:
        raise ModuleNotFoundError("a plot needs matplotlib: pip install 'tinyseq[plot]'") from None
    names = dict.fromkeys(n.removeprefix("val_") for n in history if n not in ("step", "epoch"))
    figure = Figure(figsize=(6.4, 2.4 * max(1, len(names))), layout="constrained")
    panels = figure.subplots(max(1, len(names)), sharex=True, squeeze=False)[:, 0]
    for name, panel in zip(names, panels, strict=False):
        for key, label in ((name, "training"), (f"val_{name}", "validation")):
            if key in history:
                panel.plot(history["step"], history[key], marker=".", label=label)
        panel.set_ylabel(name)
        panel.grid(alpha=0.3)
        if f"val_{name}" in history:
            panel.legend()
    panels[-1].set_xlabel("step")
    figure.savefig(path)
