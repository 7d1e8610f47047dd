"""ONNX's own cases for Attention.

ONNX counts positions from 0, from what a cache holds (past), or from the end of what is real of the
keys (nonpad_kv_seqlen): `start` says each. A window sees left_window_size keys before its query and
right_window_size after it; a mask may end before the keys do, and hides the rest.
"""

import numpy as np
import pytest

import tinyseq as ts
from tinyseq.nn import functional as F

onnx = pytest.importorskip("onnx", reason="onnx is not installed")
node_cases = pytest.importorskip("onnx.backend.test.case.node")
# Importing the module makes its cases, from the formula that it holds.
pytest.importorskip("onnx.backend.test.case.node.attention", reason="this onnx has no Attention")

INPUTS = ["Q", "K", "V", "mask", "past_key", "past_value", "lengths"]
CASES = {
    case.name: case
    for case in node_cases._NodeTestCases
    if case.model.graph.node[0].op_type == "Attention"
}


def left_out(case):
    """Why a case has no counterpart here; None where it has."""
    attributes = attributes_of(case)
    if case.data_sets[0][0][0].dtype.name == "bfloat16":
        return "NumPy has no bfloat16"
    left, right = attributes.get("left_window_size", -1), attributes.get("right_window_size", -1)
    if left != right and not attributes.get("is_causal"):
        return "a window reaches as far to the right as to the left"
    return None


def attributes_of(case):
    node = case.model.graph.node[0]
    return {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}


def test_the_cases_are_there_and_few_are_left_out():
    reasons = {name: left_out(case) for name, case in CASES.items()}
    assert len(CASES) >= 50
    assert sum(reason is None for reason in reasons.values()) >= 0.9 * len(CASES)


def as_heads(x, heads):
    return x if x.ndim == 4 else x.reshape(*x.shape[:2], heads, -1).transpose(0, 2, 1, 3)


def run(attributes, Q, K, V, mask=None, past_key=None, past_value=None, lengths=None):
    """What our attention makes of a node's inputs: its outputs Y, present_key and present_value."""
    q = as_heads(Q, attributes.get("q_num_heads"))
    k, v = (as_heads(x, attributes.get("kv_num_heads")) for x in (K, V))
    first = 0
    if past_key is not None:
        first = past_key.shape[2]
        k, v = np.concatenate((past_key, k), 2), np.concatenate((past_value, v), 2)
    (B, _, T, _), S = q.shape, k.shape[2]
    if mask is not None and mask.shape[-1] not in (1, S):
        missing = [(0, 0)] * (mask.ndim - 1) + [(0, S - mask.shape[-1])]
        mask = np.pad(mask, missing, constant_values=False if mask.dtype == bool else -np.inf)
    left = attributes.get("left_window_size", -1)
    y = F.scaled_dot_product_attention(
        ts.tensor(q),
        ts.tensor(k),
        ts.tensor(v),
        mask,
        is_causal=bool(attributes.get("is_causal", 0)),
        scale=attributes.get("scale"),
        softcap=attributes.get("softcap") or None,
        window=left + 1 if left >= 0 else None,
        lengths=lengths,
        start=np.full(B, first) if lengths is None else lengths - T,
    ).data
    if Q.ndim == 3:
        y = y.transpose(0, 2, 1, 3).reshape(B, T, -1)
    return y, k, v


@pytest.mark.parametrize("name", CASES)
def test_onnx_own_case(name):
    case = CASES[name]
    if reason := left_out(case):
        pytest.skip(reason)
    node = case.model.graph.node[0]
    present = [INPUTS[i] for i, input in enumerate(node.input) if input]
    for arrays, wanted in case.data_sets:
        results = run(attributes_of(case), **dict(zip(present, arrays, strict=True)))
        # qk_matmul_output, where there is one, is inside our kernel and does not come out.
        outputs = [i for i, output in enumerate(node.output) if output]
        assert outputs[0] == 0
        for i, array in zip(outputs, wanted, strict=True):
            if i == 3:
                continue
            # Theirs are computed in the arrays' own precision, by another path.
            tolerance = 1e-5 if array.dtype == np.float32 else 4e-3
            np.testing.assert_allclose(results[i], array, rtol=tolerance, atol=tolerance)
