import numpy as np
import pytest

import tinyseq as ts
from tinyseq import nn
from tinyseq.data import CharTokenizer
from tinyseq.generation import _draw, generate
from tinyseq.models import GPT, CharLM
from tinyseq.training import Diverged

TOKENIZER = CharTokenizer("abc\n")


@pytest.fixture
def model():
    ts.manual_seed(0)
    return CharLM(len(TOKENIZER), "gru", embed=3, hidden=4).eval()


@pytest.fixture(params=["gru", "learned", "rotary"])
def each(request):
    """A model of each kind."""
    ts.manual_seed(0)
    if request.param == "gru":
        return CharLM(len(TOKENIZER), "gru", embed=3, hidden=4).eval()
    window = 16 if request.param == "rotary" else 0
    return GPT(len(TOKENIZER), 16, 1, 1, 8, positions=request.param, window=window).eval()


def text(model, prompt="ab", length=50, temperature=1.0, seed=0):
    return "".join(generate(model, TOKENIZER, prompt, length, temperature, seed))


def test_the_seed_decides(each):
    assert len(text(each)) == 50
    assert text(each) == text(each)
    assert text(each) != text(each, seed=1)
    assert text(each, length=0) == ""


def test_an_empty_prompt_and_unknown_characters_are_fine(each):
    assert text(each, prompt="") == text(each, prompt="\n")
    assert len(text(each, prompt="xyz😀")) == 50


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.0])
def test_draws_follow_the_models_distribution(temperature):
    logits = np.array([9.0, 1.0, 0.0, -2.0, 0.5])  # the first is the reserved symbol's
    weights = np.exp(logits[1:] / temperature)
    rng = np.random.default_rng(0)
    drawn = [_draw(logits.copy(), temperature, rng) for _ in range(10_000)]
    found = np.bincount(drawn, minlength=5) / len(drawn)
    np.testing.assert_allclose(found, [0, *weights / weights.sum()], atol=0.015)


def test_temperature_zero_and_next_to_it_take_the_likeliest(model):
    model.output.weight.data[...] *= 20
    assert text(model, temperature=0.0, seed=0) == text(model, temperature=0.0, seed=1)
    assert text(model, temperature=0.0) == text(model, temperature=1e-300)


def test_the_reserved_symbol_is_never_drawn(model):
    model.output.bias.data[0] = 100
    assert set(text(model, length=200, temperature=5.0)) <= set("abc\n")


@pytest.mark.parametrize("bias", [np.inf, np.nan, -np.inf])
@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_predictions_that_are_no_numbers_are_an_error(model, bias, temperature):
    model.output.bias.data[1:] = bias
    with pytest.raises(Diverged, match="predictions are not numbers"):
        text(model, temperature=temperature)


def test_what_it_wrote_is_read_like_a_prompt(each):
    start = text(each, "ab", 13, temperature=0.0)
    assert text(each, "ab" + start[:10], 3, temperature=0.0) == start[10:]


def test_nothing_is_recorded_inside_and_recording_goes_on_outside(each, monkeypatch):
    layer, recorded = nn.Embedding.forward, []

    def watched(self, *args):
        recorded.append(ts.is_grad_enabled())
        return layer(self, *args)

    monkeypatch.setattr(nn.Embedding, "forward", watched)
    for _ in generate(each, TOKENIZER, "a", 3, 1.0, 0):
        assert ts.is_grad_enabled()
    assert len(recorded) >= 3 and not any(recorded)


def test_a_transformer_writes_on_where_its_positions_end(each):
    assert len(text(each, "ab" * 20, 100)) == 100


@pytest.mark.parametrize(
    "bad",
    [{"length": -1}, {"temperature": -0.1}, {"temperature": float("nan")}, {"seed": -1}],
)
def test_bad_numbers_are_named_at_the_call(model, bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        generate(model, TOKENIZER, **{"prompt": "", "length": 1, "temperature": 1, "seed": 0} | bad)
