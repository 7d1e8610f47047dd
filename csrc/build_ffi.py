"""Describes the extension module `tinyseq._csrc` to cffi; setup.py builds it.

The declarations Python sees are read from tinyseq.h, so each is written once.
"""

import os
import shlex
from pathlib import Path

from cffi import FFI

HERE = Path(__file__).parent

# After the header come several thousand generated lines. Two of the warnings we
# ask for in our own sources are noise there, so they are off from this point on.
PREAMBLE = """
#include "tinyseq.h"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
"""

COMPILE_ARGS = [
    "-std=gnu11",
    "-Wall",
    "-Wextra",
    "-fvisibility=hidden",
    # The same bits everywhere: a multiply-add is fused where the source says fma
    # and nowhere else. For the same reason, never -ffast-math or -march=native.
    "-ffp-contract=off",
    "-fno-math-errno",
    "-pthread",
]
# Python's own flags come first on the compiler's line, then CFLAGS from the environment, then
# these: so what CFLAGS says of optimising and debugging is not to be said again.
ASKED = shlex.split(os.environ.get("CFLAGS", ""))
if not any(flag.startswith("-O") for flag in ASKED):
    COMPILE_ARGS.append("-O3")
if not any(flag.startswith("-g") for flag in ASKED):
    COMPILE_ARGS.append("-g0")  # most Pythons pass on the -g they were built with: megabytes


def read_cdef(header: str) -> str:
    """The part of a header between its two cdef marks: plain declarations."""
    _, begin, rest = header.partition("/* cdef begin */")
    cdef, end, _ = rest.partition("/* cdef end */")
    if not (begin and end):
        raise ValueError("tinyseq.h must hold /* cdef begin */ and, after it, /* cdef end */")
    return cdef


def project_paths(*patterns: str) -> list[str]:
    """Files of csrc/ as setuptools wants them: relative to the project, with slashes."""
    found = (path for pattern in patterns for path in HERE.glob(pattern))
    return sorted(f"csrc/{path.name}" for path in found)


ffi = FFI()
ffi.cdef(read_cdef((HERE / "tinyseq.h").read_text(encoding="utf-8")))
ffi.set_source(
    "tinyseq._csrc",
    PREAMBLE,
    sources=project_paths("*.c"),
    # Rebuild when one of these changes, and put them into the source distribution.
    depends=project_paths("*.h", "*.inc", "*.py"),
    include_dirs=["csrc"],
    extra_compile_args=COMPILE_ARGS,
    extra_link_args=["-pthread"],
)
