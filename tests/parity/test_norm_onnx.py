"""ONNX's own cases for LayerNormalization, RMSNormalization, Gelu and Softmax."""

import numpy as np
import pytest

import tinyseq as ts
from tinyseq.nn import functional as F

onnx = pytest.importorskip("onnx", reason="onnx is not installed")
node_cases = pytest.importorskip("onnx.backend.test.case.node")
# Importing a module makes its cases, from the formula that it holds.
for module in ("gelu", "layernormalization", "rmsnormalization", "softmax"):
    pytest.importorskip(
        f"onnx.backend.test.case.node.{module}", reason=f"this onnx has no {module}"
    )

KINDS = ("LayerNormalization", "RMSNormalization", "Gelu", "Softmax")
# The same names with "_expanded" are the formula as a graph of other nodes, on the same numbers.
CASES = {
    case.name: case
    for case in node_cases._NodeTestCases
    if case.model.graph.node[0].op_type in KINDS
}


def test_the_cases_are_there():
    found = dict.fromkeys(KINDS, 0)
    for case in CASES.values():
        found[case.model.graph.node[0].op_type] += 1
    assert found["LayerNormalization"] >= 15 and found["Softmax"] >= 7 and found["Gelu"] >= 4
    assert found["RMSNormalization"] >= 15


def run(kind, attributes, x, weight=None, bias=None):
    """What we make of a node's inputs: the one output that the layers have."""
    x = ts.tensor(x)
    if kind == "Gelu":
        return F.gelu(x, attributes.get("approximate", b"none").decode())
    axis = attributes.get("axis", -1)
    if kind == "Softmax":
        return F.softmax(x, axis)
    sizes = x.shape[axis:]
    eps = attributes.get("epsilon", 1e-5)
    weight = ts.tensor(np.broadcast_to(weight, sizes).copy())
    if kind == "RMSNormalization":
        return F.rms_norm(x, sizes, weight, eps)
    bias = None if bias is None else ts.tensor(np.broadcast_to(bias, sizes).copy())
    return F.layer_norm(x, sizes, weight, bias, eps)


@pytest.mark.parametrize("name", CASES)
def test_onnx_own_case(name):
    node = CASES[name].model.graph.node[0]
    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    for arrays, wanted in CASES[name].data_sets:
        if any(array.dtype not in (np.float32, np.float64) for array in arrays):
            pytest.skip(f"{arrays[0].dtype} is not a dtype of ours")
        y = run(node.op_type, attributes, *arrays).data
        # Mean and 1 / standard deviation, further outputs of LayerNormalization, stay inside ours.
        np.testing.assert_allclose(y, wanted[0], rtol=2e-5, atol=2e-6)
