"""The build description: what Python sees of C is what the header declares."""

import runpy
from pathlib import Path

import pytest

BUILD_FFI = Path(__file__).parents[1] / "csrc" / "build_ffi.py"


@pytest.fixture(scope="module")
def build_ffi():
    return runpy.run_path(str(BUILD_FFI))


def test_the_declarations_are_what_stands_between_the_marks(build_ffi):
    header = "int a;\n/* cdef begin */\nint b;\n/* cdef end */\nint c;\n"
    assert build_ffi["read_cdef"](header).strip() == "int b;"


@pytest.mark.parametrize(
    "header",
    ["int b;", "/* cdef begin */ int b;", "/* cdef end */ int b; /* cdef begin */"],
    ids=["no marks", "no end", "the wrong way round"],
)
def test_a_header_without_its_marks_is_refused(build_ffi, header):
    with pytest.raises(ValueError, match="cdef begin"):
        build_ffi["read_cdef"](header)


def test_every_file_of_csrc_is_compiled_or_watched(build_ffi):
    module, _, _, options = build_ffi["ffi"]._assigned_source
    assert module == "tinyseq._csrc"
    files = {f"csrc/{path.name}" for path in BUILD_FFI.parent.iterdir() if path.is_file()}
    assert files == {*options["sources"], *options["depends"]}


def test_no_flag_that_changes_results_from_machine_to_machine(build_ffi):
    flags = build_ffi["COMPILE_ARGS"]
    assert "-ffp-contract=off" in flags
    assert not {"-ffast-math", "-Ofast", "-march=native"} & set(flags)
