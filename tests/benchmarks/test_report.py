"""The page: every figure has its place, and what is lost is said."""

from pathlib import Path

from benchmarks.records import Picture, Record, Row, Spread
from benchmarks.report import page

MACHINE = {
    "processor": "a processor", "cores": 2, "isa": "avx2", "system": "Linux", "date": "2000-01-01",
    "versions": ["Python 3"], "notes": ["tinygrad is not installed"], "peak": {"1": 100.0},
    "bandwidth": {"1": [[1 << 16, 200.0], [1 << 28, 20.0]]},
}  # fmt: skip


def timed(name, torch, **more):
    ratios = {"numpy": Spread(2.0, 3.0, 4.0), "torch": Spread(torch, torch, torch)}
    return Row(
        "matmul", name, best={"c": 1e-6, "numpy": 3e-6, "torch": 1e-6}, median={"c": 2e-6},
        ratios=ratios, memory={"c": 2048}, begin={"c": 0.1, "torch": 7.2}, **more,
    )  # fmt: skip


def told(*rows, pictures=()):
    record = Record("python -m benchmarks", MACHINE, list(rows), 60.0)
    return page(record, Path("docs/benchmarks.md"), pictures)


def test_a_row_has_its_figures():
    text = told(timed("won", 1.5, flops=5e4), timed("lost", 0.5, bytes=1e4))
    won = "| won | 1.00 µs | 2.00 µs | 50.0 GFLOP/s (50%) | 2.00 kB | 3.00x [2.00 4.00] | 1.50x"
    assert won in text
    assert "| 10.0 GB/s (5%) |" in text and "| **0.50x [0.50 0.50]** |" in text
    assert "a triad 20 GB/s from memory, 200 from a cache" in text
    assert "| left out | tinygrad is not installed |" in text


def test_what_is_lost_is_listed_and_means_are_taken():
    text = told(timed("won", 2.0), timed("lost", 0.5))
    assert "| matmul: lost | PyTorch | 0.50x [0.50 0.50] |" in text
    assert "| Matrix products | 3.00x, ahead in 2 of 2 | 1.00x, ahead in 1 of 2 |" in text
    assert "PyTorch 14 s" in text


def test_a_wrong_result_is_shown():
    assert "| bad | **wrong**: c differs |" in told(
        timed("won", 2.0), Row("matmul", "bad", wrong="c differs")
    )


def test_a_target_that_is_missed_is_shown():
    rows = [timed("fast", 2.0, targets={"step": 20.0}), timed("slow", 2.0, targets={"step": 60.0})]
    assert "| <= 50.0 µs | 60.0 µs | **not met**, 1 of 2 | slow: 60.0 µs |" in told(*rows)


def test_a_picture_stands_in_its_section():
    one = Picture("matmul", "Products", Path("docs/pictures/matmul.png"))
    before, after = told(timed("won", 2.0), pictures=[one]).split(
        "![Products](pictures/matmul.png)"
    )
    assert before.endswith("## Matrix products\n\n") and "| won |" in after


def test_where_there_is_no_ratio_the_figures_stand():
    row = Row("learning", "bits after 4 s", 1, "bit", {"c": 2.5, "torch": 2.75}, {"c": 2.5})
    assert "| bits after 4 s | 2.50 bit | 2.50 bit | 2.75 bit |" in told(row)
