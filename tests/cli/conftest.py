import pytest

import tinyseq as ts
from tests.cli.running import TEXT


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    """Run in an empty folder with a text in it, and put the backend back afterwards."""
    before = ts.backend.info()["backend"]
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tinyseq.cli.session.LENGTH", 40)  # most of a small run's time
    (tmp_path / "text").write_text(TEXT)
    yield
    ts.backend.use(before)
