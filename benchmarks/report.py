"""A run as a page of Markdown."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from benchmarks import machine
from benchmarks.curves import Curve, Point, curves, slope
from benchmarks.names import NAMES, PEERS
from benchmarks.records import Picture, Record, Row
from benchmarks.sections import ASIDE, TITLES
from benchmarks.table import amount, beside, ratio
from benchmarks.targets import Target, geometric_mean, judged

HOW = """
Every system works in a process of its own, on as many cores as it has threads, on the same inputs.
What they come to is compared first, and a case whose numbers disagree is not timed. Then they take
turns, round by round, so that a slow spell of the machine falls on all of them. Compiling, choosing
the fastest of several ways to write the same thing, and first calls come before the first round.

**best** and **median** are tinyseq's own over the rounds; **rate** is the best beside what the
machine reached in the same run, on multiply-adds in registers alone (GFLOP/s) or in a triad over as
many bytes (GB/s); **memory** is the most that the work took, inputs and all. Under another system's
name stands how many times tinyseq's time it took: the middle of the rounds' ratios, with quartiles.
**Above 1 tinyseq is ahead**; where it is behind a peer, the figure is in bold.
"""


def page(record: Record, path: Path, pictures: Sequence[Picture]) -> str:
    """The whole page, which will lie at `path`."""
    parts = ["# Benchmarks", introduction(record), summary(record)]
    parts += [picture(one, path) for one in pictures if one.section not in TITLES]
    lines = curves(record.rows)
    for section, rows in groupby(record.rows, key=lambda row: row.section):
        parts.append(f"## {TITLES[section]}")
        parts += [picture(one, path) for one in pictures if one.section == section]
        parts.append("\n".join(slopes([one for one in lines if one.section == section])))
        for threads, some in groupby(rows, key=lambda row: row.threads):
            if threads > 1:
                parts.append(f"On {threads} threads:")
            parts.append("\n".join(table(list(some), record)))
    for family, targets in judged(record.rows).items():
        if any(target.measured for target in targets.values()):
            parts += [f"## Targets of {family}", "\n".join(verdicts(targets))]
    return "\n\n".join(part.strip("\n") for part in parts if part) + "\n"


def introduction(record: Record) -> str:
    """What was done, on what."""
    known = record.machine
    facts = [
        ["processor", f"{known['processor']}, {known['cores']} cores; kernels for {known['isa']}"],
        ["system", known["system"]],
        ["versions", ", ".join(known["versions"])],
    ]  # fmt: skip
    for count, peak in known["peak"].items():
        (_, near), *_, (_, far) = known["bandwidth"][count]
        told = f"{peak:.0f} GFLOP/s; a triad {far:.0f} GB/s from memory, {near:.0f} from a cache"
        facts.append([f"peak, {count} thread{'s' if count != '1' else ''}", told])
    facts += [["left out", note] for note in known["notes"]]
    told = (
        f"Written by `{record.command}` on {known['date']}, in {record.seconds / 60:.0f} minutes."
    )
    return "\n".join([told, HOW, *grid(["", ""], facts)])


def summary(record: Record) -> str:
    """The ratios' means, what compiling took, and every row in which a peer is ahead."""
    peers = [peer for peer in ("numpy", *PEERS) if any(peer in row.ratios for row in record.rows)]
    lines = []
    for section in TITLES:
        if section == ASIDE:
            continue
        rows = [
            row for row in record.rows
            if (row.section, row.threads, row.unit, row.curve) == (section, 1, "s", "")
        ]  # fmt: skip
        cells = []
        for peer in peers:
            found = [row.ratios[peer].middle for row in rows if peer in row.ratios]
            mean = f"{geometric_mean(found):.2f}x" if found else ""
            ahead = sum(figure >= 1 for figure in found)
            cells.append(f"{mean}, ahead in {ahead} of {len(found)}" if found else "")
        if any(cells):
            lines.append([TITLES[section], *cells])
    began = [sum(row.begin.get(peer, 0.0) for row in record.rows) for peer in ("c", *peers)]
    told = ["## In short", "Geometric means over a section's rows, one thread.\n"]
    told += grid(["", *(NAMES[peer] for peer in peers)], lines)
    named = [f"{NAMES[peer]} {s:.0f} s" for peer, s in zip(("c", *peers), began, strict=True)]
    told.append(f"\nBefore the first rounds, compiling and choosing, in all: {', '.join(named)}.")
    lost = [
        [f"{row.section}: {row.name}", NAMES[peer], ratio(spread)]
        for row in record.rows for peer, spread in row.ratios.items()
        if peer in PEERS and spread.middle < 1 and row.section != ASIDE
    ]  # fmt: skip
    if lost:
        told += ["\nWhere tinyseq loses:\n", *grid(["row", "to", "ratio"], lost)]
    return "\n".join(told)


def table(rows: list[Row], record: Record) -> Iterator[str]:
    """A section's rows."""
    found = {name for row in rows for name in row.best} - {"c"}
    others = [name for name in NAMES if name in found]
    rated, remembered = any(map(machine.rate, rows)), any(row.memory for row in rows)
    head = ["case", "best", "median"] + ["rate"] * rated + ["memory"] * remembered
    lines, notes = [], []
    for row in rows:
        if row.wrong:
            lines.append(
                [row.name, f"**wrong**: {row.wrong}", *[""] * (len(head) + len(others) - 2)]
            )
            continue
        rate, share = machine.rate(row), machine.share(row, record.machine)
        cells = [row.name, amount(row.best["c"], row.unit), amount(row.median["c"], row.unit)]
        if rated:
            part = f" ({share:.0%})" if share is not None else ""
            cells.append(f"{rate[0]:.1f} {rate[1]}{part}" if rate else "")
        if remembered:
            cells.append(amount(row.memory["c"], "B") if row.memory else "")
        for name in others:
            told = beside(row, name)
            behind = name in PEERS and name in row.ratios and row.ratios[name].middle < 1
            cells.append(f"**{told}**" if behind else told)
        lines.append(cells)
        notes += [f"- {row.name}: {note}" for note in row.notes]
    yield from grid([*head, *(NAMES[name] for name in others)], lines)
    if notes:
        yield "\n" + "\n".join(notes)


def slopes(lines: list[Curve]) -> Iterator[str]:
    """As which power of what grows each system's cost does."""
    powers = [one for one in lines if one.along != "seconds"]
    names = [name for name in NAMES if any(name in one.points for one in powers)]
    if powers:
        yield "The power with which it grows, fitted over the curve:\n"
        yield from grid(
            ["curve", *(NAMES[name] for name in names)],
            [[one.title, *(power(one.points.get(name, [])) for name in names)] for one in powers],
        )


def power(points: list[Point]) -> str:
    """A fitted slope, where there is more than a point."""
    return f"{slope(points):.2f}" if len(points) > 1 else ""


def verdicts(targets: dict[str, Target]) -> Iterator[str]:
    """A line for each target, met or not, and those that miss it."""
    lines = []
    for target in targets.values():
        total, missed = len(target.measured), target.missed
        if not total:
            lines.append([target.text.strip(), target.wanted, "", "not measured", ""])
            continue
        met = "" if not target.wanted else "met" if not missed else "**not met**"
        holds = f"{met}, {total - len(missed)} of {total}" if met else ""
        worst = target.form.format(target.measured[target.worst])
        others = [f"{name}: {target.form.format(figure)}" for name, figure in missed.items()]
        where = "; ".join(others) or target.worst
        lines.append([target.text.strip(), target.wanted, worst, holds, where])
    yield from grid(["target", "wanted", "worst", "holds in", "where it is worst or missed"], lines)


def picture(one: Picture, path: Path) -> str:
    """A picture, as seen from the page."""
    return f"![{one.title}]({os.path.relpath(one.path, path.parent)})"


def grid(head: list[str], lines: list[list[str]]) -> list[str]:
    """A Markdown table: the first column to the left, the others to the right."""
    rows = [head, ["---", *["--:"] * (len(head) - 1)], *lines]
    return ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows]
