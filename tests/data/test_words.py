import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinyseq.data import DataError, WordTokenizer, tokenizer_from_json, words

TEXT = 'The cat can\'t sit, but "it" sat.\r\n\r\n\tThe  end_2 : über-cat\n '


def test_words_are_numbered_by_frequency_after_the_marks():
    tokenizer = WordTokenizer().fit(["b a b", "c b c"])
    assert tokenizer.vocabulary == ["<pad>", "<unk>", "<bos>", "<eos>", "b", "c", "a"]
    assert len(tokenizer) == 7
    assert tokenizer.encode("a b z c").tolist() == [6, 4, 1, 5]
    assert tokenizer.encode("a", begin=True, end=True).tolist() == [2, 6, 3]
    marks = tokenizer.pad_id, tokenizer.unknown_id, tokenizer.begin_id, tokenizer.end_id
    assert marks == (0, 1, 2, 3)


def test_a_single_space_between_words_costs_nothing_and_all_else_is_kept():
    tokenizer = WordTokenizer().fit(TEXT)
    pieces = [tokenizer.vocabulary[i] for i in tokenizer.encode("can't sit, but")]
    assert pieces == ["can't", "sit", ",", " ", "but"]
    assert tokenizer.decode(tokenizer.encode(TEXT)) == TEXT


@given(st.text(st.sampled_from("ab_1é' ’.,\n\t\r中\u0301\u200b\ud800"), max_size=12) | st.text())
def test_a_known_text_comes_back_exactly(text):
    tokenizer = WordTokenizer().fit(text)
    for marks in (False, True):
        ids = tokenizer.encode(text, begin=marks, end=marks)
        assert tokenizer.unknown_id not in ids
        assert tokenizer.decode(ids) == text
        assert "".join(tokenizer.decode_stream(iter(ids))) == text


def test_marks_cannot_be_forged():
    tokenizer = WordTokenizer().fit("<eos> <unk>")
    ids = tokenizer.encode("<eos> <unk>")
    assert ids.min() >= 4 and tokenizer.decode(ids) == "<eos> <unk>"


def test_marks_decode_to_nothing_and_the_unknown_to_a_word():
    tokenizer = WordTokenizer().fit("a b")
    assert tokenizer.decode([2, 4, 0, 5, 1, 4, 3, 0]) == "a b <unk> a"


def test_the_vocabulary_is_limited_by_size_and_by_count():
    texts = ["a a a b b c c d"]
    assert WordTokenizer(vocab_size=6).fit(texts).vocabulary[4:] == ["a", "b"]
    assert WordTokenizer(min_count=2).fit(texts).vocabulary[4:] == ["a", "b", "c"]
    assert WordTokenizer(min_count=4).fit(texts).vocabulary[4:] == []
    assert WordTokenizer(vocab_size=6).fit(texts).encode("d a").tolist() == [1, 4]


def test_counting_forgets_the_rarest_within_its_memory(monkeypatch):
    monkeypatch.setattr(words, "_DISTINCT", 50)
    seen = []

    def texts():
        for number in range(1000):
            yield f"often w{number} often again"
            seen.append(number)

    tokenizer = WordTokenizer(vocab_size=6).fit(texts())
    assert tokenizer.vocabulary[4:] == ["often", "again"] and len(seen) == 1000


def test_lower_and_words_only_lose_what_they_say():
    tokenizer = WordTokenizer(lower=True, words_only=True).fit(TEXT)
    ids = tokenizer.encode("The cat,\nSAT!")
    assert tokenizer.decode(ids) == "the cat sat"
    kept = WordTokenizer(lower=True).fit(TEXT)
    assert kept.decode(kept.encode(TEXT)) == TEXT.lower()


@pytest.mark.parametrize("options", [{}, {"lower": True, "words_only": True, "vocab_size": 9}])
def test_it_comes_back_from_json(options):
    tokenizer = WordTokenizer(**options).fit(TEXT)
    again = tokenizer_from_json(tokenizer.to_json())
    assert again.to_json() == tokenizer.to_json()
    assert again.encode(TEXT).tolist() == tokenizer.encode(TEXT).tolist()


@pytest.mark.parametrize(
    "change",
    [
        {"words": ["a", "a"]}, {"words": ["a b"]}, {"words": [""]}, {"words": [1]}, {"words": "ab"},
        {"words": ["<pad>"]}, {"words": [","], "words_only": True}, {"lower": 1},
        {"vocab_size": 4}, {"vocab_size": "many"}, {"min_count": None},
    ],
)  # fmt: skip
def test_a_damaged_description_is_refused(change):
    description = WordTokenizer().fit("a b").to_json()
    with pytest.raises(DataError, match="the word tokenizer is damaged"):
        tokenizer_from_json({**description, **change})
    for name in description:
        if name != "kind":
            less = {key: value for key, value in description.items() if key != name}
            with pytest.raises(DataError, match=f"damaged: lacks '{name}'"):
                tokenizer_from_json(less)


def test_bad_arguments():
    with pytest.raises(ValueError, match="vocab_size must be above 4"):
        WordTokenizer(vocab_size=4)
    with pytest.raises(ValueError, match="min_count must be at least 1"):
        WordTokenizer(min_count=0)
    with pytest.raises(DataError, match=r"WordTokenizer.decode: ids must be from 0 to 4, got 5"):
        WordTokenizer().fit("a").decode([5])
    with pytest.raises(DataError, match=r"WordTokenizer.encode_many: texts must be several"):
        WordTokenizer().fit("a").encode_many("a")
