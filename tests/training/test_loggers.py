"""The history in files and as a picture."""

import csv
import importlib.util
import json

import numpy as np
import pytest

import tinyseq as ts
from tinyseq import nn, optim
from tinyseq.data import DataLoader
from tinyseq.nn import functional as F
from tinyseq.training import (
    CSVLogger,
    History,
    JSONLinesLogger,
    ModelCheckpoint,
    TensorBoardLogger,
    Trainer,
    newest,
)

X = np.random.default_rng(0).normal(size=(12, 3)).astype(np.float32)


def fit(epochs, *callbacks, resume=None):
    ts.manual_seed(0)
    model = nn.Linear(3, 1)
    trainer = Trainer(model, F.mse_loss, optim.SGD(model.parameters(), 0.1))
    data = DataLoader(X, X.sum(1, keepdims=True), 4)
    return trainer.fit(data, data, epochs=epochs, callbacks=callbacks, resume=resume)


def test_rows_as_comma_separated_values(tmp_path):
    history = fit(3, CSVLogger(tmp_path / "h.csv"))
    with open(tmp_path / "h.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["step", "epoch", "lr", "loss", "val_loss"]
    assert [float(row["val_loss"]) for row in rows] == history["val_loss"]


def test_rows_as_json_lines(tmp_path):
    history = fit(3, JSONLinesLogger(tmp_path / "h.jsonl"))
    lines = (tmp_path / "h.jsonl").read_text().splitlines()
    assert [json.loads(line) for line in lines] == history.rows


def test_a_resumed_run_has_no_row_twice(tmp_path):
    def loggers(name):
        return CSVLogger(tmp_path / f"{name}.csv"), JSONLinesLogger(tmp_path / f"{name}.jsonl")

    fit(4, *loggers("whole"))
    fit(2, *loggers("cut"), ModelCheckpoint(tmp_path / "c", None))
    with open(tmp_path / "cut.jsonl", "a") as file:
        file.write('{"step": 7, ')  # written behind the last checkpoint, and not to the end
    again = (*loggers("cut"), ModelCheckpoint(tmp_path / "c", None))
    fit(4, *again, resume=newest(tmp_path / "c"))
    for kind in ("csv", "jsonl"):
        assert (tmp_path / f"cut.{kind}").read_text() == (tmp_path / f"whole.{kind}").read_text()


def test_columns_have_an_order_and_gaps():
    history = History([{"loss": 1.0, "step": 1, "f1": 0.5}, {"step": 2, "loss": 0.5}])
    assert list(history) == ["step", "loss", "f1"] and len(history) == 3
    assert history["f1"] == [0.5, None]
    with pytest.raises(KeyError, match="accuracy"):
        history["accuracy"]


@pytest.mark.skipif(
    not importlib.util.find_spec("matplotlib"), reason="matplotlib is not installed"
)
@pytest.mark.parametrize("kind", ["png", "svg"])
def test_a_picture(tmp_path, kind):
    fit(3).plot(tmp_path / f"h.{kind}")
    History().plot(tmp_path / "empty.png")
    assert (tmp_path / f"h.{kind}").stat().st_size > 4000


def test_what_is_missing_is_named_with_its_extra(tmp_path, monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ModuleNotFoundError, match=r"tinyseq\[plot\]"):
        History().plot(tmp_path / "h.png")
    monkeypatch.setitem(sys.modules, "tensorboard.summary", None)
    with pytest.raises(ModuleNotFoundError, match=r"tinyseq\[tensorboard\]"):
        TensorBoardLogger(tmp_path)


@pytest.mark.skipif(
    not importlib.util.find_spec("tensorboard"), reason="tensorboard is not installed"
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_scalars_for_tensorboard(tmp_path):
    history = fit(2, TensorBoardLogger(tmp_path))
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(tmp_path))
    events.Reload()
    assert len(events.Tags()["tensors"] or events.Tags()["scalars"]) == 3
    assert len(history.rows) == 2
