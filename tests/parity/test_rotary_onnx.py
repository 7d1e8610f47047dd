"""ONNX's own cases for RotaryEmbedding."""

from importlib import import_module

import numpy as np
import pytest

from tinyseq.nn import functional as F

onnx = pytest.importorskip("onnx", reason="onnx is not installed")
node_cases = pytest.importorskip("onnx.backend.test.case.node")

import_module("onnx.backend.test.case.node.rotaryembedding")  # makes the cases
CASES = {
    case.name: case
    for case in node_cases._NodeTestCases
    if case.model.graph.node[0].op_type == "RotaryEmbedding"
}


def test_the_cases_are_there():
    assert len(CASES) >= 8


@pytest.mark.parametrize("name", CASES)
def test_onnx_own_case(name):
    node = CASES[name].model.graph.node[0]
    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    heads = attributes.pop("num_heads", None)
    interleaved = bool(attributes.pop("interleaved", 0))
    size = attributes.pop("rotary_embedding_dim", 0)
    assert attributes == {}
    for (x, cos, sin, *positions), (wanted,) in CASES[name].data_sets:
        if positions:
            cos, sin = cos[positions[0]], sin[positions[0]]
        assert size in (0, 2 * cos.shape[-1])
        flat = x.ndim == 3  # (B,T,N d)
        if flat:
            x = x.reshape(*x.shape[:2], heads, -1).swapaxes(1, 2)
        y = F.rotary_embedding(x, cos, sin, interleaved).data
        if flat:
            y = y.swapaxes(1, 2).reshape(wanted.shape)
        np.testing.assert_allclose(y, wanted, rtol=1e-5, atol=1e-6)
