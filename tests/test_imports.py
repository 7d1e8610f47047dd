"""What `import tinyseq` loads: little more than NumPy does."""

import subprocess
import sys

import pytest

import tinyseq as ts


def run(code):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], capture_output=True, text=True, check=True
    )
    return done.stdout.split()


def test_importing_loads_neither_what_few_use_nor_what_is_slow():
    loaded = run(
        "import sys, numpy; before = set(sys.modules); import tinyseq; "
        "print(*(set(sys.modules) - before))"
    )
    ours = {name.split(".")[1] for name in loaded if name.startswith("tinyseq.")}
    # The engine with its instruments, the kernels, the ops, and what draws random numbers.
    assert ours == {
        "_csrc", "anomaly", "autograd", "backend", "contexts", "holder", "hooks", "ops",
        "ownership", "random",
    } - (set() if "tinyseq._csrc" in loaded else {"_csrc"})  # fmt: skip
    others = {name.split(".")[0] for name in loaded} - {"tinyseq"}
    assert not others & {
        "argparse", "cffi", "dataclasses", "importlib.metadata", "inspect", "json", "logging",
        "matplotlib", "pathlib", "safetensors", "tempfile", "tokenizers", "tomllib", "tqdm",
        "unittest",
    }  # fmt: skip
    assert not any(name.startswith("numpy.random") for name in loaded)


@pytest.mark.parametrize("name", ts.__all__)
def test_every_name_is_there_when_asked_for_first(name):
    assert hasattr(ts, name)
    assert name in dir(ts)


def test_a_name_loads_what_it_needs_in_a_fresh_process():
    assert (
        run("import tinyseq as ts; print(ts.nn.Linear(2, 3), ts.optim.Adam.__name__)")[-1] == "Adam"
    )
    found = run("from tinyseq import checkpoint, nn; print(nn.GRU.__name__, checkpoint.__name__)")
    assert found == ["GRU", "checkpoint"]
    # A module in place of the function of the same package would be an accident of the order.
    code = (
        "import tinyseq.summarizing, tinyseq as ts; print(callable(ts.summary), callable(ts.vjp))"
    )
    assert run(code) == ["True", "True"]
    assert run("from tinyseq import *; print(nn.Linear.__name__)") == ["Linear"]


def test_a_name_that_is_not_there_is_an_attribute_error():
    with pytest.raises(AttributeError, match="module 'tinyseq' has no attribute 'tensr'"):
        ts.tensr  # noqa: B018
    with pytest.raises(ImportError, match="cannot import name 'nothing'"):
        from tinyseq import nothing  # noqa: F401
