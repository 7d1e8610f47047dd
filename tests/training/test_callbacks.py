"""Stopping early, keeping checkpoints, and a bar."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

import tinyseq as ts
from tinyseq import nn, optim
from tinyseq.data import DataLoader
from tinyseq.nn import functional as F
from tinyseq.saving import CheckpointError, load_checkpoint
from tinyseq.training import (
    Callback,
    Diverged,
    EarlyStopping,
    History,
    ModelCheckpoint,
    ProgressBar,
    Trainer,
    newest,
)

X = np.random.default_rng(0).normal(size=(12, 3)).astype(np.float32)
DATA = DataLoader(X, X.sum(1, keepdims=True), 4)


def new(**more):
    ts.manual_seed(0)
    model = nn.Linear(3, 1)
    return Trainer(model, F.mse_loss, optim.SGD(model.parameters(), 0.1), **more)


class Measured(Callback):
    """Puts figures of the test's own in the place of the loss."""

    def __init__(self, *figures):
        self.figures = list(figures)

    def on_evaluate_end(self, trainer):
        trainer.history.rows[-1]["val_loss"] = self.figures.pop(0)


@pytest.mark.parametrize(
    ("figures", "more", "epochs"),
    [
        ([3, 2, 2.5, 2.1, 9, 9], {"patience": 2}, 4),
        ([3, 2, 2.5, 1, 1, 1, 0], {"patience": 2}, 6),
        ([3, 2.95, 2.9, 2.85], {"patience": 2, "min_delta": 0.2}, 3),
        ([1, 2, 3, 2, 2, 9], {"patience": 2, "mode": "max"}, 5),
        ([float(i) for i in range(9, 0, -1)], {"patience": 1}, 8),
        (
            [math.nan, 3, 2, math.nan, 1, 9, 9],
            {"patience": 2},
            7,
        ),  # nothing counted, nothing better
    ],
)
def test_it_stops_when_nothing_has_become_better(figures, more, epochs):
    trainer = new()
    trainer.fit(DATA, epochs=8, callbacks=[Measured(*figures, 0, 0), EarlyStopping(**more)])
    assert trainer.epoch == epochs


def test_what_is_not_measured_is_named():
    with pytest.raises(
        KeyError, match=r"'val_loss' is not measured; there are step, epoch, lr, loss"
    ):
        new().fit(DATA, callbacks=[EarlyStopping()])


def test_settings_out_of_range_are_refused(tmp_path):
    for make in (
        lambda: EarlyStopping(patience=0),
        lambda: EarlyStopping(mode="most"),
        lambda: ModelCheckpoint(tmp_path, keep=0),
        lambda: ModelCheckpoint(tmp_path, every=0),
        lambda: ModelCheckpoint(tmp_path, mode="most"),
    ):
        with pytest.raises(ValueError, match="must be"):
            make()


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def test_the_best_and_the_last_few_are_kept(tmp_path):
    figures = Measured(3, 1, 2, 4)
    new().fit(DATA, epochs=4, callbacks=[ModelCheckpoint(tmp_path / "a" / "b", keep=2), figures])
    folder = tmp_path / "a" / "b"
    assert names(folder) == ["best.safetensors", "step-00000009.safetensors",
                             "step-00000012.safetensors"]  # fmt: skip
    assert load_checkpoint(folder / "best.safetensors")[1]["training"]["step"] == 6
    assert newest(folder) == folder / "step-00000012.safetensors"


def test_checkpoints_also_come_every_so_many_steps(tmp_path):
    new().fit(DATA, epochs=3, callbacks=[ModelCheckpoint(tmp_path, None, keep=9, every=2)])
    assert [name[-15:-12] for name in names(tmp_path)] == [f"{n:03d}" for n in (2, 3, 4, 6, 8, 9)]


def test_the_best_so_far_survives_a_resume(tmp_path):
    new().fit(DATA, epochs=2, callbacks=[Measured(1, 5), ModelCheckpoint(tmp_path)])
    best = (tmp_path / "best.safetensors").read_bytes()
    again = new()
    again.fit(
        DATA, epochs=3, resume=newest(tmp_path), callbacks=[Measured(2), ModelCheckpoint(tmp_path)]
    )
    assert again.epoch == 3 and (tmp_path / "best.safetensors").read_bytes() == best


def test_a_folder_that_cannot_be_written_is_found_before_the_first_step(tmp_path):
    (tmp_path / "file").write_text("x")
    trainer = new()
    with pytest.raises(CheckpointError):
        trainer.fit(DATA, callbacks=[ModelCheckpoint(tmp_path / "file" / "runs")])
    assert trainer.step == 0
    with pytest.raises(CheckpointError, match="holds no checkpoint"):
        newest(tmp_path)


def test_weights_that_are_not_finite_are_never_kept(tmp_path):
    class Spoil(Callback):
        def on_evaluate_end(self, trainer):
            trainer.model.weight.data[0, 0] = np.inf

    with pytest.raises(Diverged, match="a weight is not finite"):
        new().fit(DATA, callbacks=[ModelCheckpoint(tmp_path, None), Spoil()])
    assert names(tmp_path) == []


def test_off_a_terminal_a_line_for_each_row(capsys):
    new(callbacks=[ProgressBar()]).fit(DATA, DATA, epochs=2)
    lines = capsys.readouterr().err.splitlines()
    assert [line.split(":")[0] for line in lines] == ["step 3/6", "step 6/6"]
    assert all("loss " in line and "val_loss " in line and "per second" in line for line in lines)


def test_on_a_terminal_a_bar(monkeypatch):
    import io
    import sys

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    monkeypatch.setattr(sys, "stderr", Terminal())
    new(callbacks=[ProgressBar()]).fit(DATA, epochs=2)
    shown = sys.stderr.getvalue()
    assert "6/6" in shown and "loss=" not in shown and "loss " in shown


def test_the_bar_is_closed_after_an_error():
    bar = ProgressBar()
    with pytest.raises(ValueError):
        new(callbacks=[bar]).fit([(X[:, :2], X)])
    assert bar._bar.disable or bar._bar.n == 0
    bar.on_evaluate_end(SimpleNamespace(history=History(), step=0, steps=1, began=(0, 0)))
