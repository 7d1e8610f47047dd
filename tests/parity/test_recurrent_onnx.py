"""ONNX's own cases for RNN, LSTM and GRU, and random ones beside ONNX Runtime.

ONNX stacks the gates of an LSTM as i, o, f, g and those of a GRU as z, r, n, peepholes as i, o, f,
and puts time before the batch unless layout is 1.
"""

from importlib import import_module

import numpy as np
import pytest

import tinyseq as ts
from tinyseq import nn

onnx = pytest.importorskip("onnx", reason="onnx is not installed")
node_cases = pytest.importorskip("onnx.backend.test.case.node")

# Importing these modules makes their cases, from the formulas that they hold.
for kind in ("rnn", "lstm", "gru"):
    import_module(f"onnx.backend.test.case.node.{kind}")
CASES = {
    case.name: case
    for case in node_cases._NodeTestCases
    if case.model.graph.node[0].op_type in ("RNN", "LSTM", "GRU")
}
ORDERS = {"RNN": [0], "LSTM": [0, 2, 3, 1], "GRU": [1, 0, 2]}  # theirs, in our order
INPUTS = ["X", "W", "R", "B", "sequence_lens", "initial_h", "initial_c", "P"]
OUTPUTS = ["Y", "Y_h", "Y_c"]


def test_the_cases_are_there():
    assert {case.model.graph.node[0].op_type for case in CASES.values()} == {"RNN", "LSTM", "GRU"}
    assert len(CASES) >= 18


def in_our_order(stacked, order):
    return np.concatenate([np.split(stacked, len(order))[gate] for gate in order])


def build(kind, attributes, given):
    """Our layer for a node, with its weights."""
    activations = [name.decode() for name in attributes.get("activations", [])]
    options = {}
    if kind == "RNN" and set(activations) == {"Relu"}:
        options["nonlinearity"] = "relu"
    elif activations and set(activations) not in ({"Tanh"}, {"Sigmoid", "Tanh"}):
        pytest.skip(f"no activations {activations} here")
    for name in ("clip", "input_forget"):
        if attributes.get(name):
            pytest.skip(f"no {name} here")
    if kind == "GRU":
        options["reset_after"] = bool(attributes.get("linear_before_reset", 0))
    if "P" in given:
        options["peephole"] = True
    direction = attributes.get("direction", b"forward").decode()
    options |= {"bidirectional": direction == "bidirectional", "reverse": direction == "reverse"}
    H, D = attributes["hidden_size"], given["W"].shape[2]
    layer, state = getattr(nn, kind)(D, H, bias="B" in given, **options), {}
    for side, suffix in enumerate(["_l0", "_l0_reverse"][: len(given["W"])]):
        state["weight_ih" + suffix] = in_our_order(given["W"][side], ORDERS[kind])
        state["weight_hh" + suffix] = in_our_order(given["R"][side], ORDERS[kind])
        if "B" in given:
            for name, half in zip(
                ("bias_ih", "bias_hh"), np.split(given["B"][side], 2), strict=True
            ):
                state[name + suffix] = in_our_order(half, ORDERS[kind])
        if "P" in given:
            state["weight_peephole" + suffix] = in_our_order(given["P"][side], [0, 2, 1])
    layer.load_state_dict(state)
    return layer


def run(node, given):
    """What our layer makes of a node's inputs, by the names and in the layout of its outputs."""
    kind = node.op_type
    attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
    batch_first = attributes.get("layout", 0) == 1
    layer = build(kind, attributes, given)

    def swapped(array):
        return array if batch_first else array.swapaxes(0, 1)

    firsts = [
        # Ours are (directions, B, H) in any case.
        ts.tensor(given[name].swapaxes(0, 1).copy() if batch_first else given[name])
        for name in ("initial_h", "initial_c")
        if name in given
    ]
    state = None if not firsts else tuple(firsts) if kind == "LSTM" else firsts[0]
    x = ts.tensor(swapped(given["X"]).copy())
    y, after = layer(x, state, lengths=given.get("sequence_lens"))
    lasts = [s.data for s in (after if kind == "LSTM" else (after,))]
    B, T, _ = y.shape
    by_side = y.data.reshape(B, T, len(given["W"]), -1)  # theirs (T,directions,B,H)
    results = [
        by_side if batch_first else by_side.transpose(1, 2, 0, 3),
        *(last.swapaxes(0, 1) if batch_first else last for last in lasts),
    ]
    return dict(zip(OUTPUTS, results, strict=False))


@pytest.mark.parametrize("name", CASES)
def test_onnx_own_case(name):
    node = CASES[name].model.graph.node[0]
    outputs = [OUTPUTS[i] for i, output in enumerate(node.output) if output]
    for arrays, wanted in CASES[name].data_sets:
        present = [INPUTS[i] for i, input in enumerate(node.input) if input]
        if node.op_type != "LSTM":
            assert "P" not in present and "initial_c" not in present
        got = run(node, dict(zip(present, arrays, strict=True)))
        for output, array in zip(outputs, wanted, strict=True):
            # Theirs are computed in float32, by another path.
            np.testing.assert_allclose(got[output], array, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("with_state", [False, True])
@pytest.mark.parametrize("with_lengths", [False, True])
@pytest.mark.parametrize("direction", ["forward", "reverse", "bidirectional"])
@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("RNN", {}),
        ("LSTM", {}),
        ("LSTM", {"P": True}),
        ("GRU", {"linear_before_reset": 0}),
        ("GRU", {"linear_before_reset": 1}),
    ],
)
def test_random_weights_beside_onnx_runtime(kind, more, direction, with_lengths, with_state):
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    rng = np.random.default_rng(0)
    sides, T, B, D, H = 1 + (direction == "bidirectional"), 7, 4, 3, 5
    G = len(ORDERS[kind])
    shapes = {
        "X": (T, B, D),
        "W": (sides, G * H, D),
        "R": (sides, G * H, H),
        "B": (sides, 2 * G * H),
    }
    if with_state:
        shapes["initial_h"] = (sides, B, H)
        if kind == "LSTM":
            shapes["initial_c"] = (sides, B, H)
    if more.get("P"):
        shapes["P"] = (sides, 3 * H)
    given = {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    if with_lengths:
        given["sequence_lens"] = np.array([3, 7, 1, 5], np.int32)
    outputs = OUTPUTS[: 3 if kind == "LSTM" else 2]
    last = max(INPUTS.index(name) for name in given)
    attributes = {name: value for name, value in more.items() if name != "P"}
    node = onnx.helper.make_node(
        kind,
        [name if name in given else "" for name in INPUTS[: last + 1]],
        outputs,
        hidden_size=H,
        direction=direction,
        **attributes,
    )

    def value(name, array):
        kind = onnx.helper.np_dtype_to_tensor_dtype(array.dtype)
        return onnx.helper.make_tensor_value_info(name, kind, array.shape)

    ours = run(node, given)
    graph = onnx.helper.make_graph(
        [node],
        "one",
        [value(name, array) for name, array in given.items()],
        [value(name, ours[name]) for name in outputs],
    )
    model = onnx.helper.make_model(
        graph, opset_imports=[onnx.helper.make_opsetid("", 14)], ir_version=8
    )
    session = runtime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    for name, theirs in zip(outputs, session.run(outputs, given), strict=True):
        np.testing.assert_allclose(ours[name], theirs, rtol=1e-4, atol=1e-5, err_msg=name)
