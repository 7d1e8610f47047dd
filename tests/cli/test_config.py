from pathlib import Path

import pytest

from tests.cli.running import SMALL, fails, train
from tinyseq.cli import main
from tinyseq.cli.config import read_config, write_config


def test_a_run_is_told_by_its_configuration():
    assert train("--seed", "3", "--weight-decay=0.5") == 0
    assert main(["train", "--config", "run/config.toml", "--out", "again"]) == 0
    one, two = (
        Path(f, "checkpoints", "step-00000012.safetensors").read_bytes() for f in ("run", "again")
    )
    assert one == two
    assert Path("run/config.toml").read_text() == Path("again/config.toml").read_text()


def test_options_go_before_the_configuration():
    Path("c.toml").write_text(
        'data = "text"\nout = "a"\nmodel = "gru"\nhidden = 8\nsteps = 3\nlr = 1\nbackend = "numpy"'
    )
    assert main(["train", "--config", "c.toml", "--hidden=4", "--epochs=0.5", "--out=b"]) == 0
    found = read_config("b/config.toml")
    assert (found["model"], found["hidden"], found["lr"]) == ("gru", 4, 1.0)
    assert "steps" not in found and found["epochs"] == 0.5
    assert not Path("a").exists()


@pytest.mark.parametrize("data", ['a"b\\c\n\td\x7f', "é\U0001f600", ""])
def test_texts_of_all_kinds_come_back(data):
    write_config("c.toml", {"data": data, "lr": 1e-300, "steps": None, "seed": 2**70})
    assert read_config("c.toml") == {"data": data, "lr": 1e-300, "seed": 2**70}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("hiden = 3", "'hiden' is unknown (did you mean hidden?)"),
        ("weight-decay = 3", "'weight-decay' is unknown (did you mean weight_decay?)"),
        ("xyzzy = 3", "'xyzzy' is unknown\n"),
        ("[model]\nhidden = 3", "model must be a text in quotes, got {'hidden': 3}"),
        ("hidden = 2.5", "hidden must be a whole number, got 2.5"),
        ("hidden = true", "hidden must be a whole number, got True"),
        ("lr = '3'", "lr must be a number, got '3'"),
        ("data = 3", "data must be a text in quotes, got 3"),
        ("model = 'lsmt'", "model must be one of rnn, lstm, gru, transformer, got 'lsmt' "
         "(did you mean lstm?)"),
        ("backend = 'cuda'", "backend must be one of auto, c, numpy, got 'cuda'"),
        ("threads = 0", "threads must be at least 1, got 0"),
        ("lr = -1.0", "lr must be finite and above 0, got -1.0"),
        ("lr = nan", "lr must be finite and above 0, got nan"),
        ("heads = 3", "heads is not for the lstm"),
        ("lr = ", "is not TOML"),
        ("lr = 1\nlr = 2", "is not TOML"),
        ("a = " + "[" * 100000, "is not TOML"),
    ],
)  # fmt: skip
def test_mistakes_are_one_line_with_the_files_name(capsys, line, message):
    Path("c.toml").write_text(line)
    told = fails(capsys, 2, "train", "--config", "c.toml", "--data", "text")
    assert f"c.toml: {message}" in told
    assert not Path("runs").exists()


def test_files_that_cannot_be_read(capsys):
    Path("latin").write_bytes("data = 'é'".encode("latin-1"))
    assert "latin: is not TOML" in fails(capsys, 2, "train", "--config", "latin")
    assert "none: cannot be read: No such file" in fails(capsys, 2, "train", "--config", "none")
    assert ".: cannot be read" in fails(capsys, 2, "train", "--config", ".")


def test_a_mistake_on_the_command_line_is_not_blamed_on_the_file(capsys):
    Path("c.toml").write_text("hidden = 8")
    line = fails(capsys, 2, "train", "--config", "c.toml", "--hidden=0")
    assert "error: --hidden must be" in line and "c.toml" not in line


def test_without_tomli_python_3_10_names_the_extra(capsys, monkeypatch):
    def missing(name):
        raise ImportError

    monkeypatch.setattr("sys.version_info", (3, 10))
    monkeypatch.setattr("importlib.import_module", missing)
    Path("c.toml").write_text("")
    assert "'tinyseq[toml]'" in fails(capsys, 2, "train", "--config", "c.toml", *SMALL)
