"""detect_anomaly names the line at fault, in the program and not in tinyseq."""

import inspect
import threading

import numpy as np
import pytest

import tinyseq as ts
from tinyseq import nn


def leaf(*values):
    return ts.tensor(np.array(values), requires_grad=True)


def here(offset=0):
    """File and line of the caller, as an error names them."""
    frame = inspect.currentframe().f_back
    return rf"{frame.f_code.co_filename}:{frame.f_lineno + offset}: "


def test_a_nan_is_traced_to_the_line_that_made_it():
    x = leaf(0.0, 1.0)
    with ts.detect_anomaly():
        line = here(1)
        y = ts.sqrt(x * x)
        loss = (y * 2).sum()
        with pytest.raises(RuntimeError) as error:
            loss.backward()
    assert line + "y = ts.sqrt(x * x)" in str(error.value)
    assert "mul, made at" in str(error.value) and "input 0 has a NaN" in str(error.value)
    assert x.grad is None


def test_a_line_inside_a_layer_is_not_the_programs():
    layer = nn.Linear(2, 2)
    layer.weight.data[0, 0] = np.nan
    x = ts.ones(1, 2, requires_grad=True)
    with ts.detect_anomaly():
        line = here(1)
        loss = layer(x).sum()
        with pytest.raises(RuntimeError) as error:
            loss.backward()
    assert line in str(error.value)


def test_a_gradient_given_with_a_nan_is_told_apart():
    x = leaf(1.0)
    with ts.detect_anomaly():
        y = x * 2
        with pytest.raises(RuntimeError, match="the gradient that arrives there has a NaN"):
            y.backward(np.array([np.nan]))


@pytest.mark.parametrize("what", ["input 0", "input 1", "result"])
def test_an_array_changed_in_place_is_found(what):
    x, w = leaf(1.0, 2.0), leaf(3.0, 4.0)
    with ts.detect_anomaly():
        line = here(1)
        y = x * w
        loss = y.sum()
        {"input 0": x, "input 1": w, "result": y}[what].data[0] = 7
        with pytest.raises(RuntimeError) as error:
            loss.backward()
    if what != "result":  # else it is the sum's input first
        assert line in str(error.value) and f"its {what} was changed in place" in str(error.value)


def test_a_changed_parameter_and_a_fused_ops_saved_arrays_are_found():
    index = np.array([0, 1])
    weight = ts.ones(3, 2, requires_grad=True)
    with ts.detect_anomaly():
        y = weight[index]
        index[0] = 2
        with pytest.raises(RuntimeError, match="its key was changed in place"):
            y.sum().backward()
        lstm, x = nn.LSTM(2, 3), ts.ones(1, 4, 2)
        y, _ = lstm(x)
        y.inputs[0].data[3][...] = 0  # the gates, which only the backward kernel reads
        with pytest.raises(RuntimeError, match="its input 0 was changed in place"):
            y.sum().backward()
        mask = np.ones((1, 3), np.float32)
        weights = (lstm.weight_ih_l0, lstm.weight_hh_l0)
        y, _, _ = ts.ops.lstm(x, ts.zeros(1, 3), ts.zeros(1, 3), *weights, mask=mask)
        mask[...] = 0
        with pytest.raises(RuntimeError, match="its run was changed in place"):
            y.sum().backward()


def test_nothing_is_noted_outside_and_what_was_made_there_is_said_so():
    x = leaf(0.0)
    y = ts.sqrt(x * x)
    assert not hasattr(y, "note")
    with ts.detect_anomaly(), pytest.raises(RuntimeError, match="made outside detect_anomaly"):
        y.sum().backward()
    y = ts.sqrt(x * x)
    y.sum().backward()
    assert np.isnan(x.grad.data).all()


def test_it_leaves_the_recording_as_it_was():
    x = leaf(1.0)
    with ts.no_grad(), ts.detect_anomaly():
        assert not ts.is_grad_enabled() and not (x * 1).requires_grad
        with ts.enable_grad():
            assert hasattr(x * 1, "note")
    with ts.detect_anomaly():
        with ts.no_grad():
            assert not (x * 1).requires_grad
        assert hasattr(x * 1, "note")
        seen = []
        thread = threading.Thread(target=lambda: seen.append(hasattr(x * 1, "note")))
        thread.start()
        thread.join()
        assert seen == [False]  # it is one thread's
    assert ts.is_grad_enabled() and not hasattr(x * 1, "note")


def test_a_right_walk_is_left_alone():
    x = leaf(1.0, 2.0)
    with ts.detect_anomaly():
        ts.testing.check_grads(lambda x: ts.exp(x) * x[1:], x)
        (g,) = ts.grad((x * x * x).sum(), x, create_graph=True)
        g.sum().backward()
    np.testing.assert_allclose(x.grad.data, 6 * x.data)
