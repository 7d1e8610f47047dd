import pytest

import tinyseq as ts
from tinyseq.language import learning_rate
from tinyseq.language.schedule import Schedule
from tinyseq.settings import Settings


def test_the_learning_rate_rises_then_falls():
    settings = Settings(lr=1.0, warmup=0.1)
    rates = [learning_rate(settings, step, 100) for step in range(1, 101)]
    assert rates[0] == pytest.approx(0.1)
    assert max(rates) == max(rates[9:11])
    assert rates[50:] == sorted(rates[50:], reverse=True)
    assert 0.02 <= rates[-1] < 0.021


def test_the_optimizer_has_the_rate_of_the_step_to_come():
    settings = Settings(lr=1.0, warmup=0.1)
    optimizer = ts.optim.SGD([ts.tensor([1.0], requires_grad=True)], lr=5.0)
    schedule = Schedule(optimizer, settings, 100)
    for step in range(1, 6):
        assert optimizer.lr == learning_rate(settings, step, 100)
        schedule.step()
    state = schedule.state_dict()
    other = Schedule(optimizer, settings, 100)
    assert optimizer.lr == learning_rate(settings, 1, 100)
    other.load_state_dict(state)
    assert optimizer.lr == learning_rate(settings, 6, 100)
