import math
import os
import signal
from itertools import pairwise

import numpy as np
import pytest

import tinyseq as ts
from tinyseq.language import Corpus, LanguageTrainer, learning_rate
from tinyseq.models import CharLM, load_language_model
from tinyseq.reading import held_out_bits
from tinyseq.settings import Settings
from tinyseq.training import Callback, Diverged, Interrupted, ModelCheckpoint, newest

TEXT = "the cat sat on the mat and the dog sat on the log. " * 40
SMALL = {
    "embed": 8, "hidden": 16, "batch": 4, "window": 16, "steps": 12, "evaluations": 3, "lr": 0.01
}  # fmt: skip
MODELS = ["rnn", "lstm", "gru", "transformer"]


def new_trainer(*callbacks, **changes):
    settings = Settings(**SMALL | changes)
    return LanguageTrainer(Corpus.from_text(TEXT, settings), settings, callbacks=callbacks)


def run(*callbacks, **changes):
    trainer = new_trainer(*callbacks, **changes)
    trainer.train()
    return trainer


def same(one, two):
    """Whether two trainers' models have the same bits."""
    others = two.model.state_dict()
    return all(np.array_equal(t.data, others[n].data) for n, t in one.model.state_dict().items())


class At(Callback):
    """Does something after a step."""

    def __init__(self, step, what):
        self.step, self.what = step, what

    def on_step_end(self, trainer):
        if trainer.step == self.step:
            self.what()


@pytest.mark.parametrize("model", MODELS)
def test_it_learns_and_the_checkpoint_holds_what_it_measured(tmp_path, model):
    trainer = run(ModelCheckpoint(tmp_path), model=model, steps=60, dropout=0.1)
    history = trainer.history
    assert history["step"] == [20, 40, 60]
    assert history["loss"][-1] < 0.8 * history["loss"][0]
    assert history["val_bits"][-1] < 3.5
    assert history["val_loss"] == [bits * math.log(2) for bits in history["val_bits"]]
    for path in (newest(tmp_path), tmp_path / "best.safetensors"):
        loaded, tokenizer, told = load_language_model(path)
        assert told["settings"]["hidden"] == 16
        assert tokenizer.to_json() == trainer.corpus.tokenizer.to_json()
        assert held_out_bits(loaded, trainer.corpus.held_out) == history["val_bits"][-1]


@pytest.mark.parametrize("model", MODELS)
def test_the_seed_decides(model):
    one, two = (run(model=model, layers=2, dropout=0.3) for _ in range(2))
    assert same(one, two)
    assert not same(one, run(model=model, layers=2, dropout=0.3, seed=1))


@pytest.mark.skipif(ts.backend.info()["backend"] != "c", reason="only C kernels have threads")
@pytest.mark.parametrize("model", MODELS)
def test_the_number_of_threads_does_not_change_a_bit(model):
    before = ts.get_num_threads()
    trainers = []
    try:
        for threads in (1, 2, 3):
            ts.set_num_threads(threads)
            trainers.append(run(model=model, hidden=96, batch=8, window=32, steps=4))
    finally:
        ts.set_num_threads(before)
    assert all(same(one, two) for one, two in pairwise(trainers))


@pytest.mark.parametrize("model", ["lstm", "transformer"])
def test_measuring_does_not_change_the_run(model):
    assert same(
        run(model=model, dropout=0.3, evaluations=6), run(model=model, dropout=0.3, evaluations=1)
    )


def test_each_step_has_its_learning_rate(monkeypatch):
    real, rates = ts.optim.AdamW.step, []

    def watched(self):
        rates.append(self.lr)
        real(self)

    monkeypatch.setattr(ts.optim.AdamW, "step", watched)
    settings = run(warmup=0.3).settings
    assert rates == [learning_rate(settings, step, 12) for step in range(1, 13)]


@pytest.mark.parametrize("model", ["lstm", "transformer"])
def test_epochs_count_whole_passes(model):
    trainer = run(model=model, steps=None, epochs=2.0)
    assert trainer.step == trainer.total == 2 * len(trainer.corpus.batches)


def test_the_state_is_carried_and_starts_anew_with_each_epoch(monkeypatch):
    forward, fresh = CharLM.forward, []

    def watched(self, ids, state=None):
        if self.training:
            fresh.append(state is None)
        return forward(self, ids, state)

    monkeypatch.setattr(CharLM, "forward", watched)
    run(steps=None, epochs=2.0)
    once = [True] + [False] * (len(fresh) // 2 - 1)
    assert fresh == once + once and len(once) > 2


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("step", [1, 7, 28, 33])  # an epoch has 28 steps
def test_it_goes_on_to_the_same_bits(tmp_path, model, step):
    options = {"model": model, "dropout": 0.3, "steps": 40, "evaluations": 2}
    whole = run(**options)
    assert len(whole.corpus.batches) == 28
    path = tmp_path / "c"
    first = new_trainer(**options)
    first.callbacks = [At(step, lambda: first.save(path))]
    first.train()
    second = new_trainer(**options)
    ts.manual_seed(99)
    second.train(resume=path)
    assert same(whole, second) and whole.history.rows == second.history.rows


@pytest.mark.parametrize("model", ["lstm", "gru"])
def test_a_carried_state_must_be_one_of_this_model(model):
    trainer = new_trainer(model=model)
    state = np.zeros((1, 4, 16), np.float32)
    good = [state] * (2 if model == "lstm" else 1)
    trainer.carry({"state": good})
    trainer.carry({"state": []})
    for bad in (good[1:] or [state] * 2, [3.5], [*good[1:], state[:, :3]], [*good[1:], state + 0j],
                [*good, state], [*good[1:], state.astype(np.float64)]):  # fmt: skip
        with pytest.raises((ValueError, TypeError)):
            trainer.carry({"state": bad})


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_finishes_the_step_and_writes_the_checkpoint(tmp_path, number):
    before = signal.getsignal(number)
    trainer = new_trainer(At(5, lambda: os.kill(os.getpid(), number)), ModelCheckpoint(tmp_path))
    with pytest.raises(Interrupted) as caught:
        trainer.train()
    assert caught.value.signal == number
    path = newest(tmp_path)
    at = int(path.stem.removeprefix("step-"))
    assert at == trainer.step in (5, 6)
    loaded = load_language_model(path)[0].state_dict()
    for name, tensor in trainer.model.state_dict().items():
        np.testing.assert_array_equal(loaded[name].data, tensor.data)
    assert signal.getsignal(number) is before


def test_two_ctrl_c_stop_at_once_and_keep_the_last_checkpoint(tmp_path):
    def twice():
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        run(At(6, twice), ModelCheckpoint(tmp_path))
    assert newest(tmp_path).name == "step-00000004.safetensors"
    assert not [p for p in tmp_path.iterdir() if p.suffix != ".safetensors"]


def broken_after(step, monkeypatch):
    """Make the model's weights NaN after a step."""
    real, count = ts.optim.AdamW.step, 0

    def poisoned(self):
        nonlocal count
        real(self)
        count += 1
        if count == step:
            self.parameters[0].data[...] = np.nan

    monkeypatch.setattr(ts.optim.AdamW, "step", poisoned)


@pytest.mark.parametrize(
    ("step", "message"), [(6, "step 7: loss nan"), (8, "step 8: validation loss nan")]
)
def test_nan_stops_naming_the_step_and_the_last_good_checkpoint_stands(
    tmp_path, monkeypatch, step, message
):
    broken_after(step, monkeypatch)
    with pytest.raises(Diverged, match=message):
        run(ModelCheckpoint(tmp_path))
    assert newest(tmp_path).name == "step-00000004.safetensors"


def test_weights_that_are_not_finite_are_not_written(tmp_path, monkeypatch):
    broken_after(5, monkeypatch)
    with pytest.raises(Diverged, match="step 5: a weight is not finite"):
        run(ModelCheckpoint(tmp_path, every=5))
    assert newest(tmp_path).name == "step-00000004.safetensors"


def test_an_absurd_learning_rate_is_caught_without_warnings():
    with pytest.raises(Diverged, match="training stopped at step"):
        run(lr=1e38, model="rnn", clip=1e30)
