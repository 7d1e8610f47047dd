import numpy as np
import pytest

import tinyseq as ts
from tinyseq.models import CharLM, detached


@pytest.mark.parametrize("model", ["rnn", "lstm", "gru"])
def test_logits_and_state_go_on_from_window_to_window(model):
    lm = CharLM(11, model, embed=3, hidden=5, layers=2)
    ids = np.random.default_rng(0).integers(0, 11, (2, 9))
    whole, _ = lm(ids)
    assert whole.shape == (2, 9, 11)
    first, state = lm(ids[:, :4])
    second, _ = lm(ids[:, 4:], detached(state))
    pieces = np.concatenate([first.data, second.data], 1)
    np.testing.assert_allclose(pieces, whole.data, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("model", ["rnn", "lstm", "gru"])
def test_a_detached_state_stops_the_gradient(model):
    lm = CharLM(5, model, embed=3, hidden=4)
    _, state = lm(np.array([[1]]))
    lm(np.array([[2]]), detached(state))[0].sum().backward()
    rows = np.abs(lm.embedding.weight.grad.data).sum(1)
    assert rows[1] == 0 and rows[2] > 0


def test_every_parameter_gets_a_gradient():
    lm = CharLM(5, embed=3, hidden=4, layers=2, dropout=0.1)
    logits, _ = lm(np.array([[1, 2, 3]]))
    ts.nn.functional.cross_entropy(logits.reshape(-1, 5), np.array([2, 3, 4])).backward()
    assert all(np.abs(p.grad.data).sum() > 0 for p in lm.parameters())


def test_dropout_comes_before_the_output_and_only_in_training():
    lm = CharLM(5, embed=3, hidden=4, dropout=0.5)
    ids = np.array([[1, 2, 3]])
    assert (lm(ids)[0].data != lm(ids)[0].data).any()
    lm.eval()
    np.testing.assert_array_equal(lm(ids)[0].data, lm(ids)[0].data)


def test_an_unknown_model_is_named():
    with pytest.raises(ValueError, match="one of rnn, lstm, gru, got 'cnn'"):
        CharLM(5, "cnn")
