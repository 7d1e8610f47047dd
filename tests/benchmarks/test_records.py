"""The record of a run: read as it was written, and two runs compared."""

import json

import pytest

from benchmarks.against import slower
from benchmarks.records import Record, Row, Spread, quartiles, read


def row(low, middle, high, name="matmul", **more):
    return Row("matmul", name, ratios={"numpy": Spread(low, middle, high)}, **more)


def test_a_record_is_read_as_it_was_written(tmp_path):
    rows = [row(1.0, 2.0, 3.0, best={"c": 1e-6}, notes=["so"]), Row("a", "b", wrong="by 3")]
    record = Record("python -m benchmarks", {"peak": {"1": 2.5}}, rows, 12.0)
    record.write(tmp_path / "run.json")
    assert read(tmp_path / "run.json") == record


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"format": 2}', '{"format": 1, "rows": [{"nonsense": 1}]}', "\x00"]
)
def test_another_file_is_refused(tmp_path, text):
    (tmp_path / "run.json").write_text(text)
    with pytest.raises(ValueError, match=r"run\.json: not a benchmark's record"):
        read(tmp_path / "run.json")


def test_a_record_of_another_format_is_refused(tmp_path):
    Record("", {}, []).write(tmp_path / "run.json")
    told = json.loads((tmp_path / "run.json").read_text())
    (tmp_path / "run.json").write_text(json.dumps({**told, "format": 0}))
    with pytest.raises(ValueError, match="of another format"):
        read(tmp_path / "run.json")


def test_quartiles():
    assert quartiles([3.0, 1.0, 2.0, 5.0, 4.0]) == (2.0, 3.0, 4.0)
    assert quartiles([1.0, 2.0]) == (1.25, 1.5, 1.75)
    assert quartiles([7.0]) == (7.0, 7.0, 7.0)


def test_what_lost_its_lead_is_named():
    before = [row(3.9, 4.0, 4.1), row(3.9, 4.0, 4.1, "same"), row(3.9, 4.0, 4.1, "gone")]
    now = [row(1.9, 2.0, 2.1), row(3.8, 4.0, 4.1, "same"), row(0.1, 0.2, 0.3, "new")]
    ((lost, left),) = slower(now, before)
    assert lost is now[0] and left == 0.5


@pytest.mark.parametrize("now", [(3.75, 3.8, 3.85), (1.0, 2.0, 4.0), (5.0, 6.0, 7.0)])
def test_a_small_or_an_uncertain_difference_is_none(now):
    assert not list(slower([row(*now)], [row(3.9, 4.0, 4.1)]))


def test_another_number_of_threads_is_another_row():
    assert not list(slower([row(1.0, 1.0, 1.0, threads=2)], [row(4.0, 4.0, 4.0)]))
