"""The command: every section prints its row, a slow kernel is seen, a wrong one is refused."""

import pytest

import tinyseq as ts
from benchmarks.command import main
from benchmarks.records import Spread, read
from benchmarks.run import Run
from benchmarks.sections import TITLES
from benchmarks.sections.attention import attention
from benchmarks.sections.matmul import matmul
from benchmarks.sections.recurrent import recurrent
from benchmarks.targets import judged

pytest.importorskip("tinyseq.backend.c_kernels", reason="the C extension is not built")


@pytest.fixture(autouse=True)
def as_it_was():
    backend, threads = ts.backend.info()["backend"], ts.get_num_threads()
    yield
    ts.backend.use(backend)
    ts.set_num_threads(threads)


ONE = ["-k", "matmul 64x64x64", "--quick", "--rounds", "2"]


@pytest.mark.parametrize(
    "only, row",
    [
        (["recurrent:", "gru train"], "gru train T=32 B=16 D=64 H=64 "),
        (["variants", "rnn train", "zoneout"], "rnn train T=32 B=16 D=64 H=64 zoneout "),
        (["variants", "lstm train", "checkpoint"], "lstm train T=64 B=32 D=256 H=256 checkpoint"),
        (["attention:", "train", "mask"], "attention train B=8 N=4 T=64 d=32 bool mask "),
        (["skip", "train", "lengths"], "attention train B=8 N=4 T=64 d=32 lengths "),
        (["layers", "rms_norm train"], "rms_norm train R=4096 E=384 "),
        (["layers", "adam"], "adam step P=10 S=20000 "),
        (["loop"], "training loop D=16 H=64 T=32 B=8 "),
        (["models", "lstm"], "lstm model step D=64 H=256 T=64 B=16 "),
        (["streaming", "token"], "gpt token L=4 N=4 E=128 T=64 B=1 "),
        (["streaming", "memory"], "memory after 10000 steps of an lstm "),
        (["overhead", "tanh"], "an op of: tanh "),
        (["footprint", "wheel"], "wheel "),
    ],
)
def test_a_section_prints_its_row(only, row, capsys):
    assert main(["--quick", "--targets", "--rounds", "1", "-k", *only]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert sum(line.startswith(row) for line in lines) == 1


def test_no_such_row_is_a_clear_error(capsys):
    assert main(["--quick", "-k", "nonsense"]) == 2
    assert "no row's name contains all of ['nonsense']" in capsys.readouterr().err


def test_no_such_record_is_a_clear_error(capsys, tmp_path):
    assert main(["--against", str(tmp_path / "none.json")]) == 2
    assert "none.json" in capsys.readouterr().err


# Python runs a file of this name as it starts: so the kernel of the process that is timed changes.
PATCH = """
import time
from tinyseq import backend
kernel = backend._by_c["matmul"]
def matmul(*arguments, **options):
    {before}
    return kernel(*arguments, **options) {after}
backend._by_c["matmul"] = matmul
"""


@pytest.fixture
def patched(monkeypatch, tmp_path):
    def patch(**lines):
        (tmp_path / "sitecustomize.py").write_text(PATCH.format(**lines))
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))

    return patch


def test_a_slowed_kernel_is_seen(patched, capsys, tmp_path):
    before, after = tmp_path / "before.json", tmp_path / "after.json"
    assert main([*ONE, "--json", str(before)]) == 0
    patched(before="time.sleep(0.02)", after="")
    assert main([*ONE, "--json", str(after), "--against", str(before)]) == 1
    assert "slower: matmul: matmul 64x64x64 nn" in capsys.readouterr().out
    (was,), (now,) = read(before).rows, read(after).rows
    assert now.ratios["numpy"].high < was.ratios["numpy"].low and now.best["c"] > 0.02


def test_nothing_slower_is_said_to_be_so(capsys, tmp_path):
    earlier = tmp_path / "run.json"
    assert main([*ONE, "--json", str(earlier)]) == 0
    assert main(["--from", str(earlier), "--against", str(earlier)]) == 0
    assert "nothing became slower" in capsys.readouterr().out


def test_a_process_that_dies_is_told_and_started_anew(patched, capsys, tmp_path):
    patched(before="len(arguments[0]) == 128 and __import__('os')._exit(3)", after="")
    asked = ["-k", "matmul", "nn", "--quick", "--rounds", "2", "--json", str(tmp_path / "run.json")]
    assert main(asked) == 1
    first, second, third = read(tmp_path / "run.json").rows
    assert "c: its process ended" in second.wrong
    assert first.best and third.best


def test_what_was_measured_before_an_interruption_stands(monkeypatch, capsys, tmp_path):
    def interrupted(run):
        yield from matmul(run)
        raise KeyboardInterrupt

    monkeypatch.setattr("benchmarks.command.SECTIONS", (interrupted,))
    assert main([*ONE, "--json", str(tmp_path / "run.json")]) == 0
    assert len(read(tmp_path / "run.json").rows) == 1
    assert "interrupted: the rest is not measured" in capsys.readouterr().out


def test_a_wrong_kernel_is_refused(patched, capsys, tmp_path):
    patched(before="", after="+ 1")
    assert main([*ONE, "--json", str(tmp_path / "run.json")]) == 1
    assert "WRONG: c differs from numpy" in capsys.readouterr().out
    (row,) = read(tmp_path / "run.json").rows
    assert row.wrong and not row.best and not row.ratios


def figures_of(section, monkeypatch, **asked):
    """What a section takes down for the targets, had everything taken the same time."""

    def timed(self, section, case, **how):
        row = self.blank(section, case)
        row.best = {"c": 1.0}
        row.ratios = {name: Spread(1, 1, 1) for name in ("numpy", "torch", "jax")}
        return row

    monkeypatch.setattr(Run, "side_by_side", timed)
    return list(section(Run(None, {"peak": {"1": 1.0}}, deep=True, **asked)))


@pytest.mark.parametrize("section", [recurrent, attention])
def test_every_figure_has_its_target(section, monkeypatch):
    known = {key for targets in judged([]).values() for key in targets}
    for row in figures_of(section, monkeypatch):
        assert row.targets and row.targets.keys() <= known


def test_the_share_of_the_peak_that_is_wanted(monkeypatch):
    found = {row.name: row.targets.keys() for row in figures_of(recurrent, monkeypatch)}
    assert "peak forward" in found["gru forward T=64 B=32 D=256 H=256"]
    assert "peak train" in found["gru train T=64 B=32 D=256 H=256"]
    assert "peak small" in found["lstm train T=1000 B=8 D=64 H=128"]
    for name in ("lstm forward T=1000 B=8 D=64 H=128", "lstm train T=20 B=4 D=1024 H=1024"):
        assert not any(key.startswith("peak") for key in found[name])


def test_attention_is_judged_by_its_length_and_options(monkeypatch):
    for row in figures_of(attention, monkeypatch):
        reach = "T <= 512" if row.size["T"] <= 512 else "T > 512"
        other = "" if row.name.endswith("causal") else " other"
        assert f"attention {row.name.split()[1]} {reach}{other}" in row.targets


def test_every_row_belongs_to_a_section_with_a_title():
    assert all(TITLES.values()) and {"matmul", "recurrent threads", "footprint"} <= TITLES.keys()
