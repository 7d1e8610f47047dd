import math

import numpy as np
import pytest

import tinyseq as ts
from tinyseq.models import GPT, CharLM
from tinyseq.nn import functional as F
from tinyseq.reading import held_out_bits, new_model
from tinyseq.settings import Settings, default_settings


def symbols(n, seed=0):
    return np.random.default_rng(seed).integers(0, 7, n)


def gpt(**options):
    ts.manual_seed(0)
    return GPT(7, 8, 2, 2, 16, **options).eval()


def test_held_out_bits_are_the_mean_of_one_pass(monkeypatch):
    ts.manual_seed(0)
    model = CharLM(7, embed=3, hidden=5, dropout=0.5)
    ids = np.random.default_rng(0).integers(0, 7, 100)
    logits, _ = model.eval()(ids[None, :-1])
    expected = F.cross_entropy(logits[0], ids[1:]).item() / math.log(2)
    model.train()
    assert held_out_bits(model, ids) == pytest.approx(expected, rel=1e-6)
    monkeypatch.setattr("tinyseq.reading._PIECE", 7)
    assert held_out_bits(model, ids) == pytest.approx(expected, rel=1e-6)
    assert model.training


@pytest.mark.parametrize("n", [2, 5, 9, 10, 13, 14, 50, 63])
@pytest.mark.parametrize("piece", [8, 24, 2048])
def test_a_transformer_predicts_each_symbol_once_from_half_a_block_or_more(n, piece, monkeypatch):
    monkeypatch.setattr("tinyseq.reading._PIECE", piece)
    model, ids = gpt(dropout=0.5).train(), symbols(n)
    found = held_out_bits(model, ids)
    assert model.training
    model.eval()
    nats = []
    for t in range(n - 1):  # the window that ends soonest among those that start at 0, 4, 8, ...
        first = 0 if t < 8 else (t - 4) // 4 * 4
        first = max(0, min(first, n - 1 - 8))
        logits = model(ids[None, first : t + 1]).data[0, -1].astype(np.float64)
        nats.append(np.log(np.exp(logits).sum()) - logits[ids[t + 1]])
        assert t + 1 - first >= min(t + 1, 5)
    assert found == pytest.approx(np.mean(nats) / math.log(2), rel=1e-5)


@pytest.mark.parametrize("model", ["rnn", "lstm", "gru", "transformer"])
def test_the_model_is_what_the_settings_say(model):
    settings = Settings(**default_settings(model) | {"hidden": 16, "layers": 3, "dropout": 0.25})
    made = new_model(settings, 9)
    told = made.configuration
    assert told["vocab_size"] == 9 and told["dropout"] == 0.25
    if model == "transformer":
        assert isinstance(made, GPT)
        assert (told["n_layer"], told["n_head"], told["n_embd"]) == (3, settings.heads, 16)
        assert told["block_size"] == settings.window
    else:
        assert isinstance(made, CharLM)
        assert (told["model"], told["layers"], told["hidden"]) == (model, 3, 16)


def test_rotary_positions_look_back_one_window():
    chosen = default_settings("transformer") | {"positions": "rotary", "window": 24}
    assert new_model(Settings(**chosen), 9).window == 24
    assert new_model(Settings(**chosen | {"positions": "learned"}), 9).window == 0
