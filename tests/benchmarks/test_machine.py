"""The machine: what it could do at best, and what share of that a row comes to."""

import pytest

from benchmarks import machine
from benchmarks.records import Row
from tinyseq import backend

KNOWN = {"peak": {"1": 100.0}, "bandwidth": {"1": [[1 << 16, 200.0], [1 << 28, 20.0]]}}


def row(**more):
    return Row("a", "b", best={"c": 1e-3}, **more)


def test_the_bandwidth_is_measured():
    pytest.importorskip("tinyseq.backend.c_kernels", reason="the C extension is not built")
    for size in (1, 100, 1 << 16, 1 << 20):
        assert backend.bandwidth(size, 0.001) > 0


def test_a_size_that_cannot_be_is_an_error():
    with pytest.raises(ValueError, match="bandwidth: size must be at least 1 byte, got 0"):
        backend.bandwidth(0)


def test_no_memory_for_the_arrays_is_an_error():
    pytest.importorskip("tinyseq.backend.c_kernels", reason="the C extension is not built")
    with pytest.raises(MemoryError, match="bandwidth: no memory"):
        backend.bandwidth(1 << 62, 0.001)


def test_the_rate_and_its_share():
    assert machine.rate(row(flops=5e7)) == (pytest.approx(50.0), "GFLOP/s")
    assert machine.share(row(flops=5e7), KNOWN) == pytest.approx(0.5)
    assert machine.rate(row(bytes=1e5)) == (pytest.approx(0.1), "GB/s")
    assert machine.share(row(bytes=1e5), KNOWN) == pytest.approx(0.1 / 200)
    assert machine.share(row(bytes=1e9), KNOWN) == pytest.approx(1000 / 20)


def test_what_has_no_rate_has_no_share():
    assert machine.rate(row()) is None and machine.share(row(), KNOWN) is None
    assert machine.rate(row(flops=1.0, unit="B")) is None
    assert machine.share(row(flops=1.0, threads=2), KNOWN) is None
