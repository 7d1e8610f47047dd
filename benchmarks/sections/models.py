"""Whole language models: a training step with its optimizer, and what memory it takes."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.cases.attention import AttentionCase
from benchmarks.cases.charlm import CharLMCase
from benchmarks.cases.loop import LoopCase
from benchmarks.records import Row
from benchmarks.remote import fresh_memory
from benchmarks.run import Run

SMALL, LARGE = (4, 4, 128, 64, 12), (6, 6, 384, 256, 16)  # L N E T B of the two GPTs
LSTM = (64, 256, 64, 16)  # D H T B of the command line's own


def compiling(run: Run) -> str:
    """Whether PyTorch may compile a model, which takes it a minute, however small that is."""
    return "" if run.deep and not run.quick else "eager"


def models(run: Run) -> Iterator[Row]:
    """A language model's training step."""

    def figures(row: Row) -> dict[str, float]:
        found = {}
        if row.name.startswith("gpt") and "torch" in row.ratios:
            found["gpt step"] = row.ratios["torch"].middle
            L, N, E, T, B = map(int, row.size.values())
            row.memory |= memory((L, N, E, T, B))
            found["gpt memory"] = row.memory["c"] / row.memory["torch"]
        if tuple(row.size.values()) == LARGE:
            found["gpt peak"] = row.flops / row.best["c"] / run.peak
        return found

    lstm = CharLMCase(LSTM)
    small = AttentionCase("gpt", "step", SMALL, "eager")  # so small a one is slower compiled
    yield from run.rows("models", [lstm, small], figures)
    if not run.quick and (run.deep or run.peers):
        # NumPy would take minutes: here the systems check each other.
        large = AttentionCase("gpt", "step", LARGE, compiling(run))
        yield from run.rows("models", [large], figures, numpy=False)


def loop(run: Run) -> Iterator[Row]:
    """The loop of training beside the bare steps in it."""
    for shape in [(16, 64, 32, 8), *([LSTM] if run.deep and not run.quick else [])]:
        case = LoopCase(shape)
        if run.wants("loop", case.name):
            row = run.beside("loop", case, "bare", LoopCase(shape, bare=True))
            if not row.wrong and not run.quick:
                row.targets = {"loop": row.ratios["bare"].middle}
            yield row


def memory(shape: tuple[int, ...]) -> dict[str, int]:
    """What a GPT's step takes in processes that have done nothing else, PyTorch not compiled."""
    case = AttentionCase("gpt", "step", shape, "eager")
    tiny = AttentionCase("gpt", "step", (1, 1, 8, 4, 1), "eager")
    return {name: fresh_memory(name, case, tiny) for name in ("c", "torch")}
