import pytest

import tinyseq as ts
from tinyseq.data import ByteTokenizer, CharTokenizer, WordTokenizer
from tinyseq.generation import generate, stream_text
from tinyseq.models import GPT, CharLM

TOKENIZER = CharTokenizer("abc\n")


@pytest.fixture(params=["gru", "learned", "rotary"])
def model(request):
    ts.manual_seed(0)
    if request.param == "gru":
        return CharLM(len(TOKENIZER), "gru", embed=3, hidden=4).eval()
    window = 16 if request.param == "rotary" else 0
    return GPT(len(TOKENIZER), 16, 1, 1, 8, positions=request.param, window=window).eval()


def text(model, prompt="ab", length=50, tokenizer=TOKENIZER, seed=0, **options):
    return "".join(stream_text(model, tokenizer, prompt, length, seed=seed, **options))


def test_the_seed_decides(model):
    assert len(text(model)) == 50
    assert text(model) == text(model) != text(model, seed=1)
    assert text(model, length=0) == ""


def test_an_empty_prompt_and_unknown_characters_are_fine(model):
    assert text(model, prompt="") == text(model, prompt="\n")
    assert len(text(model, prompt="xyz😀")) == 50


def test_the_unknown_mark_is_never_drawn():
    ts.manual_seed(0)
    model = CharLM(len(TOKENIZER), "gru", embed=3, hidden=4).eval()
    model.output.bias.data[0] = 100
    assert set(text(model, length=200, temperature=5.0)) <= set("abc\n")


def test_words_and_their_marks():
    tokenizer = WordTokenizer().fit("the cat sat on the mat. the cat ran.")
    ts.manual_seed(0)
    model = CharLM(len(tokenizer), "gru", embed=4, hidden=8).eval()
    model.output.bias.data[: tokenizer.end_id] = 50  # padding, unknown and begin
    ids = tokenizer.encode("the cat")
    marks = [tokenizer.pad_id, tokenizer.unknown_id, tokenizer.begin_id]
    wanted = generate(model, ids, 9, seed=0, suppress=marks, stop=tokenizer.end_id)
    found = text(model, "the cat", 9, tokenizer)
    assert "the cat" + found == tokenizer.decode([*ids, *wanted])
    assert text(model, "", 9, tokenizer)
    model.output.bias.data[tokenizer.end_id] = 100
    assert text(model, "the cat", 9, tokenizer) == ""


def test_what_the_caller_forbids_or_stops_at_is_added(model):
    assert set(text(model, length=200, suppress=TOKENIZER.encode("ab"))) <= set("c\n")
    stop = TOKENIZER.encode("c")
    assert text(model, stop=stop) == text(model).split("c")[0]


def test_bytes_come_as_characters():
    tokenizer = ByteTokenizer()
    ts.manual_seed(0)
    model = CharLM(len(tokenizer), "gru", embed=4, hidden=8).eval()
    bias = model.output.bias.data
    bias[list("ü".encode())] = 100  # its two bytes, in any order
    pieces = list(stream_text(model, tokenizer, "x", 40, seed=0))
    assert "ü" in pieces
