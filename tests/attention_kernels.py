"""For the tests of the attention kernels in C: problems drawn at random, and comparisons."""

from typing import NamedTuple

import numpy as np

from tinyseq.backend.attention import Pattern

__all__ = ["Problem", "assert_close", "assert_same_bits", "both", "draw", "part", "sees", "wide"]


class Problem(NamedTuple):
    """The arguments of both kernels, but for what the backward one takes from the forward one."""

    q: np.ndarray
    k: np.ndarray
    v: np.ndarray
    mask: np.ndarray | None
    pattern: Pattern
    g: np.ndarray


def draw(seed, T=(1, 2, 3, 5, 9, 17, 64, 129, 200, 300), d=(1, 7, 16, 32, 40, 64, 100), **options):
    """Sizes and options at random, about a third of the options at once; `options` of the pattern
    are given instead, and start always is."""
    random = np.random.default_rng(seed)
    B, M, group = random.integers(1, 4, 3)
    N, T, d = M * group, int(random.choice(T)), int(random.choice(d))
    S, dv = int(random.choice([T, T, T, 1, 7, 130, 257, 400])), int(random.choice([d, d, 5, 33]))

    def normal(*shape):  # laid out as the projections leave it
        shape = (shape[0], shape[2], shape[1], shape[3])
        return random.standard_normal(shape, np.float32).transpose(0, 2, 1, 3)

    on = random.random(8) < 0.35
    pattern = Pattern(
        scale=d**-0.5,
        causal=bool(on[0]),
        window=int(random.integers(1, S + 3)) if on[1] else 0,
        lengths=random.integers(0, S + 1, B) if on[2] else None,
        start=random.integers(-3, S + 3, B) if on[3] else np.full(B, S - T),
        slopes=random.random(N, np.float32) / 8 if on[4] else None,
        softcap=float(random.uniform(0.5, 5)) if on[5] else 0.0,
    )._replace(**options)
    mask = None
    if on[6]:
        shape = [n if random.random() < 0.5 else 1 for n in (B, N, T, S)]
        mask = random.random(shape) < 0.7
        if on[7]:
            mask = np.where(mask, random.standard_normal(shape), -np.inf).astype(np.float32)
    arrays = normal(B, N, T, d), normal(B, M, S, d), normal(B, M, S, dv)
    return Problem(*arrays, mask, pattern, normal(B, N, T, dv))


def wide(problem):
    """The same in float64."""
    return problem._replace(**{
        name: a.astype(np.float64)
        for name, a in problem._asdict().items()
        if isinstance(a, np.ndarray) and a.dtype == np.float32
    })  # fmt: skip


def both(kernels, problem):
    """All that the two kernels of a module give, by name."""
    *given, g = problem
    y, totals = kernels.attention_forward(*given)
    grads = kernels.attention_backward(g, *given[:4], y, totals, given[4])[:3]
    names = ("y", "largest", "total", "dq", "dk", "dv")
    return dict(zip(names, (y, *totals, *grads), strict=True))


def sees(problem):
    """(B, N, T, S): whether a query sees a key."""
    pattern, (B, N, T, _), S = problem.pattern, problem.q.shape, problem.k.shape[2]
    position = (pattern.start[:, None] + np.arange(T))[:, None, :, None]
    key, seen = np.arange(S), np.ones((B, N, T, S), bool)
    if pattern.causal:
        seen &= key <= position
    if pattern.window:
        seen &= abs(position - key) < pattern.window
    if pattern.lengths is not None:
        seen &= key < pattern.lengths[:, None, None, None]
    if problem.mask is not None:
        seen &= problem.mask if problem.mask.dtype == bool else problem.mask > -np.inf
    return seen


def part(problem, rows=slice(None), queries=slice(None), keys=slice(None)):
    """The problem of these rows of the batch, queries and keys alone; the keys begin at 0."""
    q, k, v, mask, pattern, g = problem
    if mask is not None:
        cuts = zip(mask.shape, (rows, slice(None), queries, keys), strict=True)
        mask = mask[tuple(slice(None) if n == 1 else cut for n, cut in cuts)]
    pattern = pattern._replace(
        lengths=None if pattern.lengths is None else pattern.lengths[rows],
        start=pattern.start[rows] + (queries.start or 0),
    )
    return Problem(q[rows, :, queries], k[rows, :, keys], v[rows, :, keys], mask, pattern,
                   g[rows, :, queries])  # fmt: skip


def assert_close(results, wanted, tolerance):
    """Within the tolerance times the largest that is wanted, or 1."""
    assert results.keys() == wanted.keys()
    for name in wanted:
        finite = np.isfinite(wanted[name])
        np.testing.assert_array_equal(np.isfinite(results[name]), finite, err_msg=name)
        atol = tolerance * max(1, np.max(np.abs(wanted[name]), initial=0, where=finite))
        np.testing.assert_allclose(results[name], wanted[name], rtol=0, atol=atol, err_msg=name)


def assert_same_bits(results, wanted):
    """No bit differs, but for the kind of a NaN."""
    assert results.keys() == wanted.keys()
    for name in wanted:
        a, b = (np.ascontiguousarray(r[name]) for r in (results, wanted))
        assert a.shape == b.shape and a.dtype == b.dtype == np.float32, name
        same = (a.view(np.uint32) == b.view(np.uint32)) | (np.isnan(a) & np.isnan(b))
        assert same.all(), f"{name}: {(~same).sum()} of {same.size} differ"
