import numpy as np
import pytest

from tinyseq.data import ByteTokenizer, DataError, Streams, Windows, split_text, write_tokens
from tinyseq.language import Corpus, new_tokenizer
from tinyseq.settings import Settings

TEXT = "the cat sat on the mat and the dog sat on the log. " * 40 + "Ä"
WINDOW = {"window": 16}


@pytest.mark.parametrize("kind", ["char", "word", "byte"])
def test_the_tokenizer_knows_the_training_part_alone(kind):
    corpus = Corpus.from_text(TEXT, Settings(tokenizer=kind, **WINDOW))
    tokenizer = corpus.tokenizer
    assert tokenizer.kind == kind
    training, held_out = split_text(TEXT, 0.1)
    unknown = {"char": "\ufffd", "word": "<unk>", "byte": "Ä"}[kind]
    assert tokenizer.decode(corpus.training) == training
    expected = held_out.replace("Ä", unknown)
    if kind == "word":  # the cut goes through a word
        assert training.endswith(" t") and held_out.startswith("he ")
        expected = expected.replace("he ", "<unk> ", 1)
    assert tokenizer.decode(corpus.held_out) == expected


def test_words_are_limited():
    settings = Settings(tokenizer="word", vocabulary=8, **WINDOW)
    assert len(new_tokenizer(settings).fit(TEXT)) == 8


def test_recurrent_models_read_streams_and_transformers_windows():
    settings = {"batch": 4, **WINDOW}
    corpus = Corpus.from_text(TEXT, Settings(**settings))
    assert isinstance(corpus.batches, Streams) and corpus.tokens_per_step == 64
    corpus = Corpus.from_text(TEXT, Settings(model="transformer", **settings))
    assert isinstance(corpus.batches, Windows) and corpus.tokens_per_step == 64
    corpus = Corpus.from_text("ab" * 20, Settings(**settings))
    assert corpus.tokens_per_step == 32 == next(iter(corpus.batches)).x.size


@pytest.mark.parametrize("model", ["lstm", "transformer"])
def test_a_file_of_tokens_gives_the_same_batches_as_its_text(tmp_path, model):
    settings = Settings(model=model, tokenizer="byte", **WINDOW)
    tokens = write_tokens(tmp_path / "t", ByteTokenizer(), TEXT[:-1])
    one, two = Corpus.from_tokens(tokens, settings), Corpus.from_text(TEXT[:-1], settings)
    for mine, other in zip(one.batches, two.batches, strict=True):
        np.testing.assert_array_equal(mine.x, other.x)
        np.testing.assert_array_equal(mine.y, other.y)
    np.testing.assert_array_equal(one.held_out[:], two.held_out)
    assert one.fingerprint() == two.fingerprint()


def test_a_fingerprint_tells_corpora_apart():
    def of(text, **changes):
        return Corpus.from_text(text, Settings(**WINDOW | changes)).fingerprint()

    text = TEXT[:-1]
    others = [
        "d" + text[1:],
        text[:-1] + "d",
        text[: len(text) // 2] + "d" + text[len(text) // 2 :],
    ]
    found = {of(text), of(text, held_out=0.2), *map(of, others)}
    assert len(found) == 5 and of(text) == of(text, batch=3)


@pytest.mark.parametrize("model", ["lstm", "transformer"])
def test_what_is_too_short_is_refused(tmp_path, model):
    settings = Settings(model=model, window=64)
    with pytest.raises(DataError, match="too short for one window of 64"):
        Corpus.from_text("x" * 60, settings)
    Corpus.from_text("x" * 80, settings)
    words = Settings(model=model, tokenizer="word", window=2)
    with pytest.raises(DataError, match="at least two tokens"):
        Corpus.from_text("a b c d e abcdefghijklmnopqrst", words)
    for n in (0, 1, 2):
        with pytest.raises(DataError, match=f"{n} tokens are too few"):
            Corpus.from_tokens(write_tokens(tmp_path / "t", ByteTokenizer(), "x" * n), settings)
