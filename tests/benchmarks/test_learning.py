"""python -m benchmarks.learning: both systems do the same, and what differs is told."""

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.learning import chosen, run, verdict

TEXT = "the cat sat on the mat and the dog sat on the log. " * 40
TINY = "--steps=20 --hidden=16 --heads=2 --layers=1 --window=16 --batch=4 --lr=0.01".split()


@pytest.fixture(params=["learned", "rotary"])
def settings(request):
    pytest.importorskip("torch", reason="PyTorch is not installed")

    class Asked:
        model, steps, lr, dropout = "transformer", 20, 0.01, 0.0
        hidden, heads, layers, window, batch = 16, 2, 1, 16, 4
        positions = request.param

    return chosen(Asked, 3)


def test_without_dropout_both_end_at_the_same_weights(settings):
    ours, theirs = (run(system, settings, TEXT) for system in ("c", "torch"))
    assert ours["before"] == theirs["before"] > ours["bits"] + 0.5
    assert ours["bits"] == pytest.approx(theirs["bits"], abs=1e-3)
    assert ours["loss"] == pytest.approx(theirs["loss"], abs=1e-3)


def test_the_command_prints_every_run_and_the_means(tmp_path):
    pytest.importorskip("torch", reason="PyTorch is not installed")
    (tmp_path / "text").write_text(TEXT)
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.learning", *TINY, "--dropout=0", "--seeds=2",
         f"--data={tmp_path / 'text'}"],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
    )  # fmt: skip
    assert not done.stderr
    rows = [line.split() for line in done.stdout.splitlines()]
    assert [row[0] for row in rows[3:]] == ["0", "0", "1", "1", "mean", "mean", "tinyseq"]


def results(*bits):
    return [{"bits": b, "seconds": 2.0} for b in bits]


def test_the_verdict(capsys):
    assert verdict({"c": results(2.0, 2.1, 2.2), "torch": results(2.05, 2.1, 2.1)}) == 0
    assert verdict({"c": results(2.0, 2.01, 2.02), "torch": results(1.8, 1.81, 1.82)}) == 1
    out = capsys.readouterr().out
    assert "+0.0167 bits (noise 0.1202), x1.00" in out and "+0.2000 bits" in out
