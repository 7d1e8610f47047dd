"""The loop: what a step does, when it ends, and that it goes on as if it had never stopped."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import tinyseq as ts
from tinyseq import nn, optim
from tinyseq.data import Batch, DataError, DataLoader, pad_sequences
from tinyseq.metrics import Accuracy, MeanAbsoluteError, Perplexity
from tinyseq.nn import functional as F
from tinyseq.optim import lr_scheduler
from tinyseq.saving import CheckpointError, load_checkpoint
from tinyseq.training import (
    Callback,
    Diverged,
    EarlyStopping,
    Interrupted,
    ModelCheckpoint,
    Trainer,
    newest,
    sequence_cross_entropy,
)

ROOT = Path(__file__).parents[2]
random = np.random.default_rng(0)
ROWS = [random.normal(size=(n, 3)).astype(np.float32) for n in random.integers(1, 9, 50)]
SUMS = np.array([row.sum() for row in ROWS], np.float32)
LINES = random.normal(size=(12, 4)).astype(np.float32)
TARGETS = (LINES @ [1, -2, 3, 0.5])[:, None].astype(np.float32)


class Summer(nn.Module):
    """A number for each sequence."""

    def __init__(self, dropout=0.0):
        self.gru, self.drop, self.output = nn.GRU(3, 8), nn.Dropout(dropout), nn.Linear(8, 1)

    def forward(self, x, lengths=None):
        _, h = self.gru(x, lengths=lengths)
        return self.output(self.drop(h[-1]))[:, 0]


def linear(lr=0.1, **more):
    ts.manual_seed(1)
    model = nn.Linear(4, 1)
    return Trainer(model, F.mse_loss, optim.SGD(model.parameters(), lr), **more)


def weights(trainer):
    return [p.data.copy() for p in trainer.model.parameters()]


def same(one, two):
    return all(np.array_equal(a, b) for a, b in zip(one, two, strict=True))


class Seen(Callback):
    """The events, and the learning rate after each step."""

    def __init__(self):
        self.events, self.lrs = [], []

    def on_train_begin(self, trainer):
        self.events.append("train")

    def on_train_end(self, trainer):
        self.events.append("end")

    def on_epoch_begin(self, trainer):
        self.events.append(f"epoch {trainer.epoch}")

    def on_epoch_end(self, trainer):
        self.events.append(f"after epoch {trainer.epoch}")

    def on_step_end(self, trainer):
        self.events.append(trainer.step)
        self.lrs.append(trainer.optimizer.lr)

    def on_evaluate_end(self, trainer):
        self.events.append(f"row {len(trainer.history.rows)}")


def test_it_is_the_loop_one_would_write():
    trainer, other = linear(clip_grad_norm=0.5), linear()
    trainer.fit(DataLoader(LINES, TARGETS, 5), epochs=3)
    for _ in range(3):
        for first in (0, 5, 10):
            part = slice(first, first + 5)
            loss = F.mse_loss(other.model(LINES[part]), TARGETS[part])
            other.optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(other.model.parameters(), 0.5)
            other.optimizer.step()
    assert same(weights(trainer), weights(other))


def test_batches_may_be_plain_tuples():
    trainer, other = linear(), linear()
    trainer.fit([(LINES[:6], TARGETS[:6]), (LINES[6:], TARGETS[6:])], epochs=2)
    other.fit(DataLoader(LINES, TARGETS, 6), epochs=2)
    assert same(weights(trainer), weights(other))


def test_batches_accumulated_are_one_large_batch():
    whole, parts = linear(), linear(accumulate=3)
    whole.fit(DataLoader(LINES, TARGETS, 6), epochs=2)
    parts.fit(DataLoader(LINES, TARGETS, 2), epochs=2)
    assert whole.step == parts.step == 4
    for a, b in zip(weights(whole), weights(parts), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)
    few = linear(accumulate=4)
    few.fit(DataLoader(LINES, TARGETS, 2))  # six batches: a step of four, and one of two
    assert few.step == 2


def test_epochs_steps_and_rows():
    data = DataLoader(LINES, TARGETS, 4)
    seen = Seen()
    history = linear().fit(data, data, epochs=2, callbacks=[seen])
    assert seen.events == [
        "train", "epoch 0", 1, 2, 3, "row 1", "after epoch 1",
        "epoch 1", 4, 5, 6, "row 2", "after epoch 2", "end",
    ]  # fmt: skip
    assert history["step"] == [3, 6] and history["epoch"] == [1, 2]
    assert list(history) == ["step", "epoch", "lr", "loss", "val_loss"]

    seen, trainer = Seen(), linear()
    trainer.fit(data, steps=5, evaluate_every=2, callbacks=[seen])
    assert seen.events == [
        "train", "epoch 0", 1, 2, "row 1", 3, "after epoch 1", "epoch 1", 4, "row 2", 5, "row 3",
        "end",
    ]  # fmt: skip
    assert trainer.fit(data, steps=1, callbacks=[seen])["step"] == [2, 4, 5, 6]
    assert seen.events[-5:] == ["train", "epoch 1", 6, "row 4", "end"]  # an epoch begins anew


def test_the_rows_hold_means_over_all_that_counts():
    trainer = linear(lr=0.0, metrics=[MeanAbsoluteError()])
    history = trainer.fit(DataLoader(LINES, TARGETS, 5), DataLoader(LINES, TARGETS, 7))
    with ts.no_grad():
        error = trainer.model(LINES).data - TARGETS
    for name in ("loss", "val_loss"):
        np.testing.assert_allclose(history[name], [np.mean(error**2)], rtol=1e-6)
    (name,) = (m.name for m in trainer.metrics)
    np.testing.assert_allclose(history[f"val_{name}"], [np.abs(error).mean()], rtol=1e-6)
    np.testing.assert_allclose(history[name], history[f"val_{name}"], rtol=1e-6)


def test_padding_does_not_count():
    ts.manual_seed(0)
    ids = [np.arange(n) % 5 for n in (2, 7, 4)]
    model = nn.Sequential(nn.Embedding(5, 4), nn.LSTM(4, 6), nn.Linear(6, 5))
    trainer = Trainer(model, sequence_cross_entropy, optim.SGD(model.parameters()), [Accuracy()])
    together = trainer.evaluate(DataLoader(ids, ids))
    apart = [trainer.evaluate([(row[None], row[None])]) for row in ids]
    for name, value in together.items():
        alone = np.average([one[name] for one in apart], weights=[2, 7, 4])
        np.testing.assert_allclose(value, alone, rtol=1e-6)


def test_padding_of_ones_own_does_not_count():
    rows = [np.arange(n) % 5 for n in (2, 7, 4)]
    padded, lengths = pad_sequences(rows)
    ts.manual_seed(0)
    model = nn.Sequential(nn.Embedding(5, 4), nn.LSTM(4, 6), nn.Linear(6, 5))
    trainer = Trainer(model, sequence_cross_entropy, optim.SGD(model.parameters()), [Perplexity()])
    found = trainer.evaluate(DataLoader(padded, padded, lengths=lengths))
    assert found == trainer.evaluate(DataLoader(rows, rows))
    np.testing.assert_allclose(found["perplexity"], np.exp(found["loss"]), rtol=1e-6)


def test_lengths_leave_out_the_gradient_of_padding_and_no_more():
    logits = ts.tensor(random.normal(size=(3, 4, 5)), requires_grad=True)
    targets = random.integers(0, 5, (3, 4))
    sequence_cross_entropy(logits, targets, lengths=[0, 4, 2]).backward()
    real = np.arange(4) < np.array([0, 4, 2])[:, None]
    assert (logits.grad.data[real] != 0).all() and (logits.grad.data[~real] == 0).all()
    whole = sequence_cross_entropy(logits[:, 0], targets[:, 0], lengths=[0, 4, 2])  # a class a row
    assert whole.item() == sequence_cross_entropy(logits[:, 0], targets[:, 0]).item()
    with pytest.raises(ValueError, match="sequence_cross_entropy: lengths must be from 0 to 4"):
        sequence_cross_entropy(logits, targets, lengths=[0, 5, 2])


def test_lengths_reach_the_loss_and_inputs_by_name():
    given = {}

    class Two(nn.Module):
        def __init__(self):
            self.weight = nn.Parameter(np.ones(1, np.float32))

        def forward(self, source, target, target_lengths=None):
            given["target"] = target_lengths
            return self.weight * ts.tensor(target)

    def loss(output, y, lengths=None):
        given["loss"] = lengths
        return (output - y).sum()

    model = Two()
    trainer = Trainer(model, loss, optim.SGD(model.parameters()))
    x = (np.ones((2, 3), np.float32), np.ones((2, 4), np.float32))
    lengths = (np.array([3, 1]), np.array([4, 2]))
    trainer.evaluate([Batch(x, x[1], lengths)])
    assert given["target"] is lengths[1] and given["loss"] is lengths[1]
    rows = trainer.predict([Batch(x, None, lengths), Batch((x[0], x[1][:, :2]), None, lengths)])
    assert [row.shape for row in rows] == [(4,), (2,), (2,), (2,)]


def test_predict_gives_all_rows_as_in_evaluation_mode():
    ts.manual_seed(0)
    model = Summer(dropout=0.5)
    trainer = Trainer(model, F.mse_loss, optim.SGD(model.parameters()))
    found = trainer.predict(DataLoader(ROWS, batch_size=7))
    assert model.training
    alone = [model.eval()(row[None]).data[0] for row in ROWS]
    np.testing.assert_allclose(found, alone, rtol=1e-5, atol=1e-6)
    assert trainer.predict(ROWS[0][None]).shape == (1,)


def test_the_mode_is_given_back_also_after_an_error():
    trainer = linear()
    trainer.model.eval()
    trainer.fit(DataLoader(LINES, TARGETS))
    assert not trainer.model.training
    trainer.model.train()
    for call in (trainer.evaluate, trainer.predict):
        with pytest.raises(ValueError):
            call([(LINES[:, :3], TARGETS)])
        assert trainer.model.training


def test_a_schedule_goes_by_steps_epochs_or_evaluations():
    def lrs(schedule, make):
        trainer, seen = linear(), Seen()
        trainer.scheduler, trainer.schedule = make(trainer.optimizer), schedule
        data = DataLoader(LINES, TARGETS, 6)
        history = trainer.fit(data, data, epochs=3, callbacks=[seen])
        return seen.lrs, history["lr"]

    by_step, _ = lrs("step", lambda o: lr_scheduler.StepLR(o, 2, 0.5))
    np.testing.assert_allclose(by_step, [0.1, 0.05, 0.05, 0.025, 0.025, 0.0125])
    by_epoch, _ = lrs("epoch", lambda o: lr_scheduler.StepLR(o, 2, 0.5))
    np.testing.assert_allclose(by_epoch, [0.1, 0.1, 0.1, 0.1, 0.05, 0.05])
    plateau = lambda o: lr_scheduler.ReduceLROnPlateau(o, factor=0.1, patience=0, threshold=10.0)  # noqa: E731
    by_loss, rows = lrs("evaluation", plateau)
    np.testing.assert_allclose(by_loss, [0.1, 0.1, 0.1, 0.1, 0.01, 0.01])
    np.testing.assert_allclose(rows, [0.1, 0.1, 0.01])


def test_what_is_not_finite_stops_before_anything_is_changed():
    trainer = linear()
    before = weights(trainer)
    wrong = TARGETS.copy()
    wrong[7] = np.nan
    with pytest.raises(Diverged, match="stopped at step 2: loss nan"):
        trainer.fit([(LINES[:6], TARGETS[:6]), (LINES[6:], wrong[6:])], epochs=1)
    after = weights(trainer)
    assert trainer.step == 1 and not same(before, after)
    with pytest.raises(Diverged):
        trainer.fit([(LINES, wrong)])
    assert same(after, weights(trainer))
    with pytest.raises(Diverged, match="validation loss nan"):
        trainer.fit([(LINES, TARGETS)], [(LINES, wrong)])


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"epochs": 0}, "epochs must be a whole number from 1, got 0"),
        ({"epochs": 1.5}, "epochs must be a whole number from 1, got 1.5"),
        ({"steps": 0}, "steps must be a whole number"),
        ({"evaluate_every": 0}, "evaluate_every must be a whole number"),
        ({"epochs": 1, "steps": 1}, "expected epochs or steps, got both"),
    ],
)
def test_impossible_numbers_are_refused(more, message):
    with pytest.raises(ValueError, match=message):
        linear().fit(DataLoader(LINES, TARGETS), **more)


def test_settings_out_of_range_are_refused():
    for more in (
        {"schedule": "day"},
        {"clip_grad_norm": 0.0},
        {"accumulate": 0},
        {"accumulate": 1.5},
    ):
        with pytest.raises(ValueError, match=f"Trainer: {next(iter(more))} must be"):
            linear(**more)


def test_nothing_to_read_is_an_error():
    trainer = linear()
    for call in (trainer.fit, trainer.evaluate, lambda data: trainer.fit(iter(data))):
        with pytest.raises(DataError, match="data is empty"):
            call([])


def test_an_iterator_does_for_one_epoch_only():
    x = np.zeros((2, 4), np.float32)
    trainer = linear()
    with pytest.raises(DataError, match=r"gave nothing in epoch 2: an iterator can be read once"):
        trainer.fit(iter([(x, x[:, :1])]), epochs=2)
    assert trainer.step == 1 and len(trainer.history["loss"]) == 1


def test_what_is_no_batch_is_refused():
    x, y = np.zeros((2, 4), np.float32), np.zeros((2, 1), np.float32)
    for data in ((x, y), x):
        for call in (linear().fit, linear().evaluate):
            with pytest.raises(DataError, match=r"must give batches .* got ndarray"):
                call(data)
    with pytest.raises(DataError, match="the batch has no y"):
        linear().fit(DataLoader(x))


def test_what_is_no_metric_is_refused():
    for metric in ("accuracy", Accuracy):
        with pytest.raises(TypeError, match="metrics must be objects such as"):
            linear(metrics=[metric])


# Going on


def long_run(folder, resume=None, stop_after=None, **more):
    """A run with a bit of everything that must survive."""
    ts.manual_seed(3)
    model = Summer(dropout=0.3)
    optimizer = optim.AdamW(model.parameters(), 1e-2)
    trainer = Trainer(
        model, F.mse_loss, optimizer, [MeanAbsoluteError()], clip_grad_norm=1.0, accumulate=2,
        scheduler=lr_scheduler.CosineAnnealingLR(optimizer, 18),
        callbacks=[ModelCheckpoint(folder, keep=100, every=1), EarlyStopping(patience=4)],
    )  # fmt: skip
    if resume:
        ts.rand(3)  # somewhere else than where the run was
    data = DataLoader(ROWS[:40], SUMS[:40], 8, shuffle=True, bucket=2, seed=5)
    trainer.fit(data, DataLoader(ROWS[40:], SUMS[40:]), epochs=6, resume=resume, **more)
    return trainer


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    return long_run(folder), sorted(folder.glob("step-*"))


@pytest.mark.parametrize("number", range(18))
def test_every_checkpoint_goes_on_to_the_same_bits(tmp_path, whole, number):
    trainer, files = whole
    assert len(files) == 18
    again = long_run(tmp_path, files[number])
    assert same(weights(trainer), weights(again))
    assert trainer.history.rows == again.history.rows
    assert trainer.optimizer.lr == again.optimizer.lr
    assert (
        newest(tmp_path if number < 17 else files[0].parent).read_bytes() == files[-1].read_bytes()
    )


def test_so_does_one_between_a_step_and_its_evaluation(tmp_path):
    class Early(Callback):
        def on_step_end(self, trainer):
            trainer.save(tmp_path / f"early-{trainer.step}")

    data = DataLoader(LINES, TARGETS, 4)
    whole = linear()
    whole.fit(data, data, steps=8, evaluate_every=2, callbacks=[Early()])
    for step in range(1, 9):
        again, data = linear(), DataLoader(LINES, TARGETS, 4)
        again.fit(data, data, steps=8, evaluate_every=2, resume=tmp_path / f"early-{step}")
        assert again.history.rows == whole.history.rows


def test_measuring_moves_nothing_that_training_needs():
    class Carries(Trainer):
        """Adds the number of batches since the beginning to the loss."""

        read = 0

        def start_epoch(self, training):
            self.read = 0

        def compute_loss(self, batch):
            loss, output = super().compute_loss(batch)
            self.read += 1
            return loss * self.read, output

        def carried(self):
            return {"read": self.read}

        def carry(self, carried):
            self.read = carried["read"]

    def run(**more):
        ts.manual_seed(1)
        model = nn.Linear(4, 1)
        data = DataLoader(LINES, TARGETS, 3, shuffle=True)
        trainer = Carries(model, F.mse_loss, optim.SGD(model.parameters(), 0.01))
        trainer.fit(data, data if more else None, epochs=3, **more)
        return weights(trainer)

    assert same(run(), run(evaluate_every=1))


def test_a_checkpoint_of_another_run_changes_nothing(tmp_path, whole):
    _, files = whole
    trainer = linear()
    trainer.fit(DataLoader(LINES, TARGETS, 5))
    before, step = weights(trainer), trainer.step
    with pytest.raises(CheckpointError, match="does not fit this run"):
        trainer.fit(DataLoader(LINES, TARGETS, 5), resume=files[3])
    assert same(before, weights(trainer)) and trainer.step == step
    with pytest.raises(CheckpointError, match="no such checkpoint"):
        trainer.load(tmp_path / "none")
    with pytest.raises(CheckpointError, match="does not fit this run"):  # other data
        long_run_with(files[3], DataLoader(ROWS[:30], SUMS[:30], 8))


def long_run_with(file, data):
    model = Summer()
    optimizer = optim.AdamW(model.parameters(), 1e-2)
    scheduler = lr_scheduler.CosineAnnealingLR(optimizer, 18)
    trainer = Trainer(model, F.mse_loss, optimizer, [MeanAbsoluteError()], scheduler)
    trainer.fit(data, resume=file)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_after_the_step_with_a_checkpoint(tmp_path, whole, number):
    class Kill(Callback):
        def on_step_end(self, trainer):
            if trainer.step == 7:
                os.kill(os.getpid(), number)

    before = signal.getsignal(number)  # a program in the background may ignore one
    with pytest.raises(Interrupted) as caught:
        long_run(tmp_path, callbacks=[Kill()])
    assert caught.value.signal == number
    assert signal.getsignal(number) == before
    again = long_run(tmp_path, newest(tmp_path))
    assert same(weights(whole[0]), weights(again))


@pytest.mark.parametrize("step", [3, 18])
def test_what_ends_between_a_step_and_its_evaluation_goes_on(tmp_path, monkeypatch, whole, step):
    class Killed(Exception):
        pass

    def validate(trainer):
        if trainer.step == step:
            raise Killed
        return measured(trainer)

    with monkeypatch.context() as patch:
        measured = Trainer.validate
        patch.setattr(Trainer, "validate", validate)
        with pytest.raises(Killed):
            long_run(tmp_path)
    again = long_run(tmp_path, newest(tmp_path))
    assert same(weights(whole[0]), weights(again))
    assert dict(again.history) == dict(whole[0].history)


def test_a_killed_process_goes_on_to_the_same_bits(tmp_path, whole):
    program = (
        "import sys, time; from tests.training.test_trainer import *\n"
        "class Slow(Callback):\n"
        "    def on_step_end(self, trainer): time.sleep(0.02)\n"
        "folder = sys.argv[1]\n"
        "try: resume = newest(folder)\n"
        "except CheckpointError: resume = None\n"
        "print('begun', flush=True)\n"
        "long_run(folder, resume, callbacks=[Slow()])\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path)]
    moments = np.random.default_rng(time.time_ns())
    for _ in range(3):
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert process.stdout.readline() == "begun\n"
        time.sleep(moments.uniform(0, 0.3))
        process.kill()
        process.communicate()
    assert subprocess.run(command, cwd=ROOT, stdout=subprocess.DEVNULL).returncode == 0
    (arrays, about), (wanted, told) = map(load_checkpoint, (newest(tmp_path), whole[1][-1]))
    del about["training"]["callbacks"]["Slow.0"]
    assert about == told and arrays.keys() == wanted.keys()
    assert all(np.array_equal(array, wanted[name]) for name, array in arrays.items())
