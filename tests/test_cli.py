import os
import re
import signal
import subprocess
import sys

import pytest

import tinyseq as ts
from tinyseq.cli import main
from tinyseq.models import load_charlm
from tinyseq.saving import load_checkpoint, save_checkpoint

TEXT = "the cat sat on the mat and the dog sat on the log. " * 40
SMALL = (
    "--embed 8 --hidden 16 --batch 4 --window 16 --steps 12 --evaluations 3 --backend numpy"
).split()

TRANSFORMER = (
    "--model transformer --hidden 16 --heads 2 --layers 1 --batch 4 --window 16 --steps 12 "
    "--evaluations 3 --lr 0.01 --backend numpy"
).split()

ROOT = os.path.dirname(os.path.dirname(ts.__file__))


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """Run in an empty folder with a text in it, and put the backend back afterwards."""
    before = ts.backend.info()["backend"]
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text").write_text(TEXT)
    yield
    ts.backend.use(before)


def train(*more, data="text"):
    return main(["train", "--data", data, *SMALL, *more])


def fails(capsys, status, *argv):
    """Run it, expecting a status and exactly one line on stderr; return the line."""
    assert main(list(argv)) == status
    captured = capsys.readouterr()
    assert captured.err.count("\n") == 1 and captured.err.endswith("\n"), captured.err
    assert "error: " in captured.err
    return captured.err


@pytest.mark.parametrize("options", [SMALL, TRANSFORMER], ids=["lstm", "transformer"])
def test_train_prints_the_comparison_a_sample_and_the_checkpoint(capsys, options):
    assert main(["train", "--data", "text", *options, "--out", "c"]) == 0
    out, err = capsys.readouterr()
    bits = load_charlm("c")[2]["held_out_bits"]
    found = re.search(r"model (\S+), yardstick (\S+): (the \w+) is better by (\S+)\n", out)
    assert float(found[1]) == pytest.approx(bits, abs=1e-4)
    model, yardstick = float(found[1]), float(found[2])
    assert found[3] == ("the model" if model < yardstick else "the yardstick")
    assert float(found[4]) == pytest.approx(abs(model - yardstick), abs=2e-4)
    sample = out.split("temperature 0.7:\n\n")[1].split("\n\ncheckpoint: c\n")[0]
    assert len(sample) == 400
    assert [line.split(":")[0] for line in err.splitlines()] == [f"step {k}/12" for k in (4, 8, 12)]


def test_two_runs_with_one_seed_write_the_same_bytes(capsys, tmp_path):
    for name, seed in (("1", "3"), ("2", "3"), ("3", "4")):
        assert train("--out", name, "--seed", seed) == 0
    one, two, three = ((tmp_path / name).read_bytes() for name in "123")
    assert one == two != three


def test_generate_continues_a_prompt(capsys):
    train()
    capsys.readouterr()
    texts = []
    for seed in ("1", "1", "2"):
        assert main(["generate", "--prompt", "the ", "--length", "30", "--seed", seed]) == 0
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1] != texts[2]
    assert texts[0].startswith("the ") and len(texts[0]) == 4 + 30 + 1


@pytest.mark.parametrize("positions", ["learned", "rotary"])
def test_a_transformer_continues_a_prompt_beyond_its_window(capsys, positions):
    assert main(["train", "--data", "text", *TRANSFORMER, "--positions", positions]) == 0
    capsys.readouterr()
    assert main(["generate", "--prompt", "the cat sat on the mat", "--length", "60"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("the cat sat on the mat") and len(text) == 22 + 60 + 1


@pytest.mark.parametrize(
    ("options", "option"), [(SMALL, "--heads=2"), (SMALL, "--positions=rotary"),
                            (TRANSFORMER, "--embed=8")]
)  # fmt: skip
def test_an_option_of_another_kind_of_model(capsys, options, option):
    line = fails(capsys, 1, "train", "--data", "text", *options, option)
    assert f"{option.split('=')[0]} is not for the " in line


def test_heads_that_do_not_divide_the_width(capsys):
    line = fails(capsys, 1, "train", "--data", "text", *TRANSFORMER, "--heads", "3")
    assert "--hidden must be a multiple of heads, 3, got 16" in line


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


@pytest.mark.parametrize("argv", [[], ["train"], ["generate"], ["info"]])
def test_help_reads_well(capsys, argv):
    assert main([*argv, "--help"]) == 0
    out = capsys.readouterr().out
    assert "usage: tinyseq" in out and "None" not in out and "(default: )" not in out
    if argv == ["train"]:
        assert "(default: 1; transformer: 4)" in " ".join(out.split())
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"tinyseq {ts.__version__}\n"


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
    assert not (tmp_path / "tinyseq.safetensors").exists()


def test_characters_never_seen_in_training_are_counted(capsys, tmp_path):
    (tmp_path / "odd").write_text(TEXT + "ÄÖÜ")
    assert train(data="odd") == 0
    assert "3 held-out characters never occur before" in capsys.readouterr().out


def test_a_text_is_not_replaced_by_its_checkpoint(capsys, tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "text")
    for out in ("text", "./text", "link"):
        assert "is the text itself" in fails(
            capsys, 1, "train", "--data", "text", *SMALL, "--out", out
        )
    assert (tmp_path / "text").read_text() == TEXT


@pytest.mark.parametrize(
    ("option", "status"),
    [
        ("--model=cnn", 2), ("--positions=none", 2),
        ("--backend=cuda", 2), ("--steps=x", 2), ("--threads=0", 2),
        ("--threads=-3", 2), ("--threads=1.5", 2), ("--lr=inf", 1), ("--nonsense", 2),
        ("--steps=0", 1), ("--epochs=-1", 1),
        ("--hidden=-4", 1), ("--hidden=0", 1), ("--batch=0", 1), ("--window=-1", 1),
        ("--lr=0", 1), ("--lr=nan", 1), ("--seed=-1", 1), ("--held-out=1.5", 1),
        ("--weight-decay=-1", 1), ("--dropout=1", 1),
    ],
)  # fmt: skip
def test_nonsense_options(capsys, option, status):
    message = fails(capsys, status, "train", "--data", "text", *SMALL, option)
    assert option.split("=")[0] in message and "_" not in message


def test_a_backend_that_is_not_there(capsys, monkeypatch):
    def use(name):
        raise RuntimeError(f"backend {name!r}: the extension is not there; build it")

    with monkeypatch.context() as patch:
        patch.setattr(ts.backend, "use", use)
        assert "the extension is not there" in fails(capsys, 1, "info", "--backend", "c")


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
    assert done.returncode == 1 and not done.stdout
    assert re.fullmatch(f"tinyseq: error: {name}: .*nonsense.*\n", done.stderr)


def test_sizes_that_do_not_fit_in_memory(capsys, monkeypatch):
    def train(*args):
        raise MemoryError

    monkeypatch.setattr("tinyseq.cli.train", train)
    assert "not enough memory" in fails(capsys, 1, "train", "--data", "text", *SMALL)


def test_a_missing_command_and_an_unknown_one(capsys):
    fails(capsys, 2)
    fails(capsys, 2, "trian")


@pytest.mark.parametrize("option", ["--length=-1", "--temperature=-1", "--temperature=nan"])
def test_nonsense_numbers_to_generate(capsys, option):
    train()
    capsys.readouterr()
    assert option.split("=")[0] in fails(capsys, 1, "generate", option)


def test_an_unwritable_output_is_found_before_training(capsys, monkeypatch):
    monkeypatch.setattr("tinyseq.cli.train", lambda *args: pytest.fail("training began"))
    for out in (".", "none/c", "text/c"):
        message = fails(capsys, 1, "train", "--data", "text", *SMALL, "--out", out)
        assert "cannot write the checkpoint" in message


def test_bad_checkpoints(capsys, tmp_path):
    train()
    capsys.readouterr()
    raw = (tmp_path / "tinyseq.safetensors").read_bytes()
    for name, content in (("cut", raw[:-100]), ("header", raw[:50]), ("foreign", b"hello there")):
        (tmp_path / name).write_bytes(content)
        assert f"{name}: is damaged or not" in fails(capsys, 1, "generate", "--checkpoint", name)
    swapped = raw.replace(b'\\"hidden\\": 16', b'\\"hidden\\": 17')
    assert swapped != raw
    (tmp_path / "shapes").write_bytes(swapped)
    assert "shapes: is damaged" in fails(capsys, 1, "generate", "--checkpoint", "shapes")
    assert "no such checkpoint" in fails(capsys, 1, "generate", "--checkpoint", "none")
    assert "cannot be read" in fails(capsys, 1, "generate", "--checkpoint", ".")


def test_weights_too_large_to_compute_with_are_one_line(capsys, tmp_path):
    train()
    capsys.readouterr()
    arrays, description = load_checkpoint("tinyseq.safetensors")
    arrays["output.bias"][:] = 3e38
    arrays["output.weight"][:] = 3e38
    save_checkpoint("large", arrays, description)
    for backend in ("auto", "numpy"):
        line = fails(capsys, 1, "generate", "--checkpoint", "large", "--backend", backend)
        assert "predictions are not numbers" in line


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
    assert load_charlm("tinyseq.safetensors")[2]["step"] == 4


def start(*argv, stdout=subprocess.PIPE, **environment):
    return subprocess.Popen(
        [sys.executable, "-m", "tinyseq", *argv],
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": ROOT, **environment},
    )


@pytest.mark.parametrize(
    "signals",
    [[signal.SIGINT], [signal.SIGTERM], [signal.SIGINT] * 2, [signal.SIGINT] * 40],
    ids=["ctrl-c", "terminated", "twice", "held down"],
)
def test_ctrl_c_writes_the_checkpoint_and_exits_with_its_status(tmp_path, signals):
    process = start(
        "train", "--data", "text", *SMALL, "--steps", "1000000", "--evaluations", "9999"
    )
    with process:
        assert process.stderr.readline().startswith("step ")  # so it is training
        for number in signals:
            process.send_signal(number)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 128 + signals[0]
    step = load_charlm("tinyseq.safetensors")[2]["step"]
    if len(signals) == 1:
        assert "Traceback" not in err
        message = (
            f"tinyseq: interrupted after step {step}; checkpoint written to tinyseq.safetensors"
        )
        assert err.splitlines()[-1] == message
    assert sorted(os.listdir(tmp_path)) == ["text", "tinyseq.safetensors"]


def test_ctrl_c_outside_the_training_loop_is_one_line(capsys, monkeypatch):
    def interrupted(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr("tinyseq.cli.read_text", interrupted)
    assert "interrupted" in fails(capsys, 130, "train", "--data", "text")


def test_a_terminal_without_a_character_gets_a_question_mark():
    train()
    argv = ("generate", "--prompt", "é", "--length", "5", "--backend", "numpy")
    with start(*argv, PYTHONIOENCODING="ascii") as process:
        out, err = process.communicate(timeout=60)
    assert process.returncode == 0 and err == ""
    assert out.startswith("?") and len(out) == 7


def test_a_reader_that_stops_reading_is_no_error(tmp_path):
    train()
    with start("generate", "--length", "100000", "--backend", "numpy") as process:
        process.stdout.read(100)
        process.stdout.close()
        assert process.wait(timeout=60) == 1
        assert process.stderr.read() == ""


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="this system has no /dev/full")
def test_a_full_disk_under_the_output_is_one_line():
    train()
    with open("/dev/full", "w") as full, start("generate", stdout=full) as process:
        _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert err.startswith("tinyseq: error: ") and err.count("\n") == 1
