"""The seam between the ops and the kernels that do the arithmetic.

Every kernel has one name and one meaning, given by `numpy_kernels`; the C extension serves
the same names faster where it can. Callers write `backend.tanh(x)` and never learn who
answered. `use` rebinds the names, so look them up at each call:

    from tinyseq import backend          # right
    from tinyseq.backend import tanh     # wrong: keeps the kernel of that moment
"""

import os
from types import ModuleType
from typing import TYPE_CHECKING, Any

from tinyseq.backend import numpy_kernels

if TYPE_CHECKING:
    from tinyseq.backend.numpy_kernels import (
        adam_,
        attention_backward,
        attention_backward_with_mask,
        attention_forward,
        cross_entropy_backward,
        cross_entropy_forward,
        dropout,
        embedding,
        embedding_scatter,
        erf,
        exp,
        gelu,
        gelu_backward,
        linear,
        linear_cross_entropy,
        linear_gelu,
        matmul,
        norm_backward,
        norm_forward,
        recurrent_backward,
        recurrent_backward_pair,
        recurrent_forward,
        recurrent_forward_pair,
        recurrent_stepper,
        rotary,
        scale_,
        sigmoid,
        sum_of_squares,
        sum_rows,
        tanh,
    )

KERNELS = tuple(numpy_kernels.__all__)

__all__ = [
    "KERNELS",
    "adam_",
    "attention_backward",
    "attention_backward_with_mask",
    "attention_forward",
    "bandwidth",
    "cross_entropy_backward",
    "cross_entropy_forward",
    "dropout",
    "embedding",
    "embedding_scatter",
    "erf",
    "exp",
    "fma_peak",
    "gelu",
    "gelu_backward",
    "get_num_threads",
    "info",
    "linear",
    "linear_cross_entropy",
    "linear_gelu",
    "matmul",
    "norm_backward",
    "norm_forward",
    "recurrent_backward",
    "recurrent_backward_pair",
    "recurrent_forward",
    "recurrent_forward_pair",
    "recurrent_stepper",
    "rotary",
    "scale_",
    "set_num_threads",
    "sigmoid",
    "sum_of_squares",
    "sum_rows",
    "tanh",
    "use",
]

NAMES = ("auto", "c", "numpy")

_BUILD = "build it with: python -m pip install -e . (a C compiler is needed)"

_c: ModuleType | None
_missing = ""
_by_c: dict[str, Any] = {}  # every kernel that C has
try:
    from tinyseq.backend import c_attention as _c_attention
    from tinyseq.backend import c_cross_entropy as _c_cross_entropy
    from tinyseq.backend import c_gelu as _c_gelu
    from tinyseq.backend import c_kernels as _c
    from tinyseq.backend import c_norm as _c_norm
    from tinyseq.backend import c_recurrent as _c_recurrent
    from tinyseq.backend import c_rotary as _c_rotary
except ImportError as error:
    _c, _missing = None, str(error)
else:
    _modules = (_c, _c_attention, _c_cross_entropy, _c_gelu, _c_norm, _c_recurrent, _c_rotary)
    for _module in _modules:
        _by_c |= {name: getattr(_module, name) for name in KERNELS if hasattr(_module, name)}

_active = ""  # until the first kernel is asked for
_asked_isa = os.environ.get("TINYSEQ_ISA", "")  # until the C kernels are first used


def __getattr__(name: str) -> Any:
    """A kernel asked for before `use`: the environment chooses, and a mistake in it is an error
    where it can be answered, not one of `import tinyseq`."""
    if name not in KERNELS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    _use_environment()
    return globals()[name]


def _use_environment() -> None:
    name = os.environ.get("TINYSEQ_BACKEND") or "auto"
    if name not in NAMES:
        raise ValueError(f"TINYSEQ_BACKEND: expected 'auto', 'c' or 'numpy', got {name!r}")
    use(name)


def use(name: str) -> None:
    """Choose who serves the kernels from now on, in the whole process.

    Args:
        name: "c", "numpy", or "auto": C where the extension is there, else NumPy.

    Raises:
        ValueError: for any other name.
        RuntimeError: for "c" when the extension is not there, with the command that builds it; for
            C when TINYSEQ_ISA names an instruction set that this machine lacks.
    """
    global _active, _asked_isa
    if name not in NAMES:
        raise ValueError(f"backend: expected 'auto', 'c' or 'numpy', got {name!r}")
    if name == "c" and _c is None:
        raise RuntimeError(f"backend 'c': the extension is not there ({_missing}); {_BUILD}")
    served_by_c = name != "numpy" and _c is not None
    if served_by_c and _asked_isa and _c is not None:
        _c.use_isa(_asked_isa)
        _asked_isa = ""
    _active = "c" if served_by_c else "numpy"
    for kernel in KERNELS:
        by_numpy = getattr(numpy_kernels, kernel)
        globals()[kernel] = _by_c.get(kernel, by_numpy) if served_by_c else by_numpy


def info() -> dict[str, object]:
    """Who is at work.

    Returns:
        backend ("c" or "numpy"), isa (the instruction set of the C kernels, None on NumPy),
        threads, missing (why there is no C extension and what builds it, "" if there is), and
        kernels: for each kernel's name "c" or "numpy". On C, a kernel is still
        served by NumPy for any dtype but float32.
    """
    if not _active:
        _use_environment()
    return {
        "backend": _active,
        "isa": _c.isa() if _c is not None and _active == "c" else None,
        "threads": get_num_threads(),
        "missing": f"{_missing}; {_BUILD}" if _c is None else "",
        "kernels": {
            kernel: "c" if _active == "c" and kernel in _by_c else "numpy" for kernel in KERNELS
        },
    }


def set_num_threads(threads: int) -> None:
    """Let C kernels use up to so many threads; results do not depend on it, to the last bit.

    Without a call, OMP_NUM_THREADS or else the number of processors is used. On NumPy alone it
    has no effect: NumPy's own products take their threads from the BLAS it was built with.

    Raises:
        ValueError: if threads is not a whole number of at least 1.
    """
    if isinstance(threads, bool) or not isinstance(threads, int) or threads < 1:
        raise ValueError(f"set_num_threads: expected a whole number >= 1, got {threads!r}")
    if _c is not None:
        _c.set_num_threads(threads)


def get_num_threads() -> int:
    """How many threads a C kernel may use; 1 where there is no C."""
    return _c.get_num_threads() if _c is not None else 1


def fma_peak(seconds: float = 0.2) -> float:
    """GFLOP/s that one core reaches on fused multiply-adds in registers, measured now.

    Raises:
        RuntimeError: when the C extension is not there.
    """
    if _c is None:
        raise RuntimeError(f"fma_peak: the extension is not there ({_missing}); {_BUILD}")
    return float(_c.fma_peak(seconds))


def bandwidth(size: int = 256 << 20, seconds: float = 0.2) -> float:
    """GB/s that the threads together read and write in a triad, a = b + s c, measured now.

    Args:
        size: bytes of the three arrays together: few stay in a cache, many do not.
        seconds: how long to try.

    Raises:
        MemoryError: when the arrays do not fit in memory.
        RuntimeError: when the C extension is not there.
        ValueError: if size is not positive.
    """
    if size < 1:
        raise ValueError(f"bandwidth: size must be at least 1 byte, got {size}")
    if _c is None:
        raise RuntimeError(f"bandwidth: the extension is not there ({_missing}); {_BUILD}")
    return float(_c.bandwidth(size, seconds))
