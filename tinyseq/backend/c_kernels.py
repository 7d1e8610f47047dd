"""The kernels in C: the names and meanings of numpy_kernels, for float32.

What C assumes is settled here: arrays reach it contiguous (a matrix product takes any layout with
one unit stride), aligned and of one dtype; results are fresh arrays; any other dtype goes to NumPy.
Shapes were checked by the ops.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

from tinyseq.backend import numpy_kernels
from tinyseq.backend.c_arrays import (
    DENSE,
    FLOAT32,
    FLOATS,
    NULL,
    aligned,
    check,
    dense,
    empty,
    ffi,
    from_buffer,
    is_float32,
    lib,
    read,
    read_index,
)

Array = npt.NDArray[Any]

# What the smallest calls spend their time on is looking things up: these are looked up once.
c_matmul, NO_ACTIVATION = lib.ts_matmul, lib.TS_ACT_NONE

SMALL = 1024  # elements that are copied in less time than it takes to get another pointer

TURNED = 0x102  # as DENSE, but Fortran-contiguous

ACTIVATIONS = {
    "none": lib.TS_ACT_NONE,
    "relu": lib.TS_ACT_RELU,
    "tanh": lib.TS_ACT_TANH,
    "sigmoid": lib.TS_ACT_SIGMOID,
}
GELUS = {"none": lib.TS_ACT_GELU, "tanh": lib.TS_ACT_GELU_TANH}


def isa() -> str:
    """The instruction set in use."""
    return str(ffi.string(lib.ts_isa()).decode())


def isas() -> list[str]:
    """Every instruction set that this build and this processor have, best first."""
    return [n for n in ("avx512", "avx2", "neon", "scalar") if lib.ts_has_isa(n.encode())]


def use_isa(name: str) -> None:
    """Switch the instruction set, for tests and benchmarks.

    Raises:
        RuntimeError: if this machine lacks it, naming those it has.
    """
    if lib.ts_use_isa(name.encode()) != lib.TS_OK:
        raise RuntimeError(f"TINYSEQ_ISA: this machine has {', '.join(isas())}, not {name!r}")


def set_num_threads(threads: int) -> None:
    """At most so many threads a call."""
    lib.ts_set_threads(min(threads, 1024))  # more than any machine has cores


def get_num_threads() -> int:
    """At most so many threads a call."""
    return int(lib.ts_get_threads())


def fma_peak(seconds: float) -> float:
    """Measured GFLOP/s of one core on fused multiply-adds alone."""
    return float(lib.ts_fma_peak(seconds))


def bandwidth(size: int, seconds: float) -> float:
    """Measured GB/s of all threads over three arrays that take `size` bytes together."""
    rate = float(lib.ts_bandwidth(size // 12, seconds))
    if not rate:
        raise MemoryError(f"bandwidth: no memory for arrays of {size} bytes")
    return rate


def _elementwise(name: str) -> Any:
    kernel, fallback = getattr(lib, f"ts_{name}"), getattr(numpy_kernels, name)

    def run(x: Array) -> Array:
        if x.dtype != FLOAT32:
            return fallback(x)  # type: ignore[no-any-return]
        n = x.size
        if n <= SMALL or x.flags.num & DENSE != DENSE:
            y = x.copy()  # dense whatever x was, and then overwritten
            source = target = from_buffer(FLOATS, y)
        else:
            y = empty(x.shape, FLOAT32)
            source, target = from_buffer(FLOATS, x), from_buffer(FLOATS, y)
        code = kernel(n, source, target)
        if code:
            check(code)
        return y

    run.__name__, run.__doc__ = name, fallback.__doc__
    return run


exp = _elementwise("exp")
tanh = _elementwise("tanh")
sigmoid = _elementwise("sigmoid")
erf = _elementwise("erf")


def dropout(x: Array, p: float, key: int) -> Array:
    """x / (1 - p) or 0, by the bits of a key; see philox.dropout."""
    if not is_float32(x):
        return numpy_kernels.dropout(x, p, key)
    y = empty(x.shape, FLOAT32)
    check(lib.ts_dropout(x.size, read(x), p, key, read(y)))
    return y


def _matrix(a: Array) -> tuple[Array, Any, int, int]:
    """A stack of matrices as C reads it: the array, a pointer, and the strides, in elements, of
    rows and of columns. A layout that C cannot read is copied."""
    flags = a.flags.num
    if flags & DENSE == DENSE:
        return a, from_buffer(FLOATS, a), a.shape[-1] or 1, 1
    if flags & TURNED == TURNED and a.ndim == 2:
        return a, from_buffer(FLOATS, a.T), 1, a.shape[0] or 1
    item = a.itemsize
    whole = a.flags.aligned and all(s >= 0 and s % item == 0 for s in a.strides)
    row, column = a.strides[-2] // item, a.strides[-1] // item
    if whole and column == 1 and row >= a.shape[-1]:
        return a, _start(a), row, 1
    if whole and row == 1 and column >= a.shape[-2]:
        return a, _start(a), 1, column
    return _matrix(np.array(a, order="C", copy=True))


def _start(a: Array) -> Any:
    """A pointer to the first element of an array of any layout."""
    return ffi.cast("float *", a.__array_interface__["data"][0])


def _offsets(a: Array, batch: tuple[int, ...]) -> Array:
    """Where each matrix of a broadcast stack begins, in elements."""
    offset = np.zeros(batch, np.int64)
    for axis in range(1, a.ndim - 1):  # from the innermost batch axis outwards
        size, stride = a.shape[-2 - axis], a.strides[-2 - axis] // a.itemsize
        if size > 1:
            steps = np.arange(size, dtype=np.int64) * stride
            offset += steps.reshape((size,) + (1,) * (axis - 1))
    return offset.reshape(-1)


def matmul(a: Array, b: Array) -> Array:
    """C = A B; see numpy_kernels.matmul."""
    if a.dtype != FLOAT32 or b.dtype != FLOAT32:
        return numpy_kernels.matmul(a, b)
    a_shape, b_shape = a.shape, b.shape
    m, k, n = a_shape[-2], a_shape[-1], b_shape[-1]
    single, b_flags = len(a_shape) == len(b_shape) == 2, b.flags.num
    # Nearly always a is dense, and b that or, for a gradient, turned: _matrix without the call.
    if a.flags.num & DENSE == DENSE:
        a_from, a_row, a_column = from_buffer(FLOATS, a), k or 1, 1
    else:
        a, a_from, a_row, a_column = _matrix(a)
    if b_flags & DENSE == DENSE:
        b_from, b_row, b_column = from_buffer(FLOATS, b), n or 1, 1
    elif single and b_flags & TURNED == TURNED:
        b_from, b_row, b_column = from_buffer(FLOATS, b.T), 1, k or 1
    else:
        b, b_from, b_row, b_column = _matrix(b)
    if single:
        c = empty((m, n), FLOAT32)
        pairs, a_at, b_at = 1, NULL, NULL
    else:
        batch = np.broadcast_shapes(a_shape[:-2], b_shape[:-2])
        c = empty((*batch, m, n), FLOAT32)
        a_offset, b_offset = _offsets(a, batch), _offsets(b, batch)
        pairs, a_at, b_at = a_offset.size, read_index(a_offset), read_index(b_offset)
    code = c_matmul(
        pairs, m, n, k, a_from, a_at, a_row, a_column, b_from, b_at, b_row, b_column,
        NULL, NO_ACTIVATION, NULL, from_buffer(FLOATS, c),
    )  # fmt: skip
    if code:
        check(code)
    return c


def linear(x: Array, weight: Array, bias: Array | None, activation: str) -> Array:
    """y = activation(x Wᵀ + b); see numpy_kernels.linear."""
    if not is_float32(x, weight, bias):
        return numpy_kernels.linear(x, weight, bias, activation)
    return _linear(x, weight, bias, ACTIVATIONS[activation], None)


def linear_gelu(
    x: Array, weight: Array, bias: Array | None, approximate: str, keep: bool
) -> tuple[Array, Array | None]:
    """GELU of a linear layer; see numpy_kernels.linear_gelu."""
    if not is_float32(x, weight, bias):
        return numpy_kernels.linear_gelu(x, weight, bias, approximate, keep)
    before = aligned(*x.shape[:-1], len(weight)) if keep else None
    return _linear(x, weight, bias, GELUS[approximate], before), before


def _linear(
    x: Array, weight: Array, bias: Array | None, activation: int, before: Array | None
) -> Array:
    n, k = weight.shape
    weight, w_from, w_row, w_column = _matrix(weight)
    y = aligned(*x.shape[:-1], n)
    rows = y.size // n if n else 0
    x_from, bias_from = read(x), read(bias)
    code = c_matmul(
        1, rows, n, k,
        x_from, NULL, k or 1, 1,
        w_from, NULL, w_column, w_row,
        bias_from, activation, read(before), from_buffer(FLOATS, y),
    )  # fmt: skip
    if code:
        check(code)
    return y


def embedding(weight: Array, index: Array) -> Array:
    """Rows of a table; see numpy_kernels.embedding."""
    if not is_float32(weight):
        return numpy_kernels.embedding(weight, index)
    out = np.empty((*index.shape, weight.shape[1]), np.float32)
    check(lib.ts_embedding(index.size, weight.shape[1], read(weight), read_index(index), read(out)))
    return out


def embedding_scatter(g: Array, index: Array, rows: int) -> Array:
    """The sum of rows of g by index; see numpy_kernels.embedding_scatter."""
    if not is_float32(g):
        return numpy_kernels.embedding_scatter(g, index, rows)
    width = g.shape[-1]
    out = np.empty((rows, width), np.float32)
    check(lib.ts_embedding_scatter(index.size, width, rows, read(g), read_index(index), read(out)))
    return out


def _in_place(arrays: list[Array]) -> bool:
    """Whether C may write to all of these where they lie."""
    return all(a.dtype == np.float32 and a.flags.carray for a in arrays)


def _pointers(arrays: list[Array]) -> Any:
    return ffi.new("float *[]", [_start(a) for a in arrays])


def _sizes(arrays: list[Array]) -> Any:
    return ffi.new("int64_t[]", [a.size for a in arrays])


def sum_of_squares(arrays: list[Array]) -> float:
    """The sum of squares of all elements, in double; see numpy_kernels.sum_of_squares."""
    if not is_float32(*arrays):
        return numpy_kernels.sum_of_squares(arrays)
    arrays = [dense(a) for a in arrays]
    result = ffi.new("double *")
    check(lib.ts_sum_of_squares(len(arrays), _sizes(arrays), _pointers(arrays), result))
    return float(result[0])


def scale_(arrays: list[Array], factor: float) -> None:
    """Every element times the factor, in place; see numpy_kernels.scale_."""
    if not _in_place(arrays):
        return numpy_kernels.scale_(arrays, factor)
    check(lib.ts_scale(len(arrays), _sizes(arrays), _pointers(arrays), factor))
    return None


def adam_(
    params: list[Array], grads: list[Array], m: list[Array], v: list[Array], *,
    lr: float, beta1: float, beta2: float, eps: float, weight_decay: float, decoupled: bool,
    step: int,
) -> None:  # fmt: skip
    """One step of Adam or AdamW on all parameters; see numpy_kernels.adam_."""
    if not (_in_place(params) and _in_place(m) and _in_place(v) and is_float32(*grads)):
        return numpy_kernels.adam_(
            params, grads, m, v, lr=lr, beta1=beta1, beta2=beta2, eps=eps,
            weight_decay=weight_decay, decoupled=decoupled, step=step,
        )  # fmt: skip
    grads = [dense(g) for g in grads]
    # The step's scalars are worked out here, in double, and rounded once.
    l2, decay = (0.0, 1 - lr * weight_decay) if decoupled else (weight_decay, 1.0)
    step_size, v_scale = lr / (1 - beta1**step), (1 - beta2**step) ** -0.5
    check(
        lib.ts_adam(
            len(params), _sizes(params),
            _pointers(params), _pointers(grads), _pointers(m), _pointers(v),
            beta1, 1 - beta1, beta2, 1 - beta2, l2, decay, step_size, v_scale, eps,
        )
    )  # fmt: skip
    return None
