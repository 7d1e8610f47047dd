"""The examples that have a short form reach what they promise."""


def test_missing_values(capsys):
    from examples import missing_values

    assert missing_values.main(quick=True) == 0
    mean, mask = capsys.readouterr().out.splitlines()[1:]
    assert float(mask.split()[1]) < float(mean.split()[1]) / 2
