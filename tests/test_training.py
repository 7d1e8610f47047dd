import os
import signal

import numpy as np
import pytest

import tinyseq as ts
from tinyseq.data import DataError
from tinyseq.models import CharLM, load_charlm
from tinyseq.saving import CheckpointError
from tinyseq.training import Corpus, Diverged, Settings, held_out_bits, learning_rate, train

TEXT = "the cat sat on the mat and the dog sat on the log. " * 40
SMALL = {
    "embed": 8, "hidden": 16, "batch": 4, "window": 16, "steps": 12, "evaluations": 3, "lr": 0.01
}  # fmt: skip
MODELS = ["rnn", "lstm", "gru", "transformer"]


def run(path, report=lambda progress: None, text=TEXT, **changes):
    settings = Settings(**SMALL | changes)
    return train(Corpus(text, settings), settings, path, report)


@pytest.mark.parametrize("model", MODELS)
def test_it_learns_reports_and_writes_what_it_measured(tmp_path, model):
    path = tmp_path / "c"
    seen = []
    outcome = run(path, seen.append, model=model, steps=60, dropout=0.1)
    assert [p.step for p in seen] == list(range(1, 61))
    assert all(p.steps == 60 and p.characters == 64 for p in seen)
    assert [p.step for p in seen if p.held_out_bits is not None] == [20, 40, 60]
    assert seen[-1].loss < 0.8 * seen[0].loss
    assert outcome.held_out_bits == seen[-1].held_out_bits < 3.5
    assert not outcome.interrupted
    loaded, _, about = load_charlm(path)
    assert about["step"] == 60
    assert about["held_out_bits"] == outcome.held_out_bits
    assert about["settings"]["hidden"] == 16
    corpus = Corpus(TEXT, Settings(**SMALL))
    assert held_out_bits(loaded, corpus.held_out) == outcome.held_out_bits


@pytest.mark.parametrize("model", MODELS)
def test_the_same_seed_gives_the_same_bytes(tmp_path, model):
    for name in ("1", "2"):
        run(tmp_path / name, model=model, layers=2, dropout=0.3)
    run(tmp_path / "3", model=model, layers=2, dropout=0.3, seed=1)
    assert (tmp_path / "1").read_bytes() == (tmp_path / "2").read_bytes()
    assert (tmp_path / "1").read_bytes() != (tmp_path / "3").read_bytes()


@pytest.mark.skipif(ts.backend.info()["backend"] != "c", reason="only C kernels have threads")
@pytest.mark.parametrize("model", MODELS)
def test_the_number_of_threads_does_not_change_a_bit(tmp_path, model):
    before = ts.get_num_threads()
    try:
        for threads in (1, 2, 3):
            ts.set_num_threads(threads)
            run(tmp_path / str(threads), model=model, hidden=96, batch=8, window=32, steps=4)
    finally:
        ts.set_num_threads(before)
    one, two, three = ((tmp_path / name).read_bytes() for name in "123")
    assert one == two == three


@pytest.mark.parametrize("model", ["lstm", "transformer"])
def test_measuring_does_not_change_the_run(tmp_path, model):
    often = run(tmp_path / "1", model=model, dropout=0.3, evaluations=6)
    once = run(tmp_path / "2", model=model, dropout=0.3, evaluations=1)
    assert often.held_out_bits == once.held_out_bits


@pytest.mark.parametrize("model", ["lstm", "transformer"])
def test_epochs_count_whole_passes(tmp_path, model):
    seen = []
    run(tmp_path / "c", seen.append, model=model, steps=None, epochs=2.0)
    corpus = Corpus(TEXT, Settings(**SMALL | {"model": model}))
    assert len(seen) == 2 * len(corpus.batches)


def test_the_state_is_carried_and_starts_anew_with_each_epoch(tmp_path, monkeypatch):
    forward, fresh = CharLM.forward, []

    def watched(self, ids, state=None):
        if self.training:
            fresh.append(state is None)
        return forward(self, ids, state)

    monkeypatch.setattr(CharLM, "forward", watched)
    run(tmp_path / "c", steps=None, epochs=2.0)
    once = [True] + [False] * (len(fresh) // 2 - 1)
    assert fresh == once + once and len(once) > 2


def test_the_learning_rate_rises_then_falls():
    settings = Settings(lr=1.0, warmup=0.1)
    rates = [learning_rate(settings, step, 100) for step in range(1, 101)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == max(rates[9:11])
    assert rates[50:] == sorted(rates[50:], reverse=True)
    assert 0.02 <= rates[-1] < 0.021


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_one_signal_finishes_the_step_and_writes_the_checkpoint(tmp_path, number):
    path = tmp_path / "c"
    before = signal.getsignal(number)

    def report(progress):
        if progress.step == 5:
            os.kill(os.getpid(), number)

    outcome = run(path, report, evaluations=1)
    assert outcome.interrupted == number and outcome.step == 5
    loaded, _, about = load_charlm(path)
    assert about["step"] == 5
    for name, tensor in outcome.model.state_dict().items():
        np.testing.assert_array_equal(loaded.state_dict()[name].data, tensor.data)
    assert signal.getsignal(number) is before


def test_two_ctrl_c_stop_at_once_and_keep_the_last_checkpoint(tmp_path):
    path = tmp_path / "c"
    before = signal.getsignal(signal.SIGINT)

    def report(progress):
        if progress.step == 6:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        run(path, report)
    assert load_charlm(path)[2]["step"] == 4
    assert os.listdir(tmp_path) == ["c"]
    assert signal.getsignal(signal.SIGINT) is before


def broken_after(step, monkeypatch):
    """Make the model's weights NaN after a step."""
    real = ts.optim.AdamW.step
    count = 0

    def poisoned(self):
        nonlocal count
        real(self)
        count += 1
        if count == step:
            self.parameters[0].data[...] = np.nan

    monkeypatch.setattr(ts.optim.AdamW, "step", poisoned)


@pytest.mark.parametrize(
    ("step", "message"),
    [(6, "step 7: loss nan"), (8, "step 8: held-out loss nan")],
)
def test_nan_stops_naming_the_step_and_the_last_good_checkpoint_stands(
    tmp_path, monkeypatch, step, message
):
    path = tmp_path / "c"
    broken_after(step, monkeypatch)
    with pytest.raises(Diverged, match=message) as caught:
        run(path)
    assert f"{path} holds" in str(caught.value)
    assert load_charlm(path)[2]["step"] == 4


def test_weights_that_are_not_finite_do_not_replace_the_last_good_checkpoint(tmp_path, monkeypatch):
    path = tmp_path / "c"
    broken_after(5, monkeypatch)

    def report(progress):
        if progress.step == 5:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(Diverged, match="step 5: a weight is not finite"):
        run(path, report)
    assert load_charlm(path)[2]["step"] == 4


def test_nan_before_any_checkpoint_leaves_an_older_runs_file(tmp_path, monkeypatch):
    path = tmp_path / "c"
    path.write_bytes(b"older")
    broken_after(1, monkeypatch)
    with pytest.raises(Diverged, match="no checkpoint was written"):
        run(path)
    assert path.read_bytes() == b"older"


def test_an_absurd_learning_rate_is_caught_without_warnings(tmp_path):
    with pytest.raises(Diverged, match="training stopped at step"):
        run(tmp_path / "c", lr=1e38, model="rnn", clip=1e30)


def test_an_unwritable_path_is_found_before_the_first_step(tmp_path):
    with pytest.raises(CheckpointError):
        run(tmp_path / "none" / "c", lambda progress: pytest.fail("a step was made"))


@pytest.mark.parametrize("model", ["lstm", "transformer"])
def test_a_text_shorter_than_one_window_is_refused(model):
    settings = Settings(model=model, window=64)
    with pytest.raises(DataError, match="too short for one window of 64"):
        Corpus("x" * 60, settings)
    Corpus("x" * 80, settings)
