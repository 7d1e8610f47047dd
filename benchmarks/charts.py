"""The kinds of charts: each draws one figure; a colour belongs to a system in all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib

matplotlib.use("Agg")
from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter

from benchmarks.curves import Curve, Point, slope
from benchmarks.names import NAMES
from benchmarks.records import Row, Spread

OURS = "#d1242f"
COLORS = {
    "c": OURS, "numpy": "#9a9a9a", "torch": "#3b6fb6", "jax": "#2f9e6e", "tensorflow": "#e0a100",
    "tinygrad": "#7a5ea8", "autograd": "#8c6d4f", "plain": "#3b6fb6", "full": "#3b6fb6",
    "one": "#3b6fb6", "bare": "#3b6fb6", "import numpy": "#9a9a9a",
}  # fmt: skip
STYLE = {
    "font.size": 10,
    "axes.spines.top": False, "axes.spines.right": False, "axes.grid": True, "grid.alpha": 0.25,
    "svg.fonttype": "none", "legend.frameon": False, "axes.axisbelow": True,
}  # fmt: skip


def plain(value: float, _: object = None) -> str:
    """A tick's number as people write it."""
    return f"{value:g}" if value < 10_000 else f"{value:,.0f}"


def ratios(title: str, rows: Sequence[tuple[str, dict[str, Spread]]]) -> Figure:
    """A line of dots for each row: how many times tinyseq's time the others take."""
    names = [name for name in NAMES if any(name in found for _, found in rows)]
    figure, axes = plt.subplots(figsize=(9, 1.6 + 0.27 * len(rows)), layout="constrained")
    places = range(len(rows))[::-1]
    for name in names:
        points = [(x, y[name]) for x, (_, y) in zip(places, rows, strict=True) if name in y]
        ys, spreads = [y for y, _ in points], [spread for _, spread in points]
        axes.hlines(ys, [s.low for s in spreads], [s.high for s in spreads], COLORS[name], lw=2)
        axes.plot([s.middle for s in spreads], ys, "o", color=COLORS[name], label=NAMES[name], ms=6)
    axes.axvline(1, color=OURS, lw=2.5, zorder=0, label=NAMES["c"])
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    axes.set_xlim(min(low, 0.8), max(high, 2))
    axes.axvspan(axes.get_xlim()[0], 1, color=OURS, alpha=0.06, lw=0)
    ticks(axes.xaxis, *axes.get_xlim())
    axes.set_yticks(places, [label for label, _ in rows])
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.set_xlabel("time taken, tinyseq's being 1: to the right tinyseq is faster")
    headed(figure, title)
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=min(len(labels), 6))
    return figure


def rates(title: str, panels: dict[str, list[Row]], unit: str, peak: float) -> Figure:
    """Bars of GFLOP/s for a few rows in each panel, beside the peak."""
    names = [n for n in NAMES if any(n in row.best for rows in panels.values() for row in rows)]
    figure, all_axes = plt.subplots(
        1, len(panels), figsize=(5.2 * len(panels), 4.4), sharey=True, layout="constrained",
        squeeze=False,
    )  # fmt: skip
    width = 0.84 / len(names)
    for axes, (panel, rows) in zip(all_axes[0], panels.items(), strict=True):
        for i, name in enumerate(names):
            heights = [row.flops / row.best[name] / 1e9 if name in row.best else 0 for row in rows]
            places = [x + (i - (len(names) - 1) / 2) * width for x in range(len(rows))]
            axes.bar(places, heights, width * 0.92, color=COLORS[name], label=NAMES[name])
        axes.axhline(peak, color="#444444", ls="--", lw=1.2, label="multiply-add peak")
        labels = ["\n".join(sizes(row)) for row in rows]
        axes.set_xticks(range(len(rows)), labels, fontsize=9)
        axes.grid(axis="x", visible=False)
        axes.set_title(panel, fontsize=11, fontweight="normal", loc="left")
    all_axes[0][0].set_ylabel(unit)
    headed(figure, title)
    handles, labels = all_axes[0][0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=len(labels))
    return figure


def lines(curve: Curve, along: str, label: str, names: dict[str, str]) -> Figure:
    """A curve for each system where both scales are logarithmic, its power in the legend."""
    figure, axes = plt.subplots(figsize=(7, 4.6), layout="constrained")
    scale = 2.0**20 if curve.unit == "B" else 1e-3
    for name in [name for name in NAMES if name in curve.points]:
        points = sorted(curve.points[name])
        told = f"{names[name]}: power {slope(points):.2f}"
        line(axes, name, [(x, y / scale) for x, y in points], told)
    axes.set_yscale("log")
    ticks(axes.yaxis, *axes.get_ylim())
    finish(figure, axes, curve, along, label)
    return figure


def tokens(curve: Curve, along: str) -> Figure:
    """How many a second, for each system."""
    figure, axes = plt.subplots(figsize=(7, 4.6), layout="constrained")
    for name in [name for name in NAMES if name in curve.points]:
        line(axes, name, [(x, 1 / y) for x, y in sorted(curve.points[name])], NAMES[name])
    axes.set_ylim(0, 1.08 * axes.get_ylim()[1])
    axes.yaxis.set_major_formatter(FuncFormatter(plain))
    finish(figure, axes, curve, along, "tokens per second, more is better")
    return figure


def line(axes: Any, name: str, points: list[Point], label: str) -> None:
    """A system's line; ours stands out."""
    xs, ys = zip(*points, strict=True)
    width, size = (3.0, 7) if name == "c" else (1.8, 5)
    axes.plot(
        xs, ys, "o-", color=COLORS[name], label=label, lw=width, ms=size, zorder=2 + (name == "c")
    )


def finish(figure: Figure, axes: Any, curve: Curve, along: str, label: str) -> None:
    """What every line chart along powers of two has."""
    axes.set_xscale("log", base=2)
    axes.set_xticks(sorted({x for points in curve.points.values() for x, _ in points}))
    axes.xaxis.set_major_formatter(FuncFormatter(plain))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel(along)
    axes.set_ylabel(label)
    axes.legend()
    headed(figure, curve.title)


def headed(figure: Figure, title: str) -> None:
    """The title, at the left end."""
    figure.suptitle(title, x=0.01, ha="left", fontweight="bold", fontsize=13)


def learning(curve: Curve, label: str) -> Figure:
    """A curve for each system over the seconds."""
    figure, axes = plt.subplots(figsize=(7, 4.6), layout="constrained")
    for name in [name for name in NAMES if name in curve.points]:
        points = sorted(curve.points[name])
        line(axes, name, points, NAMES[name])
        axes.annotate(f"{points[-1][1]:.3f}", points[-1], (8, -3), textcoords="offset points")
    axes.set_xlabel("seconds of training")
    axes.set_ylabel(label)
    axes.legend()
    headed(figure, curve.title)
    return figure


def bars(title: str, panels: dict[str, dict[str, float]], form: dict[str, str]) -> Figure:
    """Horizontal bars, a panel for each thing, every one with its figure at its end."""
    figure, all_axes = plt.subplots(
        1, len(panels), figsize=(5 * len(panels), 3.4), layout="constrained", squeeze=False
    )
    for axes, (panel, found) in zip(all_axes[0], panels.items(), strict=True):
        names = [name for name in NAMES if name in found][::-1]
        values = [found[name] for name in names]
        drawn = axes.barh([NAMES[n] for n in names], values, color=[COLORS[n] for n in names])
        axes.bar_label(drawn, [form[panel].format(value) for value in values], padding=4)
        axes.set_xlim(0, 1.22 * max(values))
        axes.grid(axis="y", visible=False)
        axes.set_title(panel, fontsize=11, fontweight="normal", loc="left")
    headed(figure, title)
    return figure


def sizes(row: Row) -> list[str]:
    """A row's sizes on two short lines."""
    told = [f"{name}={size:g}" for name, size in row.size.items()]
    return [" ".join(told[:2]), " ".join(told[2:])]


def ticks(axis: Any, low: float, high: float) -> None:
    """Of a logarithmic axis: the fewer within each power of ten, the wider it is."""
    wide = high / low
    steps = (1, 1.5, 2, 3, 4, 5, 7) if wide < 8 else (1, 2, 5) if wide < 1000 else (1,)
    axis.set_ticks([s * 10.0**p for p in range(-6, 9) for s in steps if low <= s * 10.0**p <= high])
    axis.set_major_formatter(FuncFormatter(plain))
    axis.set_minor_formatter(NullFormatter())
