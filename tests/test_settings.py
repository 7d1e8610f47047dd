import pytest

from tinyseq.settings import Settings, default_settings


@pytest.mark.parametrize(
    "bad",
    [
        {"hidden": 0}, {"hidden": 10**9}, {"layers": -1}, {"embed": -5}, {"batch": 0},
        {"window": 0}, {"steps": 0}, {"epochs": 0.0}, {"epochs": float("inf")}, {"lr": 0.0},
        {"lr": float("nan")}, {"clip": -1.0}, {"dropout": 1.0}, {"dropout": -0.1},
        {"held_out": 0.0}, {"held_out": 1.0}, {"evaluations": 0}, {"seed": -1},
        {"weight_decay": -1.0}, {"warmup": 2.0}, {"model": "cnn"}, {"positions": "none"},
        {"hidden": 2.5}, {"hidden": "16"}, {"hidden": True}, {"hidden": None}, {"lr": "x"},
        {"lr": True}, {"model": 3}, {"steps": 1.5}, {"tokenizer": "bpe"},
        {"vocabulary": 4}, {"heads": 0},
        {"hidden": 30, "model": "transformer"},
        {"hidden": 12, "model": "transformer", "positions": "rotary"},
    ],
)  # fmt: skip
def test_settings_outside_their_range_are_named(bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        Settings(**bad)


def test_every_model_has_its_defaults():
    assert Settings(**default_settings("lstm")) == Settings()
    assert default_settings("gru") == default_settings("lstm") | {"model": "gru"}
    transformer = Settings(**default_settings("transformer"))
    assert transformer.model == "transformer" and transformer.hidden % transformer.heads == 0


def test_those_in_use_make_the_same_settings():
    for model in ("lstm", "transformer"):
        for more in ({}, {"steps": 3}, {"tokenizer": "word", "vocabulary": 7}):
            settings = Settings(**default_settings(model) | more)
            used = settings.used()
            assert Settings(**default_settings(model) | used) == settings
            assert ("heads" in used) == (model == "transformer") != ("embed" in used)
            assert ("epochs" in used) != ("steps" in used)
