import pytest

import tinyseq as ts
from examples import reorder


@pytest.fixture(autouse=True)
def threads():
    before = ts.get_num_threads()
    yield
    ts.set_num_threads(before)


@pytest.mark.parametrize("task", ["sort"])
def test_short_sequences_are_learned(task, capsys):
    assert reorder.main(["--quick", "--task", task]) == 0
    printed = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in printed[:2]] == [[task, "transformer"], [task, "gru"]]
    assert printed[2] == "goal of 90%: reached"


def test_a_goal_missed_is_an_exit_code(monkeypatch, capsys):
    monkeypatch.setattr(reorder, "learned", lambda kind, *_: 0.98 if kind == "gru" else 1.0)
    assert reorder.main(["--model", "gru"]) == 1
    assert capsys.readouterr().out.endswith("goal of 99%: missed by 2\n")
    assert reorder.main(["--model", "transformer"]) == 0
