"""python -m benchmarks.recurrent: it runs, and what is wrong is told."""

import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from benchmarks import recurrent_sections as sections
from benchmarks.cases import Case
from benchmarks.recurrent_bench import RecurrentBench
from benchmarks.recurrent_targets import peak_target

pytest.importorskip("tinyseq.backend.c_kernels", reason="the C extension is not built")


def command(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "benchmarks.recurrent", "--quick", *arguments],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    "only, row",
    [
        (["peers", "gru train"], "gru train T=6 B=4 D=24 H=32 "),
        (["growth"], "10000 LSTM steps "),
        (["variants", "rnn train", "zoneout"], "rnn train T=6 B=4 D=24 H=32 zoneout "),
        (["half", "lstm train"], "lstm train T=6 B=4 D=24 H=32 half "),
        (["numpy", "rnn forward"], "rnn forward T=6 B=4 D=24 H=32 "),
    ],
)
def test_a_section_prints_its_row(only, row):
    done = command("--rounds", "1", "--peers", "--only", *only)
    assert done.returncode == 0 and not done.stderr, done.stderr
    assert sum(line.startswith(row) for line in done.stdout.splitlines()) == 1


def test_no_such_row_is_a_clear_error():
    done = command("--peers", "--only", "nonsense")
    assert done.returncode == 2 and "contains all of ['nonsense']" in done.stderr


class Wrong:
    def results(self, case):
        return [np.zeros(3, np.float32)]

    def seconds(self, duration):
        raise AssertionError("a wrong result is not timed")


def test_a_wrong_result_is_told_and_not_timed(capsys):
    with ExitStack() as stack:
        only = ["variants", "gru train", "zoneout"]
        bench = RecurrentBench(stack, quick=True, threads=1, rounds=1, only=only, peers=[])
        bench._workers["c", 1, "other"] = Wrong()
        sections.variants(bench)
    assert bench.wrong and "WRONG: other differs from numpy" in capsys.readouterr().out
    assert not bench.targets["zoneout"].measured


def test_the_share_of_the_peak_that_is_wanted():
    assert peak_target(Case("gru forward", (64, 32, 256, 256))) == "peak forward"
    assert peak_target(Case("gru train", (64, 32, 256, 256))) == "peak train"
    assert peak_target(Case("lstm train", (1000, 8, 64, 128))) == "peak small"
    assert peak_target(Case("lstm forward", (1000, 8, 64, 128))) is None
    assert peak_target(Case("lstm train", (100, 1, 256, 256))) is None
