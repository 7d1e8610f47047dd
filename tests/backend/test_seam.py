"""The seam: which kernels are bound, and what the environment says."""

import os
import subprocess
import sys

import numpy as np
import pytest

from tinyseq import backend
from tinyseq.backend import numpy_kernels


@pytest.fixture(autouse=True)
def backend_put_back():
    before, threads = backend.info()["backend"], backend.get_num_threads()
    yield
    backend.use(str(before))
    backend.set_num_threads(threads)


def test_numpy_serves_everything_when_asked():
    backend.use("numpy")
    info = backend.info()
    assert info["backend"] == "numpy" and info["isa"] is None
    assert set(info["kernels"].values()) == {"numpy"}
    assert backend.matmul is numpy_kernels.matmul


def test_c_serves_every_kernel():
    pytest.importorskip("tinyseq.backend.c_kernels", reason="the C extension is not built")
    backend.use("c")
    info = backend.info()
    assert info["backend"] == "c" and info["isa"] in ("scalar", "avx2", "avx512", "neon")
    without = {kernel for kernel, by in info["kernels"].items() if by == "numpy"}
    assert without == {"attention_backward_with_mask"}  # the gradient of a mask
    x = np.ones(3, np.float32)
    assert backend.tanh is not numpy_kernels.tanh and backend.tanh(x).dtype == np.float32


def test_an_unknown_backend_is_an_error():
    with pytest.raises(ValueError, match="expected 'auto', 'c' or 'numpy', got 'cuda'"):
        backend.use("cuda")


@pytest.mark.parametrize("threads", [0, -1, 1.5, True, "2"])
def test_a_number_of_threads_that_is_none_is_an_error(threads):
    with pytest.raises(ValueError, match="whole number >= 1"):
        backend.set_num_threads(threads)


def run(code, **environment):
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )


def test_the_environment_chooses():
    code = "import tinyseq as ts; print(ts.backend.info()['backend'])"
    assert run(code, TINYSEQ_BACKEND="numpy").stdout == "numpy\n"
    auto = run(code, TINYSEQ_BACKEND="auto").stdout
    assert auto and run(code, TINYSEQ_BACKEND="").stdout == auto


def test_the_instruction_set_asked_for_is_taken_up_with_the_first_use_of_c_and_then_left_alone():
    pytest.importorskip("tinyseq.backend.c_kernels", reason="the C extension is not built")
    code = (
        "import tinyseq as ts; from tinyseq.backend import c_kernels as c; "
        "ts.backend.use('numpy'); ts.backend.use('c'); print(c.isa()); "
        "c.use_isa(c.isas()[0]); ts.backend.use('c'); print(c.isa() == c.isas()[0])"
    )
    assert run(code, TINYSEQ_ISA="scalar").stdout == "scalar\nTrue\n"


def test_without_the_extension_auto_falls_back_and_c_says_how_to_build_it():
    hide = "import sys; sys.modules['tinyseq._csrc'] = None; import tinyseq as ts; "
    code = "info = ts.backend.info(); print(info['backend'], info['missing'])"
    shown = run(hide + code, TINYSEQ_BACKEND="auto")
    assert shown.stdout.startswith("numpy ") and "pip install -e ." in shown.stdout
    refused = run(hide + "ts.ones(2).tanh()", TINYSEQ_BACKEND="c")
    assert refused.returncode != 0 and "pip install -e ." in refused.stderr


def test_a_mistake_in_the_environment_is_named_at_the_first_kernel():
    done = run("import tinyseq as ts; ts.ones(2).tanh()", TINYSEQ_BACKEND="cuda")
    assert "ValueError: TINYSEQ_BACKEND: expected 'auto', 'c' or 'numpy'" in done.stderr
