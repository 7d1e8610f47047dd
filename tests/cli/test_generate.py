import re
import subprocess
from pathlib import Path

import pytest

from tests.cli.running import TRANSFORMER, fails, start, train
from tinyseq.cli import main
from tinyseq.saving import load_checkpoint, save_checkpoint


def test_generate_continues_a_prompt(capsys):
    train()
    capsys.readouterr()
    texts = []
    for seed in ("1", "1", "2"):
        assert main(["generate", "run", "--prompt", "the ", "--length", "30", "--seed", seed]) == 0
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1] != texts[2]
    assert texts[0].startswith("the ") and len(texts[0]) == 4 + 30 + 1


@pytest.mark.parametrize("positions", ["learned", "rotary"])
def test_a_transformer_continues_a_prompt_beyond_its_window(capsys, positions):
    assert (
        main(["train", "--data", "text", *TRANSFORMER, "--out=run", "--positions", positions]) == 0
    )
    capsys.readouterr()
    assert main(["generate", "run", "--prompt", "the cat sat on the mat", "--length", "60"]) == 0
    text = capsys.readouterr().out
    assert text.startswith("the cat sat on the mat") and len(text) == 22 + 60 + 1


def text(capsys, *options):
    """What `generate` prints, of a run that has learned something."""
    if not Path("run").exists():
        assert train("--steps=60", "--lr=0.03", "--evaluations=1") == 0
    capsys.readouterr()
    assert main(["generate", "run", "--prompt", "the ", "--length", "40", *options]) == 0
    return capsys.readouterr().out.removesuffix("\n")


def test_a_stop_mark_ends_the_text_and_is_not_printed(capsys):
    whole = text(capsys)
    for mark in (whole[30:33], whole[4]):
        place = whole.index(mark, 4)
        assert text(capsys, "--stop", mark) == whole[:place]
    marks = ["--stop", whole[30:33], "--stop", whole[10:13], "--stop", "xyzzy"]
    assert text(capsys, *marks) == whole[: min(whole.index(m, 4) for m in marks[1:4:2])]
    assert "--stop: expected a text" in fails(capsys, 2, "generate", "run", "--stop", "")


def test_the_options_of_drawing_and_of_beams_do_what_they_say(capsys):
    greedy = text(capsys, "--temperature=0")
    assert text(capsys, "--top-k=1", "--seed=5") == greedy != text(capsys, "--temperature=3")
    assert text(capsys, "--top-p=0.000001", "--seed=6") == greedy
    assert text(capsys, "--beams=1", "--temperature=0") == greedy
    assert text(capsys, "--repetition-penalty=1.5", "--temperature=0") != greedy
    beams = text(capsys, "--beams=3")
    assert beams == text(capsys, "--beams=3", "--seed=7") and len(beams) == 44
    for option in ("--top-k=3", "--top-p=0.5", "--temperature=1"):
        line = fails(capsys, 2, "generate", "run", "--beams=3", option)
        assert "error: --beams: draws nothing" in line


def test_a_prompt_from_a_pipe_loses_its_last_line_end(capsys):
    expected = text(capsys)
    argv = ("generate", "run", "--prompt", "-", "--length", "40")
    with start(*argv, stdin=subprocess.PIPE) as process:
        out, err = process.communicate("the \n", timeout=60)
    assert (out, err) == (expected + "\n", "")


def test_words_are_spaced(capsys):
    assert train("--tokenizer=word", "--steps=60", "--lr=0.03") == 0
    found = text(capsys, "--prompt", "the cat")
    assert re.fullmatch(r"the cat( (the|cat|sat|on|mat|and|dog|log)|\.| )+", found), found


@pytest.mark.parametrize(
    "option",
    [
        "--top-k=0",
        "--top-p=2",
        "--beams=0",
        "--seed=-1",
        "--length=-1",
        "--temperature=-1",
        "--temperature=nan",
    ],
)
def test_nonsense_numbers_to_generate(capsys, option):
    train()
    capsys.readouterr()
    assert option.split("=")[0] in fails(capsys, 2, "generate", "run", option)


def test_bad_checkpoints(capsys, tmp_path):
    train()
    capsys.readouterr()
    raw = (tmp_path / "run/checkpoints/step-00000012.safetensors").read_bytes()
    for name, content in (("cut", raw[:-100]), ("header", raw[:50]), ("foreign", b"hello there")):
        (tmp_path / name).write_bytes(content)
        assert f"{name}: is damaged or not" in fails(capsys, 1, "generate", name)
    swapped = raw.replace(b'\\"hidden\\": 16', b'\\"hidden\\": 17')
    assert swapped != raw
    (tmp_path / "shapes").write_bytes(swapped)
    assert "shapes: is damaged" in fails(capsys, 1, "generate", "shapes")
    assert "no such checkpoint" in fails(capsys, 1, "generate", "none")
    assert ".: is not the folder of a run" in fails(capsys, 1, "generate", ".")
    assert "there is no run in runs/" in fails(capsys, 1, "generate")
    for path in (tmp_path / "run/checkpoints").iterdir():
        path.unlink()
    assert "run: has no checkpoint yet" in fails(capsys, 1, "generate", "run")


def test_weights_too_large_to_compute_with_are_one_line(capsys, tmp_path):
    train()
    capsys.readouterr()
    arrays, description = load_checkpoint("run/checkpoints/step-00000012.safetensors")
    arrays["output.bias"][:] = 3e38
    arrays["output.weight"][:] = 3e38
    save_checkpoint("large", arrays, description)
    for backend in ("auto", "numpy"):
        line = fails(capsys, 1, "generate", "large", "--backend", backend)
        assert "predictions are not numbers" in line
