import numpy as np
import pytest

import tinyseq as ts
from tinyseq import nn


def test_sequential_calls_in_order_and_numbers_its_parts():
    model = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.0), nn.Linear(4, 2))
    names = [name for name, _ in model.named_parameters()]
    assert names == ["0.weight", "0.bias", "2.weight", "2.bias"]
    x = ts.ones(5, 3)
    np.testing.assert_array_equal(model(x).data, model[2](model[0](x)).data)
    assert len(model) == 3
    assert nn.Sequential()(x) is x


def test_module_list_grows_and_is_walked():
    layers = nn.ModuleList([nn.Linear(1, 1)])
    layers.append(nn.Linear(2, 2))
    assert [layer.in_features for layer in layers] == [1, 2]
    assert layers[-1].in_features == 2
    assert "1.weight" in layers.state_dict()
    with pytest.raises(TypeError, match="expected a Module, got int"):
        layers.append(3)
    with pytest.raises(NotImplementedError):
        layers(1)


def test_a_slice_is_a_container_of_the_same_modules():
    model = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.0), nn.Linear(4, 2))
    head = model[:2]
    assert type(head) is nn.Sequential and len(head) == 2 and head[0] is model[0]
    assert head(ts.ones(5, 3)).shape == (5, 4)
    assert [name for name, _ in model[2:].named_parameters()] == ["0.weight", "0.bias"]
    assert type(nn.ModuleList([nn.Linear(1, 1)])[:0]) is nn.ModuleList
    with pytest.raises(IndexError):
        model[3]
