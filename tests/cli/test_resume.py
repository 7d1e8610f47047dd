import random
import signal
import subprocess
from pathlib import Path

import pytest

import tinyseq as ts
from tests.cli.running import SMALL, TEXT, TRANSFORMER, end_of, fails, same_arrays, start, train
from tinyseq.cli import main
from tinyseq.saving import load_checkpoint, save_checkpoint

LONGER = ["--steps", "90", "--evaluations", "9", "--dropout", "0.2"]


def same_end(one, two):
    same_arrays(one, two)
    assert end_of(one)[1] == end_of(two)[1]
    for name in ("log.jsonl", "history.csv", "samples.txt"):
        assert Path(one, name).read_text() == Path(two, name).read_text()


@pytest.mark.parametrize(
    ("options", "soft"),
    [(SMALL, signal.SIGTERM), (TRANSFORMER, signal.SIGINT)],
    ids=["lstm", "transformer"],
)
def test_a_run_killed_at_any_moment_comes_to_the_same_bits(options, soft):
    options = ["train", "--data", "text", *options, *LONGER]
    assert main([*options, "--out", "whole"]) == 0
    chance = random.Random(len(options))
    process, kills = start(*options, "--out", "killed"), 0
    for number in (signal.SIGKILL, soft, signal.SIGKILL, None):
        with process:
            process.stderr.readline()  # it is training, unless it was killed behind the last step
            wait = None if number is None else 0.2 * chance.random() if kills else 0.0
            try:
                process.communicate(timeout=wait)
            except subprocess.TimeoutExpired:
                process.send_signal(number)
                _, err = process.communicate(timeout=60)
                kills += 1
                assert process.returncode in (-number, 128 + number), err
        if process.returncode == 0:
            break
        process = start("resume", "killed")
    assert process.returncode == 0 and kills
    same_end("whole", "killed")


def test_a_run_killed_before_its_first_evaluation_goes_on():
    train()
    with start("train", "--data", "text", "--out", "killed", *SMALL) as process:
        while not Path("killed", "checkpoints", "step-00000000.safetensors").exists():
            assert process.poll() is None
        process.kill()
    ts.backend.use("auto")
    assert main(["resume", "killed"]) == 0
    assert ts.backend.info()["backend"] == "numpy"  # as it began
    same_end("run", "killed")


def test_a_finished_run_has_nothing_left_to_do(capsys):
    train()
    first = capsys.readouterr()
    before = end_of("run")[1]
    half_written = Path("run", "checkpoints", "step-00000012.safetensors.123.tmp")
    half_written.write_bytes(b"half")
    assert main(["resume", "run"]) == 0
    assert not half_written.exists()
    assert capsys.readouterr().out == first.out
    assert end_of("run")[1] == before


def test_it_refuses_another_text_and_takes_one_that_was_moved(capsys):
    train()
    Path("text").write_text("x" + TEXT[1:])
    assert "text: is not the text that run began with" in fails(capsys, 1, "resume", "run")
    Path("text").unlink()
    assert "text: no such file" in fails(capsys, 1, "resume", "run")
    Path("moved").write_text(TEXT)
    Path("run", "checkpoints", "step-00000012.safetensors").unlink()
    for more in (["--data", "moved"], []):  # the second time it knows
        assert main(["resume", "run", *more]) == 0


def test_what_cannot_be_gone_on_with_is_one_line(capsys):
    assert "there is no run in runs/" in fails(capsys, 1, "resume")
    assert "text: is not the folder of a run" in fails(capsys, 1, "resume", "text")
    Path("empty/checkpoints").mkdir(parents=True)
    assert "empty: has no checkpoint to go on from" in fails(capsys, 1, "resume", "empty")
    train()
    path = Path("run", "checkpoints", "step-00000012.safetensors")
    arrays, description = load_checkpoint(path)
    told = description["configuration"]
    lstm = told["settings"]
    for settings, data in (
        (None, None), ([], None), ({}, None), ({"model": []}, None), (lstm | {"hidden": "x"}, None),
        (lstm | {"hidden": 2.5}, None), (lstm | {"more": 1}, None), (lstm, 0),
    ):  # fmt: skip
        told["settings"], told["data"] = settings, data
        save_checkpoint(path, arrays, description)
        line = fails(capsys, 1, "resume", "run")
        assert f"{path}: is not a checkpoint of a run" in line
    path.write_bytes(b"damage")
    assert f"{path}: is damaged" in fails(capsys, 1, "resume", "run")


def test_a_checkpoint_that_lies_about_its_training_is_one_line(capsys):
    train()
    path = Path("run", "checkpoints", "step-00000012.safetensors")
    arrays, description = load_checkpoint(path)
    for name, value in (
        ("_Samples.0", {"size": -5}),
        ("JSONLinesLogger.0", {"size": "x"}),
        ("ModelCheckpoint.0", {"best": [3.0]}),
    ):
        callbacks = description["training"]["callbacks"]
        callbacks, before = callbacks | {name: value}, callbacks
        description["training"]["callbacks"] = callbacks
        save_checkpoint(path, arrays, description)
        description["training"]["callbacks"] = before
        assert f"{path}: does not fit this run" in fails(capsys, 1, "resume", "run")
