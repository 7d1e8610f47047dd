"""The command line: its options, and a run from the header to the verdict."""

from __future__ import annotations

import argparse
import shlex
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import chain
from pathlib import Path
from typing import Any

import tinyseq as ts
from benchmarks import against, machine, records, report, table
from benchmarks.names import PEERS
from benchmarks.records import Record, Row
from benchmarks.run import Run, installed
from benchmarks.sections import SECTIONS, TITLES
from benchmarks.targets import judged


def arguments(given: list[str]) -> argparse.Namespace:
    """What was asked for."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Time tinyseq beside its NumPy fallback and other frameworks, compared first.",
    )
    add = parser.add_argument
    add("-k", dest="only", nargs="+", default=[], metavar="TEXT",
        help="only rows whose 'section: name' contains every TEXT")  # fmt: skip
    add("--peers", nargs="+", default=[], choices=PEERS, metavar="PEER",
        help=f"to time as well, where installed: {' '.join(PEERS)}")  # fmt: skip
    add("--threads", nargs="+", type=int, default=[1], metavar="N", help="for all (default: 1)")
    add("--quick", action="store_true", help="the smallest cases, a few rounds; nothing is judged")
    add("--targets", action="store_true", help="also whatever only the targets ask for")
    add("--rounds", type=int, default=15, metavar="N", help="at most (default: 15)")
    add("--from", dest="earlier", metavar="FILE", help="measure nothing: take an earlier --json")
    add("--json", metavar="FILE", help="write what was measured")
    add("--against", metavar="FILE", help="tell what became slower since that --json")
    add("--plot", metavar="DIR", help="draw it, as PNG and SVG; needs tinyseq[bench]")
    add(
        "--report",
        metavar="FILE",
        help="write it as a page of Markdown, with the pictures of --plot",
    )
    asked = parser.parse_args(given)
    if min(asked.threads) < 1 or asked.rounds < 1:
        parser.error("--threads and --rounds must be at least 1")
    asked.threads = list(dict.fromkeys(asked.threads))
    for path in (asked.json, asked.report):
        if path and not Path(path).parent.is_dir():
            parser.error(f"{path}: there is no such folder")
    if asked.plot and not installed(["matplotlib"]):
        parser.error("--plot needs matplotlib: pip install 'tinyseq[bench]'")
    return asked


def main(given: list[str] | None = None) -> int:
    """Measure, and tell.

    Returns:
        1 if a result was wrong or something became slower, 2 if nothing could be run.
    """
    given = sys.argv[1:] if given is None else given
    asked = arguments(given)
    try:
        before = records.read(asked.against).rows if asked.against else []
        record = records.read(asked.earlier) if asked.earlier else measure(asked, given)
    except (RuntimeError, OSError, ValueError) as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2
    if not record.rows:
        print(f"benchmarks: no row's name contains all of {asked.only}", file=sys.stderr)
        return 2
    return tell(asked, record, before)


def measure(asked: argparse.Namespace, given: list[str]) -> Record:
    """Every section on every number of threads."""
    ts.backend.use("c")
    begin = time.perf_counter()
    record = Record(shlex.join(["python", "-m", "benchmarks", *given]), {}, [])
    counts = sorted({*asked.threads, 1, *(() if asked.quick else (2,))})
    record.machine = machine.describe(counts, asked.quick)
    for count in asked.threads:
        with ExitStack() as stack:
            run = Run(
                stack, record.machine, count, asked.only, asked.quick, asked.targets,
                count == asked.threads[0], asked.rounds,
            )  # fmt: skip
            versions, notes = run.invite(asked.peers)
            if run.first:
                record.machine["versions"] += versions
                record.machine["notes"] = notes
                print("\n".join(header(record.machine)), flush=True)
            record.rows += shown_rows(run, record)
    record.seconds = time.perf_counter() - begin
    return record


def shown_rows(run: Run, record: Record) -> Iterator[Row]:
    """Every row, printed; an interruption ends them, and what was measured stands."""
    shown, title = ["numpy", *run.peers], ""
    try:
        for row in chain.from_iterable(section(run) for section in SECTIONS):
            if title != row.section:
                print(table.heading(TITLES[row.section], run.threads, shown))
            title = row.section
            print(table.line(row, shown, record.machine), flush=True)
            for note in row.notes:
                print(f"  {note}")
            yield row
    except KeyboardInterrupt:
        print("interrupted: the rest is not measured")


def tell(asked: argparse.Namespace, record: Record, before: list[Row]) -> int:
    """What follows from the rows, and the files; 1 if it is bad."""
    if not asked.quick:
        for family, targets in judged(record.rows).items():
            if asked.only:
                targets = {key: target for key, target in targets.items() if target.measured}
            if any(target.measured for target in targets.values()):
                print(f"\nTargets of {family}\n{table.verdicts(targets)}")
    lost = list(against.slower(record.rows, before))
    for row, left in lost:
        threads = f", {row.threads} threads" if row.threads > 1 else ""
        print(f"slower: {row.section}: {row.name}{threads}: {left:.0%} of its lead is left")
    if before and not lost:
        print(f"nothing became slower than in {asked.against}")
    print(f"\n{record.seconds:.0f} s in all")
    if asked.json:
        record.write(asked.json)
    write(asked, record)
    return 1 if lost or any(row.wrong for row in record.rows) else 0


def write(asked: argparse.Namespace, record: Record) -> None:
    """The pictures and the page."""
    pictures = []
    if asked.plot:
        from benchmarks import plot  # matplotlib comes with an extra

        pictures = plot.draw(record, Path(asked.plot))
    if asked.report:
        Path(asked.report).write_text(report.page(record, Path(asked.report), pictures))


def header(known: dict[str, Any]) -> list[str]:
    """The machine, in lines."""
    told = [
        f"{known['processor']}, {known['isa']}, {known['cores']} cores, {known['system']}",
        "; ".join(known["versions"]),
    ]
    for count, peak in known["peak"].items():
        large = known["bandwidth"][count][-1][1]
        told.append(
            f"measured now, {count} thread{'s' if count != '1' else ''}: multiply-add peak "
            f"{peak:.0f} GFLOP/s, memory bandwidth {large:.0f} GB/s"
        )
    return told + known["notes"]
