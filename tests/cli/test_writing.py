import itertools

import pytest

from tinyseq.cli.writing import until, written
from tinyseq.data import WordTokenizer
from tinyseq.models import CharLM


@pytest.mark.parametrize("text", ["", "abab", "xxabacabax", "aabaabaaac", "no mark here", "ab\n\n"])
@pytest.mark.parametrize("stops", [[], ["abac"], ["b", "aaa"], ["\n\n", "mark h", "aab"]])
@pytest.mark.parametrize("size", [1, 2, 3, 50])
def test_the_text_ends_before_the_first_mark(text, stops, size):
    pieces = [text[i : i + size] for i in range(0, len(text), size)]
    first = min((text.find(stop) for stop in stops if stop in text), default=len(text))
    assert "".join(until(pieces, stops)) == text[:first]


def test_nothing_is_read_after_a_mark_and_nothing_held_back_without_need():
    endless = itertools.cycle("abc")
    found = until(endless, ["cab"])
    assert [next(found), next(found), next(found)] == ["a", "b", ""]
    assert "".join(found) == "" and next(endless) == "c"


def test_no_mark_of_the_tokenizer_ends_the_text():
    tokenizer = WordTokenizer().fit("a b\n")
    model = CharLM(len(tokenizer), "rnn", embed=3, hidden=4).eval()
    pieces = list(written(model, tokenizer, "", 60, temperature=100.0, seed=0))
    assert len(pieces) == 60 and {piece.strip(" ") for piece in pieces} == {"a", "b", "\n"}
