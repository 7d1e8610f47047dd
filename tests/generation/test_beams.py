from itertools import product

import numpy as np
import pytest

from tests.generation.table import Table
from tinyseq.generation import generate
from tinyseq.generation.beams import _largest

V, N = 3, 5


def exhaustively(table, prompt, length_penalty, stop, count=N):
    """The best of all continuations; those of equal score do not occur."""
    best, found = -np.inf, None
    for length in range(1, count + 1):
        for symbols in product(range(len(table.logits)), repeat=length):
            ended = symbols[-1] in stop
            if any(s in stop for s in symbols[:-1]) or not (ended or length == count):
                continue
            score = table.total(prompt, symbols) / length**length_penalty
            if score > best:
                best, found = score, symbols[:-1] if ended else symbols
    return list(found)


@pytest.mark.parametrize("length_penalty", [-1.0, 0.0, 0.5, 1.0, 3.0])
@pytest.mark.parametrize("stop", [(), (0,), (0, 2)])
def test_with_beams_enough_the_best_of_all_is_found(length_penalty, stop):
    for seed in range(6):
        table = Table(V, seed)
        found = generate(table, [1], N, num_beams=V**N, length_penalty=length_penalty, stop=stop)
        assert found.tolist() == exhaustively(table, (1,), length_penalty, stop)


def by_hand(table, prompt, width, stop, length_penalty, count=N):
    """A beam search that never ends early and keeps everything in plain lists."""
    beams, ended = [((), 0.0)], []
    for length in range(1, count + 1):
        every = [((*b, s), table.total(prompt, (*b, s))) for b, _ in beams for s in range(V)]
        every.sort(key=lambda beam: -beam[1])
        ended += [(t / length**length_penalty, b[:-1]) for b, t in every[:width] if b[-1] in stop]
        beams = [beam for beam in every if beam[0][-1] not in stop][:width]
    ended += [(t / count**length_penalty, b) for b, t in beams]
    return list(max(ended)[1])


@pytest.mark.parametrize("width", [2, 3, 4])
@pytest.mark.parametrize("length_penalty", [-3.0, -0.5, 0.0, 1.0, 2.0])
def test_it_finds_what_a_plain_search_finds(width, length_penalty):
    for seed in range(20):
        table = Table(V, seed)
        found = generate(table, [1, 2], N, num_beams=width, stop=0, length_penalty=length_penalty)
        assert found.tolist() == by_hand(table, (1, 2), width, (0,), length_penalty)


def test_it_ends_once_nothing_could_be_better():
    table = Table(V)
    table.logits[:, :, 0] += 12  # the end is all but sure, and then nothing is left to gain
    assert generate(table, [1], 1000, num_beams=2, stop=0, length_penalty=0).tolist() == []
    assert table.steps == 1


def test_prompts_side_by_side_find_what_they_find_alone():
    table = Table(V, 3, stop=(0,))
    prompts = [[1], [2, 1, 1], [1, 2]]
    together = generate(table, prompts, N, num_beams=3)
    for prompt, found in zip(prompts, together, strict=True):
        assert found.tolist() == generate(table, prompt, N, num_beams=3).tolist()
        assert found.tolist() == by_hand(table, prompt, 3, (0,), 1.0)


def test_penalties_and_suppression_hold_along_each_beam():
    table = Table(4, 1)
    found = generate(table, [1], 6, num_beams=4, suppress=2, repetition_penalty=1e6)
    table.logits[..., 2] = -np.inf
    seen, expected = {1}, -np.inf
    for symbols in product([0, 1, 3], repeat=6):
        total, seen = 0.0, {1}
        for n, symbol in enumerate(symbols):
            logits = table.after((1, *symbols[:n])).copy()
            for s in seen - {2}:
                logits[s] = logits[s] / 1e6 if logits[s] > 0 else logits[s] * 1e6
            logits -= logits.max()
            total += logits[symbol] - np.log(np.exp(logits).sum())
            seen.add(symbol)
        if total > expected:
            expected, best = total, symbols
    assert found.tolist() == list(best)


def test_the_largest_of_equals_are_the_first():
    values = np.array([1.0, 3.0, 2.0, 3.0, 2.0, 2.0])
    for count in range(1, 8):
        assert _largest(values, count).tolist() == [1, 3, 2, 4, 5, 0][:count]
