import numpy as np
import pytest

import tinyseq as ts
from tinyseq import nn


def test_the_table_by_hand():
    model = nn.Sequential(nn.Embedding(50, 10), nn.LSTM(10, 32), nn.LastStep(), nn.Linear(32, 50))
    model[0].weight.requires_grad = False
    found = ts.summary(model, np.zeros((2, 7), int), lengths=[7, 2])
    assert (
        str(found)
        == """\
Layer           Output shape  Parameters   Bytes
------------------------------------------------
Sequential      (2, 50)                0       0
  0: Embedding  (2, 7, 10)           500   2,000
  1: LSTM       (2, 7, 32)         5,632  22,528
  2: LastStep   (2, 32)                0       0
  3: Linear     (2, 50)            1,650   6,600
------------------------------------------------
Total                              7,782  31,128
500 of them frozen"""
    )
    assert (found.parameters, found.trained, found.bytes) == (7782, 7282, 31128)
    assert found.parameters == sum(p.data.size for p in model.parameters())
    assert [row.name for row in found.rows] == [name for name, _ in model.named_modules()]


def test_what_is_shared_counts_once_and_where_it_comes_first():
    class Tied(nn.Module):
        def __init__(self):
            self.embed = nn.Embedding(5, 3)
            self.again = self.embed
            self.head = nn.Linear(3, 5, bias=False).to(np.float64)
            self.tied = nn.Linear(3, 5)
            self.tied.weight = self.embed.weight
            self.unused = nn.Dropout(0.5)

        def forward(self, ids):
            return self.tied(self.again(ids)), self.head(np.ones((1, 3)))

    found = ts.summary(Tied(), [0, 1])
    assert [(row.name, row.shape, row.parameters, row.bytes) for row in found.rows] == [
        ("", "(2, 5)", 0, 0),
        ("embed", "(2, 3)", 15, 60),
        ("head", "(1, 5)", 15, 120),
        ("tied", "(2, 5)", 5, 20),
        ("unused", "", 0, 0),
    ]
    assert str(found).splitlines()[-3].split() == ["unused:", "Dropout", "-", "0", "0"]
    assert (found.parameters, found.bytes) == (35, 200)


def test_the_model_is_as_before_also_after_an_error():
    model = nn.Sequential(nn.Linear(2, 3), nn.Dropout(0.9), nn.Linear(3, 2))
    model[2].eval()
    before = [(dict(vars(m)), m.training) for m in model.modules()]
    ts.summary(model, ts.ones(1, 2))
    with pytest.raises(ValueError, match="Linear: x must be"):
        ts.summary(model, ts.ones(1, 5))
    for module, (attributes, training) in zip(model.modules(), before, strict=True):
        assert module.training == training
        assert "forward" not in vars(module)
        assert attributes.keys() <= vars(module).keys()
    with pytest.raises(TypeError, match="summary: expected a Module, got int"):
        ts.summary(3)
