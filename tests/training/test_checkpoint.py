"""A file from a stranger: it is taken whole, or refused in one line with nothing changed."""

import json

import numpy as np
import pytest

import tinyseq as ts
from tinyseq import nn, optim
from tinyseq.data import DataLoader
from tinyseq.metrics import MeanAbsoluteError
from tinyseq.nn import functional as F
from tinyseq.optim import lr_scheduler
from tinyseq.saving import CheckpointError
from tinyseq.training import EarlyStopping, Trainer
from tinyseq.training.checkpoint import load_trainer

X = np.random.default_rng(0).normal(size=(12, 3)).astype(np.float32)
Y = X.sum(1, keepdims=True)
LIES = [None, True, -1, 10**30, 1e308, "x", [], {}, [[]], {"array": "weight"}, {"array": "none"}]


def new(seed=0):
    ts.manual_seed(seed)
    model = nn.Linear(3, 1)
    optimizer = optim.Adam(model.parameters(), 1e-2)
    trainer = Trainer(
        model, F.mse_loss, optimizer, [MeanAbsoluteError()],
        scheduler=lr_scheduler.CosineAnnealingLR(optimizer, 10), callbacks=[EarlyStopping("loss")],
    )  # fmt: skip
    trainer.fit(DataLoader(X, Y, 5, shuffle=True), steps=2)
    return trainer


def everything(trainer):
    """All that a run is, as bytes."""
    arrays = [p.data.tobytes() for p in trainer.model.parameters()]
    optimizer, scheduler = trainer.optimizer.state_dict(), trainer.scheduler.state_dict()
    told = [trainer.step, trainer.epoch, trainer.batch, trainer.began, trainer.history.rows]
    return repr((arrays, optimizer, scheduler, told, ts.random.get_state(), trainer.means.count))


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "run.safetensors"
    new(seed=1).save(path)
    return path


def parts(raw):
    """A safetensors file's header and its numbers."""
    length = int.from_bytes(raw[:8], "little")
    return json.loads(raw[8 : 8 + length]), raw[8 + length :]


def whole(header, body):
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + body


def places(tree, path=()):
    """The path to every value in nested dictionaries and lists."""
    for key, value in tree.items() if isinstance(tree, dict) else enumerate(tree):
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from places(value, (*path, key))


def lie(tree, random):
    """One value of it, anywhere, becomes something else, or goes."""
    *before, last = list(places(tree))[random.integers(sum(1 for _ in places(tree)))]
    for key in before:
        tree = tree[key]
    if random.random() < 0.2:
        del tree[last]
    else:
        tree[last] = LIES[random.integers(len(LIES))]


def bytes_changed(raw, random):
    raw = bytearray(raw)
    for place in random.integers(len(raw), size=random.integers(1, 9)):
        raw[place] = random.integers(256)
    return bytes(raw)


def header_lies(raw, random):
    header, body = parts(raw)
    lie(header, random)
    return whole(header, body)


def description_lies(raw, random):
    header, body = parts(raw)
    told = json.loads(header["__metadata__"]["tinyseq"])
    lie(told, random)
    header["__metadata__"]["tinyseq"] = json.dumps(told)
    return whole(header, body)


DAMAGES = {
    "random bytes": lambda raw, random: random.bytes(random.integers(200)),
    "cut short": lambda raw, random: raw[: random.integers(len(raw))],
    "bytes changed": bytes_changed,
    "header lies": header_lies,
    "description lies": description_lies,
}


@pytest.mark.parametrize("kind", DAMAGES)
def test_a_damaged_file_is_refused_whole_or_taken_whole(file, kind):
    random = np.random.default_rng(sorted(DAMAGES).index(kind))
    raw = file.read_bytes()
    trainer = new()
    refused = 0
    for _ in range(80):
        before = everything(trainer)
        file.write_bytes(DAMAGES[kind](raw, random))
        try:
            load_trainer(file, trainer)
        except CheckpointError as error:
            refused += 1
            assert "\n" not in str(error) and str(file) in str(error)
            assert everything(trainer) == before
    assert refused > 15


def test_what_is_larger_than_any_memory_is_not_made(file):
    header, body = parts(file.read_bytes())
    header["weight"]["shape"] = [1 << 40, 3]
    file.write_bytes(whole(header, body))
    with pytest.raises(CheckpointError):
        new().load(file)
    file.write_bytes((1 << 62).to_bytes(8, "little") + body)
    with pytest.raises(CheckpointError):
        new().load(file)


def test_a_run_made_otherwise_is_refused(file):
    for change in ("model", "optimizer", "metrics", "scheduler"):
        trainer = new()
        if change == "model":
            trainer.model = nn.Linear(4, 1)
        elif change == "optimizer":
            trainer.optimizer = optim.SGD(trainer.model.parameters(), momentum=0.9)
        elif change == "metrics":
            trainer.means.metrics = []
        else:
            trainer.scheduler = lr_scheduler.ReduceLROnPlateau(trainer.optimizer)
        before = everything(trainer)
        with pytest.raises(CheckpointError, match="does not fit this run"):
            trainer.load(file)
        assert everything(trainer) == before, change


def test_the_models_arrays_have_their_own_names(file):
    from safetensors.numpy import load_file

    assert {"weight", "bias"} < set(load_file(file))
    model = nn.Linear(3, 1)
    model.load_state_dict({k: v for k, v in load_file(file).items() if "/" not in k})
