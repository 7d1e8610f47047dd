import numpy as np
import pytest

import tinyseq as ts
from tinyseq import nn


class Two(nn.Module):
    def __init__(self):
        self.first = nn.Linear(3, 4)
        self.scale = nn.Parameter(np.ones(4, np.float32))
        self.second = nn.Linear(4, 2, bias=False)
        self.drop = nn.Dropout(0.5)
        self.register_buffer("mean", ts.zeros(2))

    def forward(self, x):
        return self.second(self.drop(self.first(x) * self.scale)) + self.mean


NAMES = ["scale", "first.weight", "first.bias", "second.weight"]


def test_parameters_buffers_and_modules_are_found_by_name():
    model = Two()
    assert [name for name, _ in model.named_parameters()] == NAMES
    assert [p.shape for p in model.parameters()] == [(4,), (4, 3), (4,), (2, 4)]
    assert all(p.requires_grad for p in model.parameters())
    assert [name for name, _ in model.named_buffers()] == ["mean"]
    assert [name for name, _ in model.named_modules()] == ["", "first", "second", "drop"]
    assert [name for name, _ in model.named_children()] == ["first", "second", "drop"]
    assert set(model.state_dict()) == {*NAMES, "mean"}


def test_shared_parts_come_once_but_are_saved_under_each_name():
    class Shared(nn.Module):
        def __init__(self):
            self.a = nn.Linear(2, 2)
            self.b = self.a
            self.weight = self.a.weight

    model = Shared()
    assert len(list(model.parameters())) == 2
    assert len(list(model.modules())) == 2
    assert set(model.state_dict()) == {"weight", "a.weight", "a.bias", "b.weight", "b.bias"}


def test_two_values_for_one_shared_parameter_are_refused():
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    free = {name: value.data.copy() for name, value in model.state_dict().items()}
    model[1].weight = model[0].weight
    before = model[0].weight.data.copy()
    with pytest.raises(
        ValueError, match=r"0\.weight and 1\.weight are one here and have two values"
    ):
        model.load_state_dict(free | {"0.bias": np.ones(2)})
    np.testing.assert_array_equal(model[0].weight.data, before)
    np.testing.assert_array_equal(model[0].bias.data, free["0.bias"])
    model.load_state_dict(free | {"0.weight": free["1.weight"]})
    np.testing.assert_array_equal(model[0].weight.data, free["1.weight"])


def test_training_mode_reaches_every_module():
    model = nn.Sequential(Two(), Two())
    assert all(m.training for m in model.modules())
    assert model.eval() is model
    assert not any(m.training for m in model.modules())
    x = ts.ones(5, 3)
    np.testing.assert_array_equal(model[0](x).data, model[0](x).data)
    model.train()
    assert all(m.training for m in model.modules())


def test_state_dict_round_trip_copies_values():
    source, target = Two(), Two()
    source.mean.data[...] = 7
    assert target.load_state_dict(source.state_dict()) == ([], [])
    for name, tensor in target.state_dict().items():
        np.testing.assert_array_equal(tensor.data, source.state_dict()[name].data)
    source.scale.data[...] = 5
    assert (target.scale.data == 1).all()


def test_load_converts_to_the_parameters_own_dtype():
    model = nn.Linear(2, 1)
    model.load_state_dict({"weight": [[1, 2]], "bias": np.array([0.5], np.float64)})
    assert model.weight.dtype == np.float32
    assert model.weight.data.tolist() == [[1.0, 2.0]]


def test_a_bad_state_dict_lists_everything_and_loads_nothing():
    model = Two()
    before = {name: t.data.copy() for name, t in model.state_dict().items()}
    state = {**before, "extra": np.zeros(1), "scale": np.zeros((2, 2))}
    state["first.bias"] = before["first.bias"] + 1
    del state["second.weight"]
    with pytest.raises(ValueError) as caught:
        model.load_state_dict(state)
    message = str(caught.value)
    assert "scale must be (4,), got (2, 2)" in message
    assert "missing second.weight" in message
    assert "unexpected extra" in message
    for name, tensor in model.state_dict().items():
        np.testing.assert_array_equal(tensor.data, before[name])


def test_load_not_strict_reports_what_it_passed_over_but_never_a_shape():
    model = Two()
    result = model.load_state_dict({"scale": np.full(4, 3.0), "extra": 0}, strict=False)
    assert result.unexpected_keys == ["extra"]
    assert set(result.missing_keys) == {"first.weight", "first.bias", "second.weight", "mean"}
    assert (model.scale.data == 3).all()
    with pytest.raises(ValueError, match="scale must be"):
        model.load_state_dict({"scale": np.zeros(5)}, strict=False)


def test_zero_grad_and_apply():
    model = Two().eval()
    model(ts.ones(2, 3)).sum().backward()
    assert all(p.grad is not None for p in model.parameters())
    model.zero_grad()
    assert all(p.grad is None for p in model.parameters())
    seen = []
    assert model.apply(seen.append) is model
    assert seen[-1] is model and len(seen) == 4


def test_to_changes_the_float_type_of_everything():
    model = Two().to(np.float64)
    assert {t.dtype for t in model.state_dict().values()} == {np.dtype(np.float64)}
    assert model(ts.tensor(np.ones((1, 3)))).dtype == np.float64
    with pytest.raises(TypeError, match="float type"):
        model.to(np.int64)


def test_repr_shows_the_tree():
    assert repr(Two()) == (
        "Two(\n"
        "  (first): Linear(3, 4, bias=True)\n"
        "  (second): Linear(4, 2, bias=False)\n"
        "  (drop): Dropout(p=0.5)\n"
        ")"
    )


def test_a_buffer_must_be_a_tensor():
    with pytest.raises(TypeError, match="register_buffer: expected a Tensor, got NoneType"):
        nn.Dropout().register_buffer("mean", None)


def test_a_module_without_forward_says_so():
    with pytest.raises(NotImplementedError, match="Module has no forward"):
        nn.Module()(1)
