"""A run as pictures: which charts it has."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from matplotlib import pyplot as plt
from matplotlib.figure import Figure

from benchmarks import charts
from benchmarks.curves import Curve, curves
from benchmarks.names import NAMES
from benchmarks.records import Picture, Record, Row, Spread, quartiles
from benchmarks.sections import ASIDE, TITLES
from benchmarks.targets import geometric_mean

SUMMARY = "in short"  # where the chart over all sections belongs
FOOTPRINT = {"s": "{:.2f} s", "B": "{:,.0f} MB"}
CHECKPOINTS = {"c": "a checkpoint every √T steps", "plain": "every step kept"}
ALONG = {
    "T": "T, steps of the sequence", "H": "H, units of the layer", "B": "B, sequences in the batch",
    "threads": "threads",
}  # fmt: skip


def draw(record: Record, folder: Path) -> list[Picture]:
    """Every chart, as PNG and as SVG, in a folder that is made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    pictures = []
    with plt.rc_context(charts.STYLE):
        for section, title, figure in figures(record):
            short = section if title == TITLES.get(section) else title.partition(" (")[0]
            stem = re.sub(r"\W+", "-", short.lower()).strip("-")
            path = folder / f"{stem}.png"
            figure.savefig(path, dpi=110)
            figure.savefig(path.with_suffix(".svg"))
            plt.close(figure)
            pictures.append(Picture(section, title, path))
    return pictures


def figures(record: Record) -> Iterator[tuple[str, str, Figure]]:
    """Section, title and chart of each picture."""
    rows = [row for row in record.rows if not row.wrong]
    means = list(summary(rows))
    if means:
        heading = "How many times as long as tinyseq others take: means and middle halves"
        yield SUMMARY, "Summary", charts.ratios(heading, means)
    yield from speeds(rows, record)
    for section, title in TITLES.items():
        compared = [row for row in rows if row.section == section and not row.curve and row.ratios]
        if section == "footprint":
            yield from footprint(compared, title)
        elif compared:
            named = [(label(row), row.ratios) for row in compared]
            yield section, title, charts.ratios(title, named)
    for curve in curves(rows):
        yield curve.section, curve.title, curve_chart(curve)


def summary(rows: list[Row]) -> Iterator[tuple[str, dict[str, Spread]]]:
    """Each section's geometric means, with the quartiles of its rows."""
    for section, title in TITLES.items():
        if section in ("footprint", ASIDE):  # the first has a chart for each thing
            continue
        found: dict[str, Spread] = {}
        for name in NAMES:
            some = [
                row.ratios[name].middle for row in rows
                if (row.section, row.threads, row.unit, row.curve) == (section, 1, "s", "")
                and name in row.ratios
            ]  # fmt: skip
            if some:
                low, _, high = quartiles(some)
                found[name] = Spread(low, geometric_mean(some), high)
        if found:
            yield title, found


def speeds(rows: list[Row], record: Record) -> Iterator[tuple[str, str, Figure]]:
    """The recurrent layers' training in GFLOP/s, at the first shapes that they are measured at."""
    panels: dict[str, list[Row]] = {}
    for row in rows:
        if row.section == "recurrent" and " train " in row.name and row.threads == 1:
            panels.setdefault(row.name.split()[0].upper(), []).append(row)
    if panels:
        title = "Recurrent training"
        few = {name: some[:4] for name, some in panels.items()}
        unit = "GFLOP/s, more is better"
        yield "recurrent", title, charts.rates(title, few, unit, record.machine["peak"]["1"])


def footprint(rows: list[Row], title: str) -> Iterator[tuple[str, str, Figure]]:
    """Seconds and megabytes before anything is done."""
    panels, forms = {}, {}
    for row in rows:
        scale = 1.0 if row.unit == "s" else 2.0**20
        panels[row.name] = {name: value / scale for name, value in row.best.items()}
        forms[row.name] = FOOTPRINT[row.unit]
    if panels:
        yield "footprint", title, charts.bars(f"{title}: less is better", panels, forms)


def curve_chart(curve: Curve) -> Figure:
    """A curve's chart, by what is told along what."""
    if curve.along == "seconds":
        return charts.learning(curve, "held-out bits per character, less is better")
    along = ALONG.get(curve.along, curve.along)
    if curve.title.startswith("Tokens"):
        return charts.tokens(curve, along)
    unit = "megabytes, less is better" if curve.unit == "B" else "milliseconds, less is better"
    return charts.lines(curve, along, unit, CHECKPOINTS if "plain" in curve.points else NAMES)


def label(row: Row) -> str:
    """A row's name, and its threads if they are several."""
    return row.name if row.threads == 1 else f"{row.name}, {row.threads} threads"
