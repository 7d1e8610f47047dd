import math
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest

from tests.cli.running import TEXT, fails, start, train
from tinyseq.cli import main
from tinyseq.models import load_language_model
from tinyseq.nn import functional as F


def test_it_prints_what_the_model_makes_of_a_text(capsys):
    train()
    text = "the dog sat on the mat"
    Path("other").write_text(text)
    capsys.readouterr()
    assert main(["evaluate", "run", "--data", "other"]) == 0
    found = re.fullmatch(
        r"22 characters: (\S+) bits per character, perplexity (\S+)\n", capsys.readouterr().out
    )
    model, vocabulary, _ = load_language_model("run/checkpoints/step-00000012.safetensors")
    ids = vocabulary.encode(text)
    nats = F.cross_entropy(model(ids[None, :-1])[0][0], ids[1:]).item()
    assert float(found[1]) == pytest.approx(nats / math.log(2), abs=1e-4)
    assert float(found[2]) == pytest.approx(np.exp(nats), abs=1e-3)


def test_a_text_from_a_pipe(capsys):
    train()
    capsys.readouterr()
    main(["evaluate", "run", "--data", "text"])
    expected = capsys.readouterr().out
    with start("evaluate", "run", "--data", "-", stdin=subprocess.PIPE) as process:
        out, err = process.communicate(TEXT, timeout=60)
    assert (process.returncode, out, err) == (0, expected, "")


def test_texts_that_cannot_be_measured(capsys):
    train()
    Path("one").write_text("x")
    assert "too short" in fails(capsys, 1, "evaluate", "run", "--data", "one")
    assert "none: no such file" in fails(capsys, 1, "evaluate", "run", "--data", "none")
