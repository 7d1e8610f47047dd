import subprocess
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.cli.running import SMALL, TEXT, fails, start, train
from tinyseq.cli import main
from tinyseq.data import TokenFile


@pytest.mark.parametrize("kind", ["char", "word", "byte"])
def test_a_file_of_tokens_trains_resumes_and_is_measured(capsys, kind):
    assert main(["prepare", "text", "text", "--tokenizer", kind, "--out", "t"]) == 0
    tokens = TokenFile("t")
    name = {"char": "character", "word": "token", "byte": "byte"}[kind]
    size = len(tokens.tokenizer)
    assert capsys.readouterr().out == f"t: {len(tokens):,} {name}s, {size} symbols\n"
    assert tokens.tokenizer.kind == kind and tokens.tokenizer.decode(tokens[:]) == 2 * TEXT
    assert train(data="t") == 0
    assert f"held-out bits per {name}: model" in capsys.readouterr().out
    assert main(["resume", "run", "--backend", "numpy"]) == 0
    for more in ([], ["--data", "t"], ["--data", "text"]):
        assert main(["evaluate", "run", *more]) == 0
    assert main(["generate", "run", "--length", "3"]) == 0
    assert main(["prepare", "text", "--tokenizer", "char", "--out", "other"]) == 0
    if kind != "char":
        line = fails(capsys, 1, "evaluate", "run", "--data", "other")
        assert "other: was prepared with another tokenizer" in line


@pytest.mark.parametrize("kind", ["char", "word", "byte"])
def test_a_text_from_a_pipe(kind):
    argv = ("prepare", "-", "--tokenizer", kind, "--out", "t")
    with start(*argv, stdin=subprocess.PIPE) as process:
        _, err = process.communicate(TEXT, timeout=60)
    assert (process.returncode, err) == (0, "")
    tokens = TokenFile("t")
    assert tokens.tokenizer.decode(tokens[:]) == TEXT


def test_words_beyond_the_vocabulary_are_unknown():
    assert main(["prepare", "text", "--tokenizer=word", "--vocabulary=9", "--out=t"]) == 0
    assert len(TokenFile("t").tokenizer) == 9


def test_mistakes_are_one_line(capsys):
    Path("latin").write_bytes("é".encode("latin-1"))
    for status, argv, message in (
        (2, ["text", "--vocabulary=9"], "--vocabulary is not for the char tokenizer"),
        (2, ["text", "--tokenizer=word", "--vocabulary=4"], "--vocabulary must be from 5"),
        (
            2,
            ["text", "--tokenizer=wrod"],
            "--tokenizer must be one of char, word, byte or a file, "
            "got 'wrod' (did you mean word?)",
        ),
        (2, ["text", "--tokenizer=latin", "--vocabulary=9"], "--vocabulary is not for the latin"),
        (1, ["none"], "none: no such file"),
        (1, ["text", "latin"], "latin: is not UTF-8"),
        (1, ["text", "--out=text"], "text: is the text itself"),
    ):
        assert message in fails(capsys, status, "prepare", "--out=t", *argv)
    assert not Path("t").exists()


def test_a_tokenizer_that_is_fitted_is_taken_from_a_file(capsys):
    Path("other").write_text("the bat sat")
    main(["prepare", "text", "--tokenizer=word", "--out=t"])
    TokenFile("t").tokenizer.save("words.json")
    for file in ("t", "words.json"):
        assert main(["prepare", "other", "--tokenizer", file, "--out", "u"]) == 0
        tokens = TokenFile("u")
        assert tokens.tokenizer.to_json() == TokenFile("t").tokenizer.to_json()
        assert tokens.tokenizer.decode(tokens[:]) == "the <unk> sat"
    Path("json").write_text("{}")
    status = 1 if find_spec("tokenizers") else 2
    for file in ("json", "text"):
        line = fails(capsys, status, "prepare", "text", f"--tokenizer={file}", "--out=v")
        assert file in line
    assert not Path("v").exists()


def test_a_tokenizer_of_hugging_face(capsys):
    tokenizers = pytest.importorskip("tokenizers", reason="tokenizers is not installed")
    made = tokenizers.Tokenizer(tokenizers.models.BPE())
    made.pre_tokenizer = tokenizers.pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.decoder = tokenizers.decoders.ByteLevel()
    trainer = tokenizers.trainers.BpeTrainer(vocab_size=300, show_progress=False)
    made.train_from_iterator([TEXT], trainer)
    made.save("tokenizer.json")
    assert main(["prepare", "text", "--tokenizer=tokenizer.json", "--out=t"]) == 0
    assert train("--window=8", data="t") == 0
    capsys.readouterr()
    assert main(["evaluate", "run"]) == 0
    assert " bits per token, perplexity " in capsys.readouterr().out
    assert main(["generate", "run", "--length", "5"]) == 0


def test_a_file_of_tokens_has_a_tokenizer_of_its_own(capsys):
    main(["prepare", "text", "--tokenizer", "byte", "--out", "t"])
    line = fails(capsys, 2, "train", "--data", "t", *SMALL, "--tokenizer", "char")
    assert "--tokenizer: t has its own, of kind byte" in line
    assert train(data="t") == 0
    assert "tokenizer" not in Path("run/config.toml").read_text()
