"""graph: every Tensor once, causes first, with the names of a module's parameters."""

import re
import shutil
import subprocess

import numpy as np
import pytest

import tinyseq as ts
from tinyseq import nn


def test_a_table_with_names_shapes_bytes_and_lines():
    layer, x = nn.Linear(3, 2), ts.ones(4, 3)
    with ts.detect_anomaly():
        loss = (layer(x).tanh() * 2).sum()
    picture = ts.graph(loss, module=layer)
    rows = {row.name: row for row in picture.rows}
    assert [row.op for row in picture.rows] == [
        "constant", "leaf", "leaf", "linear", "tanh", "mul", "sum",
    ]  # fmt: skip
    assert rows["weight"].shape == "2×3" and rows["weight"].bytes == 24
    assert rows["%3"].inputs == ("%0", "weight", "bias") and rows["%5"].inputs == ("%4", "2")
    assert "loss = (layer(x).tanh() * 2).sum()" in rows["%6"].line
    header, *lines = str(picture).splitlines()
    assert header.split() == ["name", "op", "shape", "dtype", "bytes", "line"]
    assert len(lines) == 7 and lines[1].split() == ["weight", "leaf", "2×3", "float32", "24"]


def test_shared_tensors_come_once_and_several_outputs_go_in():
    x = ts.ones(2, requires_grad=True)
    y = x * x
    picture = ts.graph(y, y + x)
    assert [row.inputs for row in picture.rows] == [(), ("%0", "%0"), ("%1", "%0")]


def test_fused_ops_and_empty_graphs():
    y, _ = nn.LSTM(2, 3)(ts.ones(1, 4, 2))
    assert "lstm_forward" in str(ts.graph(y))
    assert str(ts.graph(ts.ones(2))).splitlines()[1].split() == [
        "%0",
        "constant",
        "2",
        "float32",
        "8",
    ]


def test_a_deep_graph_needs_no_recursion():
    y = ts.ones(1, requires_grad=True)
    for _ in range(20_000):
        y = y + 1
    assert len(ts.graph(y).rows) == 20_001


def test_graphviz():
    x = ts.tensor(np.ones(2), requires_grad=True)
    with ts.detect_anomaly():
        y = (x * 2).sum() if "a quoted string" else x
    dot = ts.graph(y).dot()
    assert dot.count("{") == dot.count("}") == 1
    assert re.search(r'"%0" -> "%1"', dot) and r"\"a quoted string\"" in dot
    if shutil.which("dot") is None:
        pytest.skip("Graphviz is not installed")
    subprocess.run(["dot", "-Tsvg"], input=dot.encode(), check=True, capture_output=True)
