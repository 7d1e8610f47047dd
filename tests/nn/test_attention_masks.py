"""Masks and lengths brought together."""

import numpy as np
import pytest

import tinyseq as ts
from tinyseq.nn.attention_masks import finite, is_causal_mask, visible, within

B, N, T, S = 2, 3, 4, 5


def seen(**given):
    return visible("Layer", (B, N, T, S), np.float32, **given)


def shown(found):
    """What is seen, as a bool (B,N,T,S)."""
    allowed = np.ones((B, N, T, S), bool)
    if found.mask is not None:
        mask = found.mask.data
        allowed &= mask if mask.dtype == bool else ~np.isneginf(mask)
    if found.lengths is not None:
        allowed &= np.arange(S) < found.lengths[:, None, None, None]
    if found.causal:
        allowed &= np.tri(T, S, S - T, dtype=bool)
    return allowed


@pytest.mark.parametrize("attn_kind", ["none", "bool", "floats", "each head"])
@pytest.mark.parametrize("padding_kind", ["none", "ends", "holes", "floats"])
@pytest.mark.parametrize("lengths", [None, [2, 5]])
@pytest.mark.parametrize("causal", [False, True])
def test_all_that_is_given_holds(attn_kind, padding_kind, lengths, causal):
    rng = np.random.default_rng(0)
    hidden, each = rng.random((T, S)) < 0.4, rng.random((B * N, T, S)) < 0.4
    ends, holes = np.arange(S) >= np.array([[3], [4]]), rng.random((B, S)) < 0.4
    hide = {"bool": hidden, "floats": hidden, "each head": each.reshape(B, N, T, S)}
    gone = {"ends": ends, "holes": holes, "floats": holes}
    wanted = np.ones((B, N, T, S), bool)
    if attn_kind in hide:
        wanted &= ~hide[attn_kind]
    if padding_kind in gone:
        wanted &= ~gone[padding_kind][:, None, None]
    if lengths is not None:
        wanted &= np.arange(S) < np.array(lengths)[:, None, None, None]
    if causal:
        wanted &= np.tri(T, S, S - T, dtype=bool)

    def floats(hidden):
        return np.where(hidden, -np.inf, 0.5).astype(np.float32)

    attn = {"none": None, "bool": hidden, "floats": floats(hidden), "each head": each}[attn_kind]
    pad = {"none": None, "ends": ends, "holes": holes, "floats": floats(holes)}[padding_kind]
    found = seen(attn_mask=attn, key_padding_mask=pad, lengths=lengths, is_causal=causal)
    np.testing.assert_array_equal(shown(found), wanted)
    if found.mask is not None and found.mask.dtype != bool:
        added = 0.5 * (attn_kind == "floats") + 0.5 * (padding_kind == "floats")
        values = found.mask.data[np.isfinite(found.mask.data)]
        assert (values == added).all()
    # Whoever is absent is seen by nobody.
    if found.absent is not None:
        assert not (wanted & found.absent[:, None, None]).any()


def test_padding_at_the_ends_becomes_lengths():
    ends = np.arange(S) >= np.array([[3], [0]])
    found = seen(key_padding_mask=ends)
    assert found.mask is None and found.lengths.tolist() == [3, 0]
    found = seen(key_padding_mask=ends, lengths=[2, 4])
    assert found.mask is None and found.lengths.tolist() == [2, 0]
    assert seen(key_padding_mask=~ends).lengths is None


def test_a_causal_mask_is_known():
    causal = ts.tensor(np.where(np.tri(4, dtype=bool), 0, -np.inf).astype(np.float32))
    assert is_causal_mask(causal) and is_causal_mask(ts.tensor(causal.data < 0))
    almost = causal.data.copy()
    almost[2, 1] = 0.1
    for other in (causal.data.T, causal.data[:, :3], almost, np.zeros((4, 4)), np.zeros((0, 0))):
        assert not is_causal_mask(ts.tensor(other))
    learned = ts.tensor(causal.data, requires_grad=True)
    assert not is_causal_mask(learned)
    found = visible("Layer", (B, N, 4, 4), np.float32, attn_mask=causal)
    assert found.causal and found.mask is None


def test_what_nobody_sees_can_do_no_harm():
    x = np.array([[[1.0], [np.nan], [np.inf]]])
    absent = np.array([[False, True, True]])
    np.testing.assert_array_equal(finite(ts.tensor(x), absent).data.ravel(), [1, 0, 0])
    given = ts.ones(1, 3, 1)
    assert finite(given, absent) is given and finite(given, None) is given
    assert within(given, np.array([2])).data.ravel().tolist() == [1, 1, 0]
