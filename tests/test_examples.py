"""The examples that have a short form reach what they promise."""


def test_missing_values(capsys):
    from examples import missing_values

    assert missing_values.main(quick=True) == 0
    mean, mask = capsys.readouterr().out.splitlines()[1:]
    assert float(mask.split()[1]) < float(mean.split()[1]) / 2


def test_small_text(capsys):
    from examples import small_text

    assert small_text.main() == 0
    assert "training accuracy 1.000" in capsys.readouterr().out
