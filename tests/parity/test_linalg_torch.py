"""einsum and other products beside PyTorch's."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tests.parity.compare import compare  # noqa: E402
from tinyseq import ops  # noqa: E402

random = np.random.default_rng(0)


def normal(*shapes):
    return [random.standard_normal(shape) for shape in shapes]


EQUATIONS = [
    ("ij,jk->ik", (2, 3), (3, 4)), ("ij,jk", (2, 3), (3, 4)), ("ba,cb", (2, 3), (4, 2)),
    ("bik,bkj->bij", (2, 2, 3), (2, 3, 4)), ("bhtd,bhsd->bhts", (2, 2, 3, 4), (2, 2, 1, 4)),
    ("ij->ji", (2, 3)), ("ba", (2, 3)), ("ij->", (2, 3)), ("ij->j", (2, 3)), ("ii", (3, 3)),
    ("ii->i", (3, 3)), ("bii->b", (2, 3, 3)), ("iji->j", (3, 2, 3)), ("iii->i", (2, 2, 2)),
    ("i,i", (3,), (3,)), ("i,i->i", (3,), (3,)), ("i,j->ij", (3,), (2,)), ("i,j->", (3,), (2,)),
    ("ij,ij->i", (2, 3), (2, 3)), ("ij,jk->", (2, 3), (3, 4)), (",ij->ij", (), (2, 3)),
    (",->", (), ()), ("...ij,...jk->...ik", (5, 1, 2, 3), (4, 3, 2)),
    ("...ij,...jk", (5, 2, 3), (3, 2)), ("...i->...", (2, 3, 4)), ("i...->i", (2, 3, 4)),
    ("...,...->...", (2, 3), (3,)), ("...ii->...i", (2, 3, 3)), ("i...j->j...i", (2, 4, 5, 3)),
    ("bn,anm,bm->ba", (2, 3), (5, 3, 4), (2, 4)), ("a,b,c,d->dcba", (2,), (3,), (4,), (1,)),
    ("ij,jk,kl->il", (2, 3), (3, 4), (4, 2)), (" i j , j k -> i k ", (2, 3), (3, 4)),
    ("ij,jk->ik", (2, 0), (0, 3)), ("ij,jk->ik", (0, 2), (2, 3)), ("ij,ij->ij", (1, 3), (2, 1)),
    ("ij,jk->ik", (2, 1), (3, 4)), ("iI,IA->Ai", (2, 3), (3, 2)), ("Ab,bA", (2, 3), (3, 2)),
    ("...a,...b->...ab", (2, 3), (2, 4)), ("ij,i->j", (2, 3), (2,)), ("...->...", ()),
    ("ijkl,klmn->ijmn", (1, 2, 3, 2), (3, 2, 2, 1)), ("abc,cb,a->", (2, 3, 4), (4, 3), (2,)),
]  # fmt: skip


@pytest.mark.parametrize("equation, shapes", [(e, s) for e, *s in EQUATIONS])
def test_einsum(equation, shapes):
    compare(
        lambda *xs: ops.einsum(equation, *xs),
        lambda *xs: torch.einsum(equation, *xs),
        normal(*shapes),
    )


def test_products():
    compare(ops.outer, torch.outer, normal((3,), (2,)))
    compare(ops.dot, torch.dot, normal((3,), (3,)))
    compare(ops.dot, torch.dot, normal((0,), (0,)))
    compare(ops.bmm, torch.bmm, normal((2, 3, 4), (2, 4, 1)))
    compare(lambda a, b: a[::-1].outer(b), lambda a, b: a.flip(0).outer(b), normal((3,), (2,)))


@pytest.mark.parametrize(
    "a, b",
    [
        ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((2, 3), (3, 4)), ((5, 2, 3), (3, 4)),
        ((3,), (5, 3, 4)), ((5, 2, 3), (3,)), ((2, 3), (5, 3, 4)), ((5, 1, 2, 3), (4, 3, 2)),
        ((0, 3), (3, 2)), ((2, 0), (0, 3)), ((0,), (0,)), ((0, 2, 3), (3, 2)),
    ],
)  # fmt: skip
def test_matmul(a, b):
    compare(ops.matmul, torch.matmul, normal(a, b))
