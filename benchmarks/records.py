"""What a run leaves behind: a row for each thing measured, and the file that holds them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

FORMAT = 1


class Spread(NamedTuple):
    """The quartiles of what was found round by round."""

    low: float
    middle: float
    high: float


class Picture(NamedTuple):
    """A chart: the section it belongs to, its title, and its PNG; an SVG lies beside that."""

    section: str
    title: str
    path: Path


@dataclass
class Row:
    """One thing measured. Every figure is a cost: less is better.

    Args:
        section, name, threads: what it is, the same in every run; no two rows share all three.
        unit: of `best` and `median`: "s", "B" (bytes) or "bit".
        best, median: by system, "c" being tinyseq.
        ratios: by peer, what it took over what tinyseq took in the same round: above 1 tinyseq is
            ahead.
        begin: by system, the seconds from being handed the case to the first round: compiling,
            choosing among several ways, and a first call. They are in no other figure.
        memory: by system, the bytes that the case took at most, its inputs among them.
        flops, bytes: operations done, and bytes moved at least, for one `unit` of cost; 0 where
            that is not what limits it.
        size: what grows along a curve: {"T": 128}. Rows with the same section and `curve` are one.
        targets: by the target's name, the figure that counts for it.
        notes: what should be known beside the figures.
        wrong: why it was not timed.
    """

    section: str
    name: str
    threads: int = 1
    unit: str = "s"
    best: dict[str, float] = field(default_factory=dict)
    median: dict[str, float] = field(default_factory=dict)
    ratios: dict[str, Spread] = field(default_factory=dict)
    begin: dict[str, float] = field(default_factory=dict)
    memory: dict[str, int] = field(default_factory=dict)
    flops: float = 0.0
    bytes: float = 0.0
    curve: str = ""
    size: dict[str, float] = field(default_factory=dict)
    targets: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    wrong: str | None = None

    @property
    def key(self) -> tuple[str, str, int]:
        """Which row it is, in any run."""
        return self.section, self.name, self.threads


@dataclass
class Record:
    """A whole run.

    Args:
        command: how to do it again.
        machine: as `machine.describe` tells it.
        rows: in the order they were measured.
        seconds: how long it all took.
    """

    command: str
    machine: dict[str, Any]
    rows: list[Row]
    seconds: float = 0.0

    def write(self, path: str | Path) -> None:
        """As JSON."""
        Path(path).write_text(json.dumps({"format": FORMAT, **asdict(self)}, indent=1) + "\n")


def read(path: str | Path) -> Record:
    """A run's file.

    Raises:
        ValueError: if it is no such file.
    """
    try:
        told = json.loads(Path(path).read_text())
        if told.pop("format") != FORMAT:
            raise ValueError("of another format")
        rows = [Row(**row) for row in told.pop("rows")]
        for row in rows:
            row.ratios = {peer: Spread(*ratio) for peer, ratio in row.ratios.items()}
        return Record(**told, rows=rows)
    except (KeyError, TypeError, AttributeError, UnicodeDecodeError, ValueError) as error:
        raise ValueError(f"{path}: not a benchmark's record ({error})") from error


def quartiles(values: Sequence[float]) -> Spread:
    """Of the figures of several rounds."""
    ordered = sorted(values)

    def at(share: float) -> float:
        place = share * (len(ordered) - 1)
        below = int(place)
        above = min(below + 1, len(ordered) - 1)
        return ordered[below] + (place - below) * (ordered[above] - ordered[below])

    return Spread(at(0.25), at(0.5), at(0.75))
