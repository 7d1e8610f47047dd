"""Builds the C kernels; everything else about the package is in pyproject.toml.

A failed build leaves a package that works, more slowly, on NumPy alone. With
TINYSEQ_REQUIRE_C=1 it is an error, and so is every compiler warning.
"""

import os
import sysconfig
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

REQUIRE_C = os.environ.get("TINYSEQ_REQUIRE_C", "0") not in ("", "0")

FALLBACK = """
*** tinyseq: the C kernels could not be built: {error}
*** The install goes on; everything runs on NumPy, only slower.
*** To get the kernels, install a C compiler and Python's headers and install again;
*** with TINYSEQ_REQUIRE_C=1 a failed build stops the install and shows why.
"""


class BuildExt(build_ext):
    """The usual build, with NumPy to fall back on."""

    def build_extension(self, ext: Extension) -> None:
        if REQUIRE_C:
            ext.extra_compile_args.append("-Werror")
            return super().build_extension(ext)
        ext.optional = True  # or else the in-place copy of what was not built fails
        try:
            super().build_extension(ext)
        except Exception as error:  # whatever went wrong, NumPy is the answer
            self.warn(FALLBACK.format(error=error))
            if self.editable_mode:
                # An older build left in the checkout would still be imported.
                for stale in Path("tinyseq").glob("_csrc.*"):
                    stale.unlink()


# A free-threaded Python has no stable ABI to tag the wheel with.
stable_abi = {} if sysconfig.get_config_var("Py_GIL_DISABLED") else {"py_limited_api": "cp310"}

setup(
    cffi_modules=["csrc/build_ffi.py:ffi"],
    cmdclass={"build_ext": BuildExt},
    options={"bdist_wheel": stable_abi},
)
