"""generate and stream: rows that are written side by side."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tinyseq import random
from tinyseq.autograd import Array, Tensor, no_grad
from tinyseq.generation.beams import Beams
from tinyseq.generation.drawing import Draws
from tinyseq.generation.options import Options, symbols_of
from tinyseq.models.decoding import Decoding, Generative, Ids


def generate(
    model: Generative,
    prompt: Any,
    max_new_tokens: int,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    repetition_penalty: float = 1.0,
    num_beams: int = 1,
    length_penalty: float = 1.0,
    stop: int | Iterable[int] | None = None,
    suppress: int | Iterable[int] | None = None,
    seed: int | None = None,
) -> Ids | list[Ids]:
    """Go on with a prompt, or with several side by side::

        x_i    = x_i / penalty where x_i > 0, else x_i penalty, for symbols that were there before
        symbol ~ softmax(x / temperature), cut to top_k, then to top_p

    or, with ``num_beams``, the continuation with the best log p / length^length_penalty that beam
    search finds. What a row is given does not depend on the other rows.

    Args:
        model: one of `tinyseq.models`, or any other with their `Generative.start`; in evaluation
            mode, unless dropout is wanted.
        prompt: symbols (n,), or several such, of any lengths. A language model goes on with them
            and needs at least one; an encoder-decoder reads them, and writes an answer.
        max_new_tokens: how many symbols to write at most, from 0 up.
        temperature: 1 is the model's own distribution, less is safer, 0 takes the likeliest; of
            equals the first.
        top_k: draw from the K likeliest only, and from all that are as likely as the last of them.
        top_p: draw from the fewest likeliest that together have at least this probability.
        repetition_penalty: above 1 makes symbols of the prompt and those already written less
            likely. Of an encoder-decoder, the prompt that it reads does not count.
        num_beams: of beam search; 1 draws.
        length_penalty: of beam search, from -10 to 10: above 0 longer continuations gain, below 0
            shorter ones.
        stop: symbols with which a row ends, and which are left out of it. An encoder-decoder has
            one of its own.
        suppress: symbols that never come.
        seed: of the draws. Row i draws as alone with seed + i. When not given, it comes from the
            generator of `ts.manual_seed`.

    Returns the new symbols, int64 (n,), or a list of such for several prompts.

    Raises ValueError when an argument is outside its range, temperature, top_k or top_p meet
    num_beams, or a language model's prompt is empty; TypeError when a prompt does not hold whole
    numbers, or the model cannot be written with; IndexError when it holds a symbol that is not
    there; Diverged when the model's predictions are not finite.

    Source: Fan, Lewis and Dauphin, "Hierarchical neural story generation", 2018 (top_k); Holtzman
    et al., "The curious case of neural text degeneration", 2020 (top_p); Keskar et al., "CTRL",
    2019, section 4.1 (repetition_penalty, here with negative scores multiplied, so that they fall,
    too); Wu et al., "Google's neural machine translation system", 2016, section 7 (beam search,
    here with the plain power of the length).
    """
    options = Options(
        max_new_tokens, temperature, top_k, top_p, repetition_penalty, num_beams, length_penalty,
        symbols_of("stop", stop), symbols_of("suppress", suppress), seed,
    )  # fmt: skip
    prompts, single = _prompts(prompt)
    writers, ticks = _begin(model, prompts, options)
    for _ in ticks:
        pass
    rows = [np.array(writer.written, np.int64) for writer in writers]
    return rows[0] if single else rows


def stream(
    model: Generative,
    prompt: Any,
    max_new_tokens: int,
    *,
    temperature: float = 1.0,
    top_k: int | None = None,
    top_p: float | None = None,
    repetition_penalty: float = 1.0,
    num_beams: int = 1,
    length_penalty: float = 1.0,
    stop: int | Iterable[int] | None = None,
    suppress: int | Iterable[int] | None = None,
    seed: int | None = None,
) -> Iterator[Any]:
    """Go on as `generate` does, symbol by symbol as they are drawn; beam search knows none before
    it ends.

    Args are those of `generate`.

    Returns an iterator of symbols, or for several prompts of pairs (row, symbol).

    Raises as `generate` does; what is wrong with the arguments is said by the call.
    """
    options = Options(
        max_new_tokens, temperature, top_k, top_p, repetition_penalty, num_beams, length_penalty,
        symbols_of("stop", stop), symbols_of("suppress", suppress), seed,
    )  # fmt: skip
    prompts, single = _prompts(prompt)
    writers, ticks = _begin(model, prompts, options)
    pairs = _as_they_come(writers, ticks)
    return (symbol for _, symbol in pairs) if single else pairs


def _as_they_come(
    writers: Sequence[Draws | Beams], ticks: Iterator[None]
) -> Iterator[tuple[int, int]]:
    given = [0] * len(writers)
    for _ in ticks:
        for row, writer in enumerate(writers):
            for symbol in writer.written[given[row] :]:
                given[row] += 1
                yield row, symbol


def _prompts(given: Any) -> tuple[list[Ids], bool]:
    """The prompts, and whether there is one alone."""
    given = given.data if isinstance(given, Tensor) else given
    if not isinstance(given, Iterable):
        raise TypeError(f"generate: prompt must be symbols, or several such, got {given!r}")
    if isinstance(given, np.ndarray):
        single = given.ndim == 1
    else:
        given = list(given)
        single = all(np.ndim(each) == 0 for each in given)
    rows = [np.asarray(row) for row in ([given] if single else given)]
    for i, row in enumerate(rows):
        where = "" if single else f" {i}"
        if row.ndim != 1:
            raise ValueError(f"generate: prompt{where} must be (n,), got {row.shape}")
        if row.size and row.dtype.kind not in "iu":
            raise TypeError(f"generate: prompt{where} must be whole numbers, got {row.dtype}")
    return [row.astype(np.int64) for row in rows], single


def _begin(
    model: Generative, prompts: list[Ids], options: Options
) -> tuple[Sequence[Draws | Beams], Iterator[None]]:
    """What writes each row, and the run that makes them do it."""
    if not hasattr(model, "start"):
        raise TypeError(
            "generate: model must have start(prompts), as tinyseq/models/decoding.py says, "
            f"got {type(model).__name__}"
        )
    with no_grad():
        decoding = model.start(prompts)
    for i, first in enumerate(decoding.first):
        if not len(first):
            where = "" if len(prompts) == 1 else f" {i}"
            raise ValueError(f"generate: prompt{where} must have at least one symbol, got none")
    stop = options.stop.union(decoding.stop)
    writers: Sequence[Draws | Beams]
    if options.num_beams > 1:
        writers = [Beams(options, first.tolist(), stop) for first in decoding.first]
    else:
        seed = options.seed
        if seed is None:
            seed = random.next_key()
        writers = [
            Draws(options, first.tolist(), stop, seed + i) for i, first in enumerate(decoding.first)
        ]
    return writers, _run(decoding, writers, options)


def _run(decoding: Decoding, writers: Sequence[Draws | Beams], options: Options) -> Iterator[None]:
    """Give every writer what the model predicts, and the model what they write, until all end.

    All rows read the same number of symbols. Rows with longer prompts still read these while others
    already write: so a row is read the same way in any company. Yields after each round of symbols.
    """
    first = decoding.first
    if not first or not options.max_new_tokens:
        return
    t = min(map(len, first))
    logits = _read(decoding, np.stack([row[:t] for row in first]))
    options.check_symbols(logits.shape[1])
    counts = [1] * len(first)  # how many of the decoding's rows each writer has
    while True:
        rows: list[int] = []
        symbols: list[int] = []
        begin = 0
        for i, writer in enumerate(writers):
            n = counts[i]
            if n == 0:
                continue
            if t < len(first[i]):
                going, read = [0], [int(first[i][t])]
            else:
                going, read = writer.advance(logits[begin : begin + n])
            counts[i] = len(going)
            rows += [begin + row for row in going]
            symbols += read
            begin += n
        yield
        if not rows:
            return
        if rows != list(range(begin)):
            decoding.reorder(np.array(rows))
        logits = _read(decoding, np.array(symbols)[:, None])
        t += 1


@no_grad
def _read(decoding: Decoding, ids: Ids) -> NDArray[Any]:
    found = decoding.step(ids)
    logits: Array = found.data if isinstance(found, Tensor) else np.asarray(found)
    return logits
