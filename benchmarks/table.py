"""Rows as lines of text."""

from __future__ import annotations

from typing import Any

from benchmarks import machine
from benchmarks.names import NAMES
from benchmarks.records import Row, Spread
from benchmarks.targets import Target

UNITS = {
    "s": ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs")),
    "B": ((2.0**30, "GB"), (2.0**20, "MB"), (2.0**10, "kB")),
    "bit": ((1.0, "bit"),),
}


def amount(value: float, unit: str) -> str:
    """Three digits and a fitting unit."""
    scale, name = next((pair for pair in UNITS[unit] if abs(value) >= pair[0]), UNITS[unit][-1])
    value /= scale
    return f"{value:.{2 if abs(value) < 9.995 else 1 if abs(value) < 99.95 else 0}f} {name}"


def ratio(spread: Spread) -> str:
    """How many times what tinyseq took."""
    return f"{spread.middle:.2f}x [{spread.low:.2f} {spread.high:.2f}]"


def beside(row: Row, name: str) -> str:
    """Another system's figure: the ratio to ours, or what it comes to where that says more."""
    if name in row.ratios:
        return ratio(row.ratios[name])
    return amount(row.best[name], row.unit) if name in row.best else ""


def line(row: Row, systems: list[str], known: dict[str, Any]) -> str:
    """A row: tinyseq's figures, its rate beside the machine's, and the ratio of each system."""
    if row.wrong:
        return f"{row.name:<52}WRONG: {row.wrong}; not timed"
    best, middle = amount(row.best["c"], row.unit), amount(row.median["c"], row.unit)
    told = f"{row.name:<52}{best:>10}{f'({middle})':>12}"
    found, share = machine.rate(row), machine.share(row, known)
    told += f"{f'{found[0]:.1f} {found[1]}' if found else '':>15}"
    told += f"{f'{share:.0%}' if share else '':>6}"
    told += f"{amount(row.memory['c'], 'B') if row.memory else '':>10}"
    told += "".join(f"{beside(row, name):>22}" for name in systems)
    for name in row.best.keys() - {"c", *systems}:
        told += f"   {NAMES[name]}: {beside(row, name)}"
    return told


def heading(title: str, threads: int, systems: list[str]) -> str:
    """Above a section's rows."""
    if threads > 1:
        title += f", {threads} threads"
    told = f"\n{title}\n{'':<52}{'best':>10}{'(median)':>12}{'rate':>15}{'share':>6}{'memory':>10}"
    return told + "".join(f"{NAMES[name]:>22}" for name in systems)


def verdicts(targets: dict[str, Target]) -> str:
    """A line for each target, and one for each row that misses it."""
    told = [f"{'target':<50}{'wanted':>11}{'worst':>11}{'holds in':>11}   worst case"]
    for target in targets.values():
        if not target.measured:
            told.append(f"{target.text:<50}{target.wanted:>11}   not measured")
            continue
        total, missed = len(target.measured), target.missed
        holds = f"{total - len(missed)} of {total}" if target.wanted else ""
        worst = target.form.format(target.measured[target.worst])
        told.append(f"{target.text:<50}{target.wanted:>11}{worst:>11}{holds:>11}   {target.worst}")
        for name, figure in missed.items():
            if name != target.worst:
                told.append(f"{'':<50}{'missed':>11}{target.form.format(figure):>11}{'':>14}{name}")
    return "\n".join(told)
