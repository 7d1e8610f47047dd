"""Every instruction set in turn, and the threads put back."""

import pytest

from tinyseq import backend

try:
    from tinyseq.backend import c_kernels
except ImportError:
    c_kernels = None  # the tests that ask for an instruction set are then skipped whole


@pytest.fixture(params=c_kernels.isas() if c_kernels else [])
def isa(request):
    before = c_kernels.isa()
    c_kernels.use_isa(request.param)
    yield request.param
    c_kernels.use_isa(before)


@pytest.fixture(autouse=True)
def threads_put_back():
    before = backend.get_num_threads()
    yield
    backend.set_num_threads(before)
