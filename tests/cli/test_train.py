import csv
import importlib.util
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import tinyseq as ts
from tests.cli.running import (
    ROOT,
    SMALL,
    TEXT,
    TRANSFORMER,
    checkpoints,
    fails,
    last_step,
    same_arrays,
    start,
    train,
)
from tinyseq.cli import main
from tinyseq.saving import CheckpointError, load_checkpoint


@pytest.mark.parametrize("options", [SMALL, TRANSFORMER], ids=["lstm", "transformer"])
def test_train_prints_the_comparison_a_sample_and_the_checkpoint(capsys, options):
    assert main(["train", "--data", "text", *options, "--out", "run"]) == 0
    out, err = capsys.readouterr()
    path = "run/checkpoints/step-00000012.safetensors"
    bits = load_checkpoint(path)[1]["training"]["history"][-1]["val_bits"]
    found = re.search(r"model (\S+), yardstick (\S+): (the \w+) is better by (\S+)\n", out)
    assert float(found[1]) == pytest.approx(bits, abs=1e-4)
    model, yardstick = float(found[1]), float(found[2])
    assert found[3] == ("the model" if model < yardstick else "the yardstick")
    assert float(found[4]) == pytest.approx(abs(model - yardstick), abs=2e-4)
    sample = out.split("temperature 0.7:\n\n")[1].split("\n\nrun: run\n")[0]
    assert len(sample) == 40
    assert [line.split(":")[0] for line in err.splitlines()] == [f"step {k}/12" for k in (4, 8, 12)]


def test_a_run_keeps_its_log_history_and_samples():
    assert train() == 0
    rows = [json.loads(line) for line in Path("run/log.jsonl").read_text().splitlines()]
    with open("run/history.csv", newline="") as file:
        table = list(csv.DictReader(file))
    assert [row["step"] for row in rows] == [4, 8, 12] == [int(row["step"]) for row in table]
    assert [row["val_bits"] for row in rows] == [float(row["val_bits"]) for row in table]
    samples = Path("run/samples.txt").read_text().split("--- step ")[1:]
    assert [sample.split(",")[0] for sample in samples] == ["4", "8", "12"]
    assert all(len(sample) > 200 for sample in samples)
    assert checkpoints() == [
        "best.safetensors", "step-00000008.safetensors", "step-00000012.safetensors"
    ]  # fmt: skip
    drawn = importlib.util.find_spec("matplotlib") is not None
    assert Path("run/history.png").exists() == drawn


def test_two_runs_with_one_seed_write_the_same_bytes(capsys, tmp_path):
    for name, seed in (("1", "3"), ("2", "3"), ("3", "4")):
        assert train("--seed", seed, out=name) == 0
    one, two, three = (
        (tmp_path / name / "checkpoints" / "step-00000012.safetensors").read_bytes()
        for name in "123"
    )
    assert one == two != three


@pytest.mark.parametrize(
    ("options", "option"), [(SMALL, "--heads=2"), (SMALL, "--positions=rotary"),
                            (TRANSFORMER, "--embed=8")]
)  # fmt: skip
def test_an_option_of_another_kind_of_model(capsys, options, option):
    line = fails(capsys, 2, "train", "--data", "text", *options, option)
    assert f"{option.split('=')[0]} is not for the " in line


def test_heads_that_do_not_divide_the_width(capsys):
    line = fails(capsys, 2, "train", "--data", "text", *TRANSFORMER, "--heads", "3")
    assert "--hidden must be a multiple of heads, 3, got 16" in line


def test_bad_texts(capsys, tmp_path):
    (tmp_path / "empty").write_bytes(b"")
    (tmp_path / "one").write_text("x")
    (tmp_path / "short").write_text("x" * 17)
    (tmp_path / "nul").write_bytes(b"\x7fELF\0\0")
    (tmp_path / "latin").write_bytes("café".encode("latin-1"))
    for name, message in (
        ("none", "none: no such file"),
        (".", ".: is a directory"),
        ("empty", "empty: is empty"),
        ("one", "1 character"),
        ("short", "too short for one window of 16"),
        ("nul", "nul: is not a text file"),
        ("latin", "latin: is not UTF-8"),
    ):
        assert message in fails(capsys, 1, "train", "--data", name, *SMALL)
    assert not (tmp_path / "runs").exists()


def test_characters_never_seen_in_training_are_counted(capsys, tmp_path):
    (tmp_path / "odd").write_text(TEXT + "ÄÖÜ")
    assert train(data="odd") == 0
    assert "3 held-out characters never occur before" in capsys.readouterr().out


@pytest.mark.parametrize(
    "option",
    [
        "--model=cnn", "--positions=none",
        "--backend=cuda", "--steps=x", "--threads=0",
        "--threads=-3", "--threads=1.5", "--lr=inf", "--nonsense",
        "--steps=0", "--epochs=-1",
        "--hidden=-4", "--hidden=0", "--batch=0", "--window=-1",
        "--lr=0", "--lr=nan", "--seed=-1", "--held-out=1.5",
        "--weight-decay=-1", "--dropout=1",
    ],
)  # fmt: skip
def test_nonsense_options(capsys, option):
    message = fails(capsys, 2, "train", "--data", "text", *SMALL, option)
    assert option.split("=")[0] in message and "_" not in message


def test_a_folder_that_cannot_be_made_or_is_taken_is_found_before_training(
    capsys, monkeypatch, tmp_path
):
    train(out="old")
    monkeypatch.setattr(
        "tinyseq.language.LanguageTrainer.train", lambda *args: pytest.fail("training began")
    )
    for status, out, message in (
        (1, "text/c", "text/c: cannot be made: File exists"),
        (2, "text", "text is a file"),
        (2, ".", ". is not empty"),
        (2, "old", "old holds a run already ('tinyseq resume old' goes on with it)"),
    ):
        assert message in fails(capsys, status, "train", "--data", "text", *SMALL, "--out", out)


@pytest.mark.parametrize("error", [MemoryError, KeyboardInterrupt, CheckpointError])
def test_a_run_that_cannot_begin_leaves_nothing(capsys, monkeypatch, error):
    def fail(*args):
        raise error("no")

    monkeypatch.setattr("tinyseq.language.LanguageTrainer.save", fail)
    Path("empty").mkdir()
    for out in ("new", "empty"):
        assert train(out=out) in (1, 130)
    assert sorted(os.listdir()) == ["empty", "text"] and not os.listdir("empty")


def test_a_full_disk_leaves_the_last_checkpoint_to_go_on_from(monkeypatch):
    options = ("train", "--data", "text", *SMALL, "--hidden", "64", "--out")
    assert main([*options, "whole"]) == 0
    size = max(path.stat().st_size for path in Path("whole/checkpoints").iterdir())
    code = (
        "import resource, sys; from tinyseq.cli import main; from tinyseq.language import "
        "LanguageTrainer as T; real = T.save\n"
        "def save(self, path):\n"
        f"    limit = {size} - 1000 if self.step == 8 else {10 * size}\n"
        "    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))\n"
        "    real(self, path)\n"
        "T.save = save; sys.exit(main())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *options, "run"],
        env={**os.environ, "PYTHONPATH": ROOT},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert "cannot write the checkpoint: File too large" in done.stderr.splitlines()[-1]
    assert last_step() == 4 and not list(Path("run/checkpoints").glob("*.tmp"))
    assert main(["resume", "run"]) == 0
    same_arrays("run", "whole")


def test_runs_have_folders_of_their_own_and_the_newest_is_gone_on_with(capsys, monkeypatch):
    monkeypatch.setattr("time.strftime", lambda form: "now")
    for data in ("abc", "xyz"):
        Path("text").write_text(data * 200)
        assert main(["train", "--data", "text", *SMALL, "--steps=60", "--lr=0.05"]) == 0
    assert sorted(os.listdir("runs")) == ["now", "now_2"]
    capsys.readouterr()
    assert main(["generate", "--prompt", "zx", "--length", "30"]) == 0
    assert set(capsys.readouterr().out.strip()) == set("xyz")
    assert main(["generate", "runs/now", "--prompt", "ca", "--length", "30"]) == 0
    assert set(capsys.readouterr().out.strip()) == set("abc")


def test_text_from_a_pipe_is_kept_in_the_run():
    with start("train", "--data", "-", "--out", "run", *SMALL, stdin=subprocess.PIPE) as process:
        _, err = process.communicate(TEXT, timeout=60)
    assert process.returncode == 0, err
    assert train(out="other") == 0
    assert Path("run/text.txt").read_text() == TEXT
    same_arrays("run", "other")


def test_nan_is_one_line_and_the_last_good_checkpoint_stands(capsys, monkeypatch):
    real, calls = ts.optim.AdamW.step, []

    def poisoned(self):
        real(self)
        calls.append(1)
        if len(calls) == 6:
            self.parameters[0].data[...] = float("nan")

    monkeypatch.setattr(ts.optim.AdamW, "step", poisoned)
    assert train() == 1
    last = capsys.readouterr().err.splitlines()[-1]
    assert last.startswith("tinyseq: error: training stopped at step 7: loss nan")
    assert last.endswith("; run/checkpoints/step-00000004.safetensors holds the last good step")
    assert last_step() == 4


@pytest.mark.parametrize(
    "signals",
    [[signal.SIGINT], [signal.SIGTERM], [signal.SIGINT] * 2, [signal.SIGINT] * 40],
    ids=["ctrl-c", "terminated", "twice", "held down"],
)
def test_ctrl_c_writes_the_checkpoint_and_exits_with_its_status(tmp_path, signals):
    process = start(
        *("train", "--data", "text", "--out", "run"),
        *(*SMALL, "--steps", "1000000", "--evaluations", "9999"),
    )
    with process:
        assert process.stderr.readline().startswith("step ")  # so it is training
        for number in signals:
            process.send_signal(number)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 128 + signals[0]
    step = last_step()
    if len(signals) == 1:
        assert "Traceback" not in err
        path = f"run/checkpoints/step-{step:08d}.safetensors"
        assert err.splitlines()[-1] == (
            f"tinyseq: interrupted after step {step}; checkpoint written to {path}; "
            "'tinyseq resume run' goes on"
        )
    assert not [name for name in checkpoints() if not name.endswith(".safetensors")]
