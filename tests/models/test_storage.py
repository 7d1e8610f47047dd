import json

import numpy as np
import pytest

from tinyseq.data import ByteTokenizer, CharTokenizer, WordTokenizer
from tinyseq.models import GPT, CharLM, load_language_model, save_language_model
from tinyseq.saving import CheckpointError, load_checkpoint, save_checkpoint

TOKENIZER = CharTokenizer("abcé\n")


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "m.safetensors"
    model = CharLM(len(TOKENIZER), "gru", embed=3, hidden=4, layers=2, dropout=0.25)
    save_language_model(path, model, TOKENIZER, step=7)
    return path, model


def test_model_and_tokenizer_come_back(saved):
    path, model = saved
    loaded, tokenizer, about = load_language_model(path)
    assert about["step"] == 7
    assert tokenizer.characters == TOKENIZER.characters
    assert loaded.configuration == model.configuration
    assert not loaded.training
    ids = np.array([[1, 2, 3]])
    np.testing.assert_array_equal(loaded(ids)[0].data, model.eval()(ids)[0].data)


def change(path, edit):
    arrays, description = load_checkpoint(path)
    edit(arrays, description)
    save_checkpoint(path, arrays, json.loads(json.dumps(description)))


def set_in(*keys, value):
    def edit(arrays, description):
        place = description
        for key in keys[:-1]:
            place = place[key]
        place[keys[-1]] = value

    return edit


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (set_in("configuration", "kind", value="other"), "holds no language model"),
        (set_in("configuration", value=[]), "holds no language model"),
        (set_in("configuration", "model", "hidden", value=10**9), "recurrent.weight_hh_l0 must be"),
        (set_in("configuration", "model", "hidden", value="x"), "damaged"),
        (set_in("configuration", "model", "layers", value=10**9), "1000000000 layers in 11 arrays"),
        (set_in("configuration", "model", "layers", value=3), "got nothing"),
        (set_in("configuration", "model", "layers", value=1), "unexpected"),
        (set_in("configuration", "model", "model", value="lstm"), "must be"),
        (set_in("configuration", "model", "model", value="cnn"), "lacks 'cnn'"),
        (set_in("configuration", "model", "layers", value=True), "must be a whole number"),
        (set_in("configuration", "model", "extra", value=1), "damaged"),
        (set_in("configuration", "model", value=[]), "damaged"),
        (
            set_in("configuration", "tokenizer", "characters", value=["a", "b"]),
            "3 tokens for a model",
        ),
        (set_in("configuration", "tokenizer", "characters", value=3), "damaged"),
        (set_in("configuration", "tokenizer", value=3), "damaged"),
        (lambda arrays, d: d["configuration"].pop("tokenizer"), "lacks 'tokenizer'"),
        (lambda arrays, d: arrays.pop("output.bias"), "missing output.bias"),
        (lambda arrays, d: arrays.update(more=np.zeros(1, np.float32)), "unexpected more"),
        (lambda arrays, d: arrays.update({"output.bias": np.zeros(3, np.float32)}), "got (3,)"),
        (lambda arrays, d: arrays.update({"output.bias": np.zeros(6)}), "float32"),
        (lambda arrays, d: arrays["output.bias"].fill(np.nan), "finite"),
    ],
)
def test_what_does_not_fit_together_is_refused(saved, edit, message):
    path, _ = saved
    change(path, edit)
    with pytest.raises(CheckpointError) as caught:
        load_language_model(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.fixture(params=["learned", "rotary"])
def saved_transformer(request, tmp_path):
    path = tmp_path / "t.safetensors"
    model = GPT(len(TOKENIZER), 5, 2, 2, 8, 0.1, n_kv_head=1, positions=request.param)
    save_language_model(path, model, TOKENIZER, step=7)
    return path, model


def test_a_transformer_comes_back(saved_transformer):
    path, model = saved_transformer
    loaded, tokenizer, about = load_language_model(path)
    assert isinstance(loaded, GPT) and not loaded.training
    assert about["step"] == 7 and tokenizer.characters == TOKENIZER.characters
    assert loaded.configuration == model.configuration
    assert loaded.lm_head.weight is loaded.transformer.wte.weight
    ids = np.array([[1, 2, 3]])
    np.testing.assert_array_equal(loaded(ids).data, model.eval()(ids).data)


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (set_in("configuration", "model", "n_embd", value=10**9), "transformer.wte.weight must be"),
        (set_in("configuration", "model", "n_embd", value=8.0), "must be a whole number"),
        (set_in("configuration", "model", "n_embd", value="x"), "damaged"),
        (set_in("configuration", "model", "n_layer", value=10**9), "1000000000 layers in"),
        (set_in("configuration", "model", "n_layer", value=3), "got nothing"),
        (set_in("configuration", "model", "n_layer", value=1), "unexpected"),
        (set_in("configuration", "model", "n_layer", value=True), "must be a whole number"),
        (
            set_in("configuration", "model", "n_layer", value=-1),
            "n_layer must be a whole number above 0",
        ),
        (set_in("configuration", "model", "n_head", value=0), "damaged"),
        (set_in("configuration", "model", "n_head", value=3), "must be"),
        (
            set_in("configuration", "model", "n_kv_head", value="x"),
            "n_kv_head must be a whole number",
        ),
        (
            set_in("configuration", "model", "n_kv_head", value=None),
            "attn.c_attn.weight must be (24, 8)",
        ),
        (set_in("configuration", "model", "block_size", value="x"), "must be"),
        (
            set_in("configuration", "model", "positions", value="none"),
            "positions must be learned or rotary",
        ),
        (set_in("configuration", "model", "activation", value=1), "activation must be"),
        (set_in("configuration", "model", "window", value=-1), "window must be"),
        (set_in("configuration", "model", "window", value=2**70), "window must be"),
        (set_in("configuration", "model", "dropout", value=[]), "dropout must be"),
        (set_in("configuration", "model", "extra", value=1), "damaged"),
        (set_in("configuration", "model", "model", value="gru"), "lacks"),
        (lambda arrays, d: arrays.pop("transformer.ln_f.bias"), "missing transformer.ln_f.bias"),
        (lambda arrays, d: arrays["transformer.ln_f.bias"].fill(np.inf), "finite"),
    ],
)
def test_a_transformer_that_does_not_fit_together_is_refused(saved_transformer, edit, message):
    path, _ = saved_transformer
    change(path, edit)
    with pytest.raises(CheckpointError) as caught:
        load_language_model(path)
    assert message in str(caught.value) and str(path) in str(caught.value)


def test_learned_positions_must_all_be_there(tmp_path):
    path = tmp_path / "t"
    save_language_model(path, GPT(len(TOKENIZER), 5, 1, 2, 8), TOKENIZER)
    change(path, set_in("configuration", "model", "block_size", value=10**9))
    with pytest.raises(CheckpointError, match=r"transformer\.wpe\.weight must be"):
        load_language_model(path)


def test_what_a_checkpoint_of_training_holds_besides_is_left_alone(saved):
    path, model = saved
    change(path, lambda arrays, d: arrays.update({"optimizer/step": np.zeros(1)}))
    loaded, _, _ = load_language_model(path)
    assert loaded.configuration == model.configuration


@pytest.mark.parametrize("kind", [WordTokenizer().fit("a b"), ByteTokenizer()])
def test_any_tokenizer_comes_back(tmp_path, kind):
    model = CharLM(len(kind), "rnn", embed=3, hidden=4)
    save_language_model(tmp_path / "m", model, kind)
    assert load_language_model(tmp_path / "m")[1].to_json() == kind.to_json()
