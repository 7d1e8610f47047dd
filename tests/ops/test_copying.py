"""Copies and pickles of what holds an op."""

import copy
import pickle

import numpy as np
import pytest

import tinyseq as ts
from tinyseq import nn
from tinyseq.autograd import REGISTRY


@pytest.mark.parametrize("name", sorted(REGISTRY))
def test_an_op_is_itself_in_every_copy(name):
    op = REGISTRY[name]
    assert pickle.loads(pickle.dumps(op)) is op
    assert copy.deepcopy(op) is op and copy.copy(op) is op


def test_a_layer_that_holds_one_can_be_sent_elsewhere():
    layer = nn.TransformerEncoderLayer(8, 2, 16, dropout=0.0, activation=ts.tanh)
    x = ts.randn(2, 3, 8)
    again = pickle.loads(pickle.dumps(layer))
    np.testing.assert_array_equal(again(x).data, layer(x).data)
    assert again.linear1.weight is not layer.linear1.weight
