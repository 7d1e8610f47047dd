import os
import re
import subprocess
import sys

import pytest

import tinyseq as ts
from tests.cli.running import ROOT, SMALL, fails, start, train
from tinyseq.cli import main


def test_info_names_backend_threads_and_every_kernel(capsys):
    assert main(["info", "--backend", "numpy"]) == 0
    out = capsys.readouterr().out
    assert f"tinyseq {ts.__version__}" in out
    assert re.search(r"^backend +numpy$", out, re.M)
    assert re.search(r"^threads +\d+$", out, re.M)
    for name in ts.backend.KERNELS:
        assert re.search(rf"^  {name} +numpy$", out, re.M)


@pytest.mark.parametrize("command", ["info", f"train --data text {' '.join(SMALL[:-2])}"])
def test_without_the_c_extension_it_says_what_builds_it(command):
    code = "import sys; sys.modules['tinyseq._csrc'] = None; import tinyseq.__main__"
    done = subprocess.run(
        [sys.executable, "-c", code, *command.split()],
        env={**os.environ, "PYTHONPATH": ROOT, "TINYSEQ_BACKEND": "auto"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0 and "numpy" in done.stdout.lower()
    assert "build it with: python -m pip install -e ." in done.stdout


@pytest.mark.parametrize(
    "argv", [[], ["train"], ["resume"], ["generate"], ["evaluate"], ["prepare"], ["info"]]
)
def test_help_reads_well(capsys, argv):
    assert main([*argv, "--help"]) == 0
    out = capsys.readouterr().out
    assert "usage: tinyseq" in out and "None" not in out and "(default: )" not in out
    if argv == ["train"]:
        assert "(default: 1; transformer: 4)" in " ".join(out.split())
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"tinyseq {ts.__version__}\n"


def test_a_backend_that_is_not_there(capsys, monkeypatch):
    def use(name):
        raise RuntimeError(f"backend {name!r}: the extension is not there; build it")

    with monkeypatch.context() as patch:
        patch.setattr(ts.backend, "use", use)
        assert "the extension is not there" in fails(capsys, 2, "info", "--backend", "c")


@pytest.mark.parametrize("name", ["TINYSEQ_BACKEND", "TINYSEQ_ISA"])
@pytest.mark.parametrize("command", ["info", "train --steps 1", "generate"])
def test_a_mistake_in_the_environment_is_one_line(name, command):
    if name == "TINYSEQ_ISA":
        pytest.importorskip("tinyseq._csrc", reason="the C extension is not built")
    environment = {**os.environ, "TINYSEQ_BACKEND": "auto", name: "nonsense"}
    done = subprocess.run(
        [sys.executable, "-m", "tinyseq", *command.split()],
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 2 and not done.stdout
    assert re.fullmatch(f"tinyseq: error: {name}: .*nonsense.*\n", done.stderr)


def test_sizes_that_do_not_fit_in_memory(capsys, monkeypatch):
    def train(*args):
        raise MemoryError

    monkeypatch.setattr("tinyseq.language.LanguageTrainer.train", train)
    assert "not enough memory" in fails(capsys, 1, "train", "--data", "text", *SMALL)


def test_a_missing_command_and_an_unknown_one(capsys):
    fails(capsys, 2)
    fails(capsys, 2, "trian")


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (
            ["train", "--hiden", "3"],
            "tinyseq train: error: --hiden is unknown (did you mean --hidden?)",
        ),
        (["train", "--weight_decay=3"], "--weight_decay is unknown (did you mean --weight-decay?)"),
        (["generate", "--lenght", "3"], "--lenght is unknown (did you mean --length?)"),
        (["info", "--xyzzy"], "--xyzzy is unknown\n"),
        (["info", "more"], "more is unknown\n"),
        (["--hidden=3", "info"], "tinyseq: error: --hidden is unknown\n"),
    ],
)
def test_an_unknown_option_is_named_with_the_nearest_known_one(capsys, argv, message):
    assert message in fails(capsys, 2, *argv)


def test_ctrl_c_outside_the_training_loop_is_one_line(capsys, monkeypatch):
    def interrupted(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr("tinyseq.cli.texts.read_text", interrupted)
    assert "interrupted" in fails(capsys, 130, "train", "--data", "text")


def test_a_terminal_without_a_character_gets_a_question_mark():
    train()
    argv = ("generate", "run", "--prompt", "é", "--length", "5", "--backend", "numpy")
    with start(*argv, PYTHONIOENCODING="ascii") as process:
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0 and err == ""
    assert out.startswith("?") and len(out) == 7


def test_a_reader_that_stops_reading_is_no_error(tmp_path):
    train()
    with start("generate", "run", "--length", "100000", "--backend", "numpy") as process:
        process.stdout.read(100)
        process.stdout.close()
        assert process.wait(timeout=60) == 1
        assert process.stderr.read() == ""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
def test_a_full_disk_under_the_output_is_one_line():
    train()
    with open("/dev/full", "w") as full, start("generate", "run", stdout=full) as process:
        _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert err.startswith("tinyseq: error: ") and err.count("\n") == 1
