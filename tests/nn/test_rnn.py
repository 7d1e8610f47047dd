import pytest

from tinyseq import nn


@pytest.mark.parametrize("kind", [nn.RNN, nn.RNNCell])
def test_an_unknown_nonlinearity_is_named(kind):
    match = f"^{kind.__name__}: nonlinearity must be tanh or relu, got 'sigmoid'"
    with pytest.raises(ValueError, match=match):
        kind(4, 5, nonlinearity="sigmoid")
