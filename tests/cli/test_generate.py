import pytest

from tests.cli.running import TRANSFORMER, fails, train
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


@pytest.mark.parametrize("option", ["--length=-1", "--temperature=-1", "--temperature=nan"])
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
