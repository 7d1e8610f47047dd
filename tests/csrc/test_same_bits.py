"""Every kernel on AArch64, run by an emulator, gives the bits that it gives on this processor."""

import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

HERE = Path(__file__).parent
CSRC = HERE.parents[1] / "csrc"
# The flags of csrc/build_ffi.py on which the bits depend, and a level of optimising that compiles
# in seconds.
FLAGS = ["-std=gnu11", "-O1", "-ffp-contract=off", "-fno-math-errno", "-pthread", f"-I{CSRC}"]

CROSS, EMULATOR = shutil.which("aarch64-linux-gnu-gcc"), shutil.which("qemu-aarch64-static")
pytestmark = [
    pytest.mark.skipif(not CROSS, reason="there is no aarch64-linux-gnu-gcc here"),
    pytest.mark.skipif(not EMULATOR, reason="there is no qemu-aarch64-static here"),
]


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command} gave {done.returncode}: {done.stderr}"
    return done.stdout.splitlines()


def build(compiler, where):
    where.mkdir()
    sources = [HERE / "same_bits.c", *sorted(CSRC.glob("*.c"))]
    objects = [where / f"{source.stem}.o" for source in sources]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        each = zip(sources, objects, strict=True)
        list(pool.map(lambda pair: run(compiler, *FLAGS, "-c", pair[0], "-o", pair[1]), each))
    program = where / "same_bits"
    run(compiler, *objects, "-static", "-pthread", "-lm", "-o", program)
    return program


@pytest.fixture(scope="module")
def programs(tmp_path_factory):
    """Built here and for AArch64."""
    work = tmp_path_factory.mktemp("same_bits")
    return build(shutil.which("gcc") or "cc", work / "here"), build(CROSS, work / "arm")


def test_neon_gives_the_bits_of_every_other_instruction_set_with_fused_multiply_add(programs):
    c = pytest.importorskip("tinyseq.backend.c_kernels", reason="the C extension is not built")
    here, arm = programs
    lines = {("neon", threads): run(EMULATOR, arm, "neon", threads) for threads in "12"}
    for isa in c.isas():
        if isa != "scalar":
            lines |= {(isa, threads): run(here, isa, threads) for threads in "12"}
    first = lines["neon", "1"]
    assert len(first) > 100
    for each in lines.values():
        assert each == first


def test_the_scalar_code_gives_the_same_bits_on_both_processors(programs):
    here, arm = programs
    assert run(here, "scalar", "1") == run(EMULATOR, arm, "scalar", "2")
