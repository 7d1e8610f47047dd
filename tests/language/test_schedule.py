import pytest

from tinyseq.language import learning_rate
from tinyseq.settings import Settings


def test_the_learning_rate_rises_then_falls():
    settings = Settings(lr=1.0, warmup=0.1)
    rates = [learning_rate(settings, step, 100) for step in range(1, 101)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == max(rates[9:11])
    assert rates[50:] == sorted(rates[50:], reverse=True)
    assert 0.02 <= rates[-1] < 0.021
