"""Products of vectors, of batches of matrices, and the general one, einsum."""

import math
import re
from typing import Any

import numpy as np

from tinyseq.autograd import Tensor
from tinyseq.ops.creation import as_tensor
from tinyseq.ops.indexing import take
from tinyseq.ops.matmul import matmul
from tinyseq.ops.reduce import sum
from tinyseq.ops.shape import expand, permute, reshape, unsqueeze

__all__ = ["bmm", "dot", "einsum", "outer"]


def outer(a: Tensor, b: Tensor) -> Tensor:
    """a[i] b[j], from vectors (M,) and (N,) to (M, N)."""
    a, b = as_tensor(a), as_tensor(b)
    if a.ndim != 1 or b.ndim != 1:
        raise ValueError(f"outer: expected (M,) and (N,), got {a.shape} and {b.shape}")
    return unsqueeze(a, 1) * b


def dot(a: Tensor, b: Tensor) -> Tensor:
    """Σ a[k] b[k], of two vectors (K,)."""
    a, b = as_tensor(a), as_tensor(b)
    if a.ndim != 1 or a.shape != b.shape:
        raise ValueError(f"dot: expected (K,) twice, got {a.shape} and {b.shape}")
    return matmul(a, b)


def bmm(a: Tensor, b: Tensor) -> Tensor:
    """The product of each matrix of (B, M, K) with its own of (B, K, N): (B, M, N)."""
    a, b = as_tensor(a), as_tensor(b)
    if a.ndim != 3 or b.ndim != 3 or a.shape[0] != b.shape[0] or a.shape[2] != b.shape[1]:
        raise ValueError(f"bmm: expected (B, M, K) and (B, K, N), got {a.shape} and {b.shape}")
    return matmul(a, b)


def einsum(equation: str, *operands: Any) -> Tensor:
    """The sum of products that the equation describes::

        einsum("bik,bkj->bij", a, b)[b, i, j] = Σ_k a[b, i, k] b[b, k, j]

    Each operand's dimensions are named by letters; those not named in the result are summed
    over. A letter twice in one operand means its diagonal. `...` stands for any further
    dimensions, broadcast between operands. Without `->` the result has the `...` dimensions,
    then the letters that occur once, in alphabetical order. Sizes of 1 are broadcast.

    The operands are multiplied from left to right, two at a time, by one matrix product each.

    Args:
        equation: as above; spaces do not matter.
        operands: Tensors of any shape that the equation fits, or one list of them.

    Raises:
        ValueError: if the equation is not of that form, or the operands do not fit it.
    """
    if len(operands) == 1 and isinstance(operands[0], list | tuple):
        operands = tuple(operands[0])
    terms, result = _parse(equation, len(operands))
    named = [_named(as_tensor(x), t, equation) for x, t in zip(operands, terms, strict=True)]
    sizes = _sizes(named, equation)
    dots = [n for n in sizes if n.startswith(".")]
    if result is None:
        letters = [c for c in "".join(terms) if c != "."]
        result = "." + "".join(sorted(c for c in letters if letters.count(c) == 1))
    out = [n for c in result for n in (sorted(dots, reverse=True) if c == "." else c)]
    # What is still needed after each operand: the names in the result and in all that follow.
    y, names = named[0]
    for i, (x, others) in enumerate(named):
        later = {*out, *(n for _, following in named[i + 1 :] for n in following)}
        if i:
            x, others = _summed(x, others, {*names, *later})
            y, names = _multiplied(y, names, x, others, later, sizes)
        else:
            y, names = _summed(y, names, later)
    return _arranged(y, names, out)


Names = list[str]  # of an operand's dimensions: letters, and ".0", ".1", ... from the last dot on


def _parse(equation: str, count: int) -> tuple[list[str], str | None]:
    """The operands' letters and the result's, if it is given, with "." for "..."."""
    left, arrow, right = equation.replace(" ", "").replace("...", ".").partition("->")
    terms = left.split(",")
    for term in (*terms, right):
        if not re.fullmatch(r"[A-Za-z]*\.?[A-Za-z]*", term):
            raise ValueError(f"einsum: expected letters and one '...', got {equation!r}")
    if len(terms) != count:
        raise ValueError(f"einsum: {equation!r} names {len(terms)} operands, got {count}")
    for c in right:
        if right.count(c) > 1 or (c != "." and c not in left):
            raise ValueError(f"einsum: the result of {equation!r} cannot have {c!r} so")
    return terms, right if arrow else None


def _named(x: Tensor, term: str, equation: str) -> tuple[Tensor, Names]:
    """An operand and the names of its dimensions, each once: of repeated ones the diagonal."""
    before, dots, after = term.partition(".")
    more = x.ndim - len(before) - len(after)
    if more < 0 or (more and not dots):
        raise ValueError(f"einsum: {term!r} of {equation!r} does not fit shape {x.shape}")
    names = [*before, *(f".{i:02}" for i in reversed(range(more))), *after]
    for n in sorted(set(names)):
        while names.count(n) > 1:
            a, b = [d for d, other in enumerate(names) if other == n][:2]
            if x.shape[a] != x.shape[b]:
                raise ValueError(f"einsum: {n!r} of {equation!r} has two sizes in {x.shape}")
            rest = [d for d in range(x.ndim) if d not in (a, b)]
            diagonal = np.arange(x.shape[a])
            x = take(permute(x, (a, b, *rest)), key=(diagonal, diagonal))
            names = [n, *(names[d] for d in rest)]
    return x, names


def _sizes(named: list[tuple[Tensor, Names]], equation: str) -> dict[str, int]:
    """The size that each name stands for."""
    sizes: dict[str, int] = {}
    for x, names in named:
        for n, size in zip(names, x.shape, strict=True):
            known = sizes.setdefault(n, size)
            if known == 1:
                sizes[n] = size
            elif size not in (1, known):
                raise ValueError(f"einsum: {n!r} of {equation!r} has the sizes {known} and {size}")
    return sizes


def _summed(x: Tensor, names: Names, needed: set[str]) -> tuple[Tensor, Names]:
    """Summed over the dimensions whose names nobody needs."""
    gone = tuple(d for d, n in enumerate(names) if n not in needed)
    return (sum(x, gone) if gone else x), [n for n in names if n in needed]


def _arranged(x: Tensor, names: Names, wanted: Names) -> Tensor:
    """With the dimensions in the wanted order."""
    return x if names == wanted else permute(x, [names.index(n) for n in wanted])


def _multiplied(
    a: Tensor, a_names: Names, b: Tensor, b_names: Names, later: set[str], sizes: dict[str, int]
) -> tuple[Tensor, Names]:
    """The product of two operands, summed over what they share and nobody needs later."""
    shared = [n for n in a_names if n in b_names]
    batch, gone = [n for n in shared if n in later], [n for n in shared if n not in later]
    rows, columns = ([n for n in names if n not in shared] for names in (a_names, b_names))
    a = _arranged(a, a_names, batch + rows + gone)
    b = _arranged(b, b_names, batch + gone + columns)
    names = batch + rows + columns
    if not gone:
        a = reshape(a, a.shape + (1,) * len(columns))
        b = reshape(b, b.shape[: len(batch)] + (1,) * len(rows) + b.shape[len(batch) :])
        return a * b, names
    B, K = [sizes[n] for n in batch], [sizes[n] for n in gone]
    M = a.shape[len(batch) : len(batch) + len(rows)]
    N = b.shape[len(shared) :]
    a, b = expand(a, (*B, *M, *K)), expand(b, (*B, *K, *N))  # where a size was 1
    m, k, n = math.prod(M), math.prod(K), math.prod(N)
    y = matmul(reshape(a, (*B, m, k)), reshape(b, (*B, k, n)))
    return reshape(y, (*B, *M, *N)), names
