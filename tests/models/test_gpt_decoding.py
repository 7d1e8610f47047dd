import numpy as np
import pytest

import tinyseq as ts
from tinyseq.models import GPT

KINDS = {
    "learned": {},
    "rotary": {"positions": "rotary"},
    "rotary window": {"positions": "rotary", "window": 8},
}


def symbols(n):
    return np.random.default_rng(0).integers(0, 7, (1, n))


def gpt(**options):
    ts.manual_seed(0)
    return GPT(7, 8, 2, 2, 16, **options).eval()


def read(decoding, ids):
    with ts.no_grad():
        return decoding.step(ids).data[0]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("sizes", [[1] * 7, [3, 1, 4], [8]])
def test_it_knows_all_it_has_read_within_a_block(kind, sizes):
    model, ids = gpt(**KINDS[kind]), symbols(8)
    decoding, t = model.start([ids[0]]), 0
    for n in sizes:
        found = read(decoding, ids[:, t : t + n])
        t += n
        np.testing.assert_allclose(found, model(ids[:, :t]).data[0, -1], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("kind", ["learned", "rotary"])
@pytest.mark.parametrize("first", [1, 8, 9, 13, 14, 30])
def test_where_positions_end_it_goes_on_from_half_a_block(kind, first):
    model, ids = gpt(**KINDS[kind]), symbols(60)
    decoding = model.start([ids[0]])
    found = read(decoding, ids[:, :first])
    for t in range(first, 60):
        begin = 0
        while t - begin > 8:
            begin += 5
        assert 4 <= t - begin <= 8 or t < 4
        np.testing.assert_allclose(found, model(ids[:, begin:t]).data[0, -1], 1e-4, 1e-6)
        found = read(decoding, ids[:, t : t + 1])


def test_with_rotary_positions_and_a_window_it_never_begins_anew():
    model, ids = gpt(**KINDS["rotary window"]), symbols(300)
    decoding = model.start([ids[0]])
    for t in range(300):
        found = read(decoding, ids[:, t : t + 1])
    np.testing.assert_allclose(found, model(ids).data[0, -1], rtol=1e-4, atol=1e-6)


def test_it_reads_at_most_two_symbols_for_each(monkeypatch):
    fed, step = [], GPT.step

    def watched(self, ids, cache):
        fed.append(ids.size)
        return step(self, ids, cache)

    monkeypatch.setattr(GPT, "step", watched)
    ids = symbols(200)
    decoding = gpt().start([ids[0]])
    for t in range(200):
        read(decoding, ids[:, t : t + 1])
    assert len(fed) == 200 and sum(fed) <= 2 * 200 and max(fed) == 4


@pytest.mark.parametrize("block", [1, 2, 3])
def test_a_block_may_be_tiny(block):
    ts.manual_seed(0)
    model, ids = GPT(7, block, 1, 1, 4).eval(), symbols(20)
    decoding = model.start([ids[0]])
    for t in range(20):
        assert np.isfinite(read(decoding, ids[:, t : t + 1])).all()
