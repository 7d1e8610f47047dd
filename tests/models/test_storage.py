import json

import numpy as np
import pytest

from tinyseq.data import CharVocabulary
from tinyseq.models import CharLM, load_charlm, save_charlm
from tinyseq.saving import CheckpointError, load_checkpoint, save_checkpoint

VOCABULARY = CharVocabulary("abcé\n")


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "m.safetensors"
    model = CharLM(len(VOCABULARY), "gru", embed=3, hidden=4, layers=2, dropout=0.25)
    save_charlm(path, model, VOCABULARY, {"step": 7})
    return path, model


def test_model_and_vocabulary_come_back(saved):
    path, model = saved
    loaded, vocabulary, about = load_charlm(path)
    assert about == {"step": 7}
    assert vocabulary.characters == VOCABULARY.characters
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
        (set_in("format", value="other"), "expected 'tinyseq.charlm.1'"),
        (set_in("model", "hidden", value=10**9), "recurrent.weight_hh_l0 must be"),
        (set_in("model", "hidden", value="x"), "damaged"),
        (set_in("model", "layers", value=10**9), "1000000000 layers in 11 arrays"),
        (set_in("model", "layers", value=3), "got nothing"),
        (set_in("model", "layers", value=1), "unexpected"),
        (set_in("model", "model", value="lstm"), "must be"),
        (set_in("model", "model", value="cnn"), "lacks 'cnn'"),
        (set_in("model", "layers", value=True), "must be a whole number"),
        (set_in("model", "extra", value=1), "damaged"),
        (set_in("model", value=[]), "damaged"),
        (set_in("characters", value="abc"), "vocabulary"),
        (set_in("characters", value=3), "damaged"),
        (set_in("about", value=3), "damaged"),
        (lambda arrays, d: d.pop("characters"), "lacks 'characters'"),
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
        load_charlm(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)
