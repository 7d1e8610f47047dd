"""Pictures: what a run has is drawn, each system in its colour."""

import pytest

from benchmarks.records import Record, Row, Spread
from benchmarks.sections import TITLES

pytest.importorskip("matplotlib", reason="matplotlib is not installed")
from benchmarks import charts, plot
from benchmarks.names import NAMES

PEERS = {"numpy": Spread(3.0, 4.0, 5.0), "torch": Spread(0.8, 0.9, 2.0)}


def timed(section, name, **more):
    return Row(section, name, best={"c": 1e-3, "numpy": 4e-3, "torch": 2e-3}, ratios=PEERS, **more)


@pytest.fixture
def record():
    size = {"T": 8.0, "B": 2.0, "D": 4.0, "H": 4.0}
    rows = [
        timed("matmul", "matmul 3x3x3"),
        Row("matmul", "matmul bad", wrong="c differs"),
        *(timed("recurrent", f"{c} train T=8", flops=1e8, size=size) for c in ("lstm", "gru")),
        timed("footprint", "import"),
    ]
    for T in (8.0, 16.0, 32.0):
        rows.append(timed("growth", f"a {T}", curve="Training along T", size={"T": T}))
        rows.append(timed("growth", f"b {T}", curve="Tokens along T", size={"T": T}))
        used = {"c": 1000.0 * T, "plain": 4000.0 * T}
        rows.append(Row("growth", f"c {T}", 1, "B", used, curve="Memory", size={"T": T}))
        bits = {"c": 2 + 1 / T, "torch": 2 + 2 / T}
        rows.append(
            Row("learning", f"d {T}", 1, "bit", bits, curve="Learning", size={"seconds": T})
        )
    return Record("python -m benchmarks", {"peak": {"1": 200.0}}, rows)


def test_every_picture_is_drawn_twice(record, tmp_path):
    pictures = plot.draw(record, tmp_path / "new")
    assert [picture.title for picture in pictures] == [
        "Summary", "Recurrent training", TITLES["matmul"], TITLES["recurrent"],
        TITLES["footprint"], "Training along T", "Tokens along T", "Memory", "Learning",
    ]  # fmt: skip
    assert len({picture.path for picture in pictures}) == len(pictures)
    for picture in pictures:
        assert picture.path.read_bytes().startswith(b"\x89PNG")
        assert "</svg>" in picture.path.with_suffix(".svg").read_text()


def test_an_empty_record_has_no_pictures(tmp_path):
    assert plot.draw(Record("", {"peak": {}}, []), tmp_path) == []


def test_every_system_has_a_colour_and_ours_is_nobody_elses():
    assert charts.COLORS.keys() == NAMES.keys()
    assert [name for name, color in charts.COLORS.items() if color == charts.OURS] == ["c"]


def test_the_power_is_in_the_legend(record):
    (curve, *_) = [one for one in plot.curves(record.rows) if one.title == "Memory"]
    figure = plot.curve_chart(curve)
    told = [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    assert told == ["a checkpoint every √T steps: power 1.00", "every step kept: power 1.00"]
